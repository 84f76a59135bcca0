"""The classes of the data and those of T."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..errors import SR4IRError
from ..registry import HOOKS
from ..utils import unwrap


@HOOKS.register_module()
class ClassCheckHook(Hook):
    """Refuses training data with more classes than T tells apart; on a GPU they end in a device-side assert.

    Looks for what the zoos share, ``num_classes`` of T's modules and ``metainfo['classes']`` of the data set. Without
    one of them, or if the scheme does not run T, nothing is checked.

    Raises:
        SR4IRError: Before the first iteration.
    """

    def before_train(self, runner: Runner) -> None:
        """Compare the two numbers."""
        model = unwrap(runner.model)
        if not model.scheme.uses_task_net:
            return
        classes = (getattr(runner.train_dataloader.dataset, 'metainfo', None) or {}).get('classes') or ()
        counts = {name: getattr(module, 'num_classes', None) for name, module in unwrap(model.task).named_modules()}
        # the largest: an RPN has one class, a panoptic net's branches share the classes out
        count, name = max(((n, name) for name, n in counts.items() if isinstance(n, int)), default=(len(classes), ''))
        if count < len(classes):
            option = '.'.join(filter(None, ['model.task', name, 'num_classes']))
            raise SR4IRError(
                f'The training data have {len(classes)} classes, but the task network has only {count}: set '
                f'{option}={len(classes)}, or use the data that the network is for.'
            )
