"""Files of :file:`tools/export.py` in place of the networks of a model."""

from collections.abc import Callable, Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.structures import BaseDataElement, InstanceData
from torch import Tensor, nn

from ..config import build_model
from ..errors import SR4IRError
from ..models import SR4IR
from .backends import Run, open_file
from .small_images import TooSmallImage


def exported_model(cfg: Config, files: Sequence[Path], backend: str | None, device: str | None) -> SR4IR:
    """Build a model whose networks are files: their own weights are random, and not used.

    Args:
        cfg (Config): Config of the run.
        files (Sequence[Path]): Files, see :func:`find_files`.
        backend (str, optional): Runtime, see :func:`open_file`; 'onnxruntime' by default.
        device (str, optional): Device of the runtime.

    Returns:
        SR4IR: Model on the CPU, in eval mode, for predictions alone.

    Raises:
        SR4IRError: If the two networks are not in two files, or the runtime is missing.
    """
    model = build_model(cfg).eval()
    runs = [open_file(file, backend or 'onnxruntime', device) for file in files]
    has_sr, has_task = model.scheme.test_input != 'hr', model.scheme.uses_task_net
    if len(runs) < has_sr + has_task:
        name, _, part = files[0].stem.rpartition('_')
        if name and part in ('sr', 'task'):
            raise SR4IRError(
                f"'{files[0]}' has the name of one of two files of --split, and both are needed: name "
                f"'{files[0].with_stem(name)}', which stands for both."
            )
        raise SR4IRError(
            f"'{files[0]}' holds both networks, but the test pipeline runs between them: export them to two files, "
            '--split, and name the same file here.'
        )
    if model.scheme.test_input == 'sr':
        model.sr = ExportedNet(runs[0])
    if has_task:
        model.task.forward = exported_forward(model, runs[-1])
    return model


class ExportedNet(nn.Module):
    """An SR network in a file.

    Args:
        run (Run): Function of the file.

    Example:
        >>> model.sr = ExportedNet(open_file(Path('model_sr.onnx')))
    """

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run

    def forward(self, image: Tensor) -> Tensor:
        """N x 3 x h x w to N x 3 x (scale h) x (scale w)."""
        return _run(self.run, image)['sr']


def exported_forward(model: SR4IR, run: Run) -> Callable:
    """Make the ``forward`` of a task network in a file; it predicts image by image.

    Args:
        model (SR4IR): Model, whose task network makes data samples of what the file returns.
        run (Run): Function of the file.
    """

    def forward(inputs: Tensor, data_samples: list, mode: str = 'predict') -> list:
        if mode != 'predict':
            raise SR4IRError(f"A task network in a file predicts; it has no mode='{mode}'.")
        images = model.data_preprocessor.denormalize(inputs)
        return [fill(model.task, sample, _run(run, image[None])) for sample, image in zip(data_samples, images)]

    return forward


def fill(task: nn.Module, sample: BaseDataElement, outputs: dict[str, Tensor]) -> BaseDataElement:
    """Make the outputs of a file the prediction of a data sample, by the task network's own last steps.

    Args:
        task (nn.Module): Task network; its weights are not used.
        sample (BaseDataElement): Data sample of one image.
        outputs (dict[str, Tensor]): Outputs of the file for this image.

    Raises:
        SR4IRError: If the outputs are no boxes and no logits of a known kind.
    """
    if 'boxes' in outputs:
        height, width = sample.metainfo['img_shape'][:2]
        boxes = outputs['boxes'].clamp(min=0)  # the file takes padding for a part of the image
        boxes = boxes.min(boxes.new_tensor([width, height, width, height]))
        boxes = boxes / boxes.new_tensor(sample.metainfo['scale_factor']).repeat(2)
        sample.pred_instances = InstanceData(bboxes=boxes, scores=outputs['scores'], labels=outputs['labels'])
        return sample
    if 'logits' in outputs and hasattr(task, 'align_corners'):
        from mmseg.models import BaseSegmentor  # the task network is mmseg's, or has its data samples

        return BaseSegmentor.postprocess_result(task, outputs['logits'], [sample])[0]
    if 'logits' in outputs and hasattr(getattr(task, 'head', None), '_get_predictions'):
        return task.head._get_predictions(outputs['logits'], [sample])[0]
    raise SR4IRError(
        f'The outputs of {type(task).__name__} in the file ({", ".join(outputs)}) are no predictions that can be '
        'shown: use the weights, with the backend pytorch.'
    )


def _run(run: Run, image: Tensor) -> dict[str, Tensor]:
    try:
        return run(image)
    except Exception as error:  # each runtime has its own: the file is for one size, or the image is too small
        height, width = image.shape[-2:]
        wanted = f'is for {run.size[1]} x {run.size[0]} px (--shape)' if run.size else f'fails ({error})'
        reason = f'makes an input of {width} x {height} px, with its padding, but the exported file {wanted}'
        raise TooSmallImage('', reason) from error
