"""Files of :file:`tools/export.py` in place of the networks of a model."""

import importlib.util
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.structures import BaseDataElement, InstanceData
from torch import Tensor, nn

from ..compat.stored_configs import read_as_data
from ..config import build_model
from ..errors import SR4IRError
from ..models import SR4IR
from .backends import Run, open_file
from .runs import dataset_meta, find_run
from .small_images import TooSmallImage

#: entry of a file's metadata with what predictions need to know of the run
KEY = 'sr4ir_mm'
#: what runs the networks
BACKENDS = ('pytorch', 'onnxruntime', 'openvino')


def find_files(model: object, backend: str | None = None) -> list[Path]:
    """Find the files of an export.

    Args:
        model (object): What the user named. OUT.onnx stands for OUT_sr.onnx and OUT_task.onnx, if both exist, or if
            it is no file.
        backend (str, optional): One of :data:`BACKENDS` that the user asked for.

    Returns:
        list[Path]: One file, or that of the SR network and that of the task network; none for a model in PyTorch.

    Raises:
        SR4IRError: If the files are missing, or do not fit the backend.
    """
    if backend not in (None, *BACKENDS):
        raise SR4IRError(f"The backend '{backend}' is unknown; choose from: {', '.join(BACKENDS)}.")
    path = Path(model) if isinstance(model, (str, Path)) else Path()
    if path.suffix != '.onnx':
        if backend in (None, 'pytorch'):
            return []
        raise SR4IRError(
            f'The backend {backend} runs exported files, not {model}: python tools/export.py {model} model.onnx '
            '--split, and name model.onnx here.'
        )
    if backend == 'pytorch':
        raise SR4IRError(f"The backend pytorch cannot run '{model}': choose onnxruntime or openvino.")
    pair = [path.with_stem(f'{path.stem}_{part}') for part in ('sr', 'task')]
    # an earlier export without --split may be there, too, which cannot be used here
    files = [path] if path.exists() and not all(file.is_file() for file in pair) else pair
    if missing := [file for file in files if not file.is_file()]:
        raise SR4IRError(f"'{path}' not found, nor '{missing[0]}' of an export with --split.")
    return files


def find_model(
    model: str | Path | Config, weights: str | None = None, backend: str | None = None, amp: bool = False
) -> tuple[Config, str | None, list[Path], dict]:
    """Find the config and the weights of a run, or the files of its export.

    Args:
        model (str, Path or Config): What the user named, see :func:`find_files` and :func:`find_run`.
        weights (str, optional): Checkpoint file or URL.
        backend (str, optional): One of :data:`BACKENDS`.
        amp (bool): Whether the user asked for mixed precision.

    Returns:
        tuple[Config, str or None, list[Path], dict]: Config; checkpoint, if the networks run in PyTorch; exported
        files; and the names and colors of the classes in them.

    Raises:
        SR4IRError: If one of them is missing, or an option has no effect.
    """
    if not (files := find_files(model, backend)):
        return *find_run(model, weights), [], {}
    if weights or amp:
        raise SR4IRError(
            f"'{files[0]}' holds its weights, in its precision: leave out weights and amp. For float16, export it with "
            '--half.'
        )
    cfg, meta = read_run(files[0])
    return cfg, None, files, meta


def run_meta(cfg: Config, weights: str | None) -> dict[str, str]:
    """Collect what :func:`read_run` reads, as entries of a file's metadata.

    Args:
        cfg (Config): Config of the run.
        weights (str, optional): Checkpoint file or URL.
    """
    if not cfg.get('test_dataloader'):
        return {}  # nothing says how images come to the task network
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmengine')):  # that of the data set
        run = dict(config=cfg.pretty_text, dataset_meta=dataset_meta(cfg, weights))
    return {KEY: json.dumps(run, default=lambda value: np.asarray(value).tolist())}


def read_run(path: Path) -> tuple[Config, dict]:
    """Read the config of a run, and the names and colors of its classes, in an exported file; nothing is run.

    Raises:
        SR4IRError: If the file does not hold them, or the package onnx is missing.
    """
    if importlib.util.find_spec('onnx') is None:
        raise SR4IRError(f"Reading '{path}' needs onnx: pip install -r requirements/export.txt")
    import onnx  # an optional package

    entries = {entry.key: entry.value for entry in onnx.load(path, load_external_data=False).metadata_props}
    if KEY not in entries:
        raise SR4IRError(f"'{path}' holds no config, because it is not of tools/export.py: export it again.")
    run = json.loads(entries[KEY])
    meta = {key: _restore(value) for key, value in run['dataset_meta'].items()}
    entries, name = read_as_data(run['config'], str(path)), str(path.with_suffix('.py'))
    return Config(entries, cfg_text=run['config'], filename=name), meta


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


def _restore(value: Any) -> Any:
    """Turn colors of JSON back into tuples, as which the visualizers take them."""
    return [tuple(entry) if isinstance(entry, list) else entry for entry in value] if isinstance(value, list) else value


def _run(run: Run, image: Tensor) -> dict[str, Tensor]:
    try:
        return run(image)
    except Exception as error:  # each runtime has its own: the file is for one size, or the image is too small
        height, width = image.shape[-2:]
        wanted = f'is for {run.size[1]} x {run.size[0]} px (--shape)' if run.size else f'fails ({error})'
        reason = f'makes an input of {width} x {height} px, with its padding, but the exported file {wanted}'
        raise TooSmallImage('', reason) from error
