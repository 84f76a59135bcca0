"""The tools as functions: the same code with the same options."""

import sys
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from mmengine.visualization import Visualizer

from ..__main__ import find_tools
from ..config.calls import call

File = str | Path


def train(config: File, **options: Any) -> Path:
    """Train as ``sr4ir train`` does.

    Args:
        config (str or Path): Config file, name of one of our configs, or config of a zoo.
        **options: Options of ``sr4ir train --help`` with underscores. Those without a value are True, those with
            several values are lists, and ``cfg_options`` is a dict.

    Returns:
        Path: Work dir, which the other functions take.

    Raises:
        SR4IRError: If an option is unknown, or something is wrong for which the tool would end with a message.

    Example:
        >>> run = sr4ir_mm.train('mmdet::retinanet/retinanet_r50_fpn_1x_coco.py', sr='edsr', scale=4, amp=True)
        >>> sr4ir_mm.test(run)['coco/bbox_mAP']
    """
    return _run('train', config=config, **options)


def test(config: File, checkpoint: File | None = None, **options: Any) -> dict[str, float]:
    """Test as ``sr4ir test`` does.

    Args:
        config (str or Path): Work dir, checkpoint, shared model, or config.
        checkpoint (str or Path, optional): Checkpoint; by default what ``config`` names.
        **options: Options of ``sr4ir test --help``, see :func:`train`.

    Returns:
        dict[str, float]: Metrics.

    Raises:
        SR4IRError: See :func:`train`.
    """
    return _run('test', config=config, checkpoint=checkpoint, **options)


def infer(model: File, inputs: File | list[File], **options: Any) -> Path:
    """Predict on LR images and write files, as ``sr4ir infer`` does; ``SR4IRInferencer`` returns the predictions.

    Args:
        model (str or Path): Work dir, checkpoint, shared model, or config.
        inputs (str, Path or list): Files, folders, globs, URLs.
        **options: Options of ``sr4ir infer --help``, see :func:`train`.

    Returns:
        Path: Folder of the results.

    Raises:
        SR4IRError: See :func:`train`.
    """
    return _run('infer', model=model, inputs=inputs, **options)


def export(config: File, out: File, checkpoint: File | None = None, **options: Any) -> list[Path]:
    """Export to ONNX or .pt2 as ``sr4ir export`` does.

    Args:
        config (str or Path): Work dir, checkpoint, shared model, or config.
        out (str or Path): File to write.
        checkpoint (str or Path, optional): Checkpoint; by default what ``config`` names.
        **options: Options of ``sr4ir export --help``, see :func:`train`.

    Returns:
        list[Path]: Files that were written.

    Raises:
        SR4IRError: See :func:`train`.
    """
    return _run('export', config=config, checkpoint=checkpoint, out=out, **options)


def report(work_dirs: File | list[File], **options: Any) -> Path:
    """Write one HTML file about runs, as ``sr4ir report`` does.

    Args:
        work_dirs (str, Path or list): Work dirs.
        **options: Options of ``sr4ir report --help``, see :func:`train`.

    Returns:
        Path: The file.

    Raises:
        SR4IRError: See :func:`train`.
    """
    return _run('report', work_dirs=work_dirs, **options)


def _run(tool: str, **options: Any) -> Any:
    module = _load(tool, find_tools()[tool])
    _forget(Visualizer)
    with call(tool, options):
        return module.main()


def _forget(kind: type[Visualizer]) -> None:
    """Let the next run have its own visualizer: MMEngine returns that of the last run, which writes into its folder."""
    kind._instance_dict.clear()
    for other in kind.__subclasses__():
        _forget(other)


@cache
def _load(name: str, path: Path) -> ModuleType:
    spec = spec_from_file_location(f'sr4ir_mm_tool_{name}', path)
    module = sys.modules[spec.name] = module_from_spec(spec)  # type: ignore[union-attr]
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module
