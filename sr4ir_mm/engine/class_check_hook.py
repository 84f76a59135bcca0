"""A check of the number of classes."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..errors import SR4IRError
from ..registry import HOOKS
from ..utils import unwrap


@HOOKS.register_module()
class ClassCheckHook(Hook):
    """Hook that refuses training data with more classes than the task network has.

    On a GPU, such data end in a device-side assert that does not name the cause. The hook compares the two numbers that
    all zoos have: ``num_classes`` of the task network's modules and ``metainfo['classes']`` of the data set. Nothing is
    checked if one of them is unknown, or if the scheme does not use the task network.

    Raises:
        SR4IRError: Before the first iteration, if the data have more classes.

    Example:
        >>> custom_hooks = [dict(type='sr4ir_mm.ClassCheckHook')]
    """

    def before_train(self, runner: Runner) -> None:
        """Compare the two numbers of classes."""
        model = unwrap(runner.model)
        if not model.scheme.uses_task_net:
            return
        classes = (getattr(runner.train_dataloader.dataset, 'metainfo', None) or {}).get('classes') or ()
        counts = {name: getattr(module, 'num_classes', None) for name, module in unwrap(model.task).named_modules()}
        # the largest number counts: an RPN has one class, and the branches of a panoptic net divide the classes
        count, name = max(((n, name) for name, n in counts.items() if isinstance(n, int)), default=(len(classes), ''))
        if count < len(classes):
            option = '.'.join(filter(None, ['model.task', name, 'num_classes']))
            raise SR4IRError(
                f'The training data have {len(classes)} classes, but the task network has only {count}: set '
                f'{option}={len(classes)}, or use the data that the network is for.'
            )
