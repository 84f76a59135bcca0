"""Content of a report about runs: plain data, and images as text that an HTML page can contain."""

import base64
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from ..config.loading import load_config
from ..config.nodes import type_name
from ..config.runs import Tested, run_test, trained_config
from ..errors import SR4IRError
from ..utils import check_number, decode_image
from .curves import plot_curve
from .scalars import Curve, is_measured, select


@dataclass(frozen=True)
class Summary:
    """One run in a report.

    Args:
        name (str): Name of the run.
        scheme (str): Training scheme, as in the config.
        task (str): Classes of the task network and its backbone.
        sr (str): Class of the SR network.
        scale (str): Up-sampling factor, e.g. 'x4'; '-' if the config has none. The networks may be '-' too.
        metrics (dict[str, float]): Metrics of the latest test of this training or, before a test, of the last
            validation.
        measured (str): Source of the metrics: 'test of epoch_2.pth, 2026-01-01 23:59:59', 'validation, epoch 2', ...
        config (str): Text of the config that MMEngine saved.

    Example:
        >>> summary = summarize('run', work_dir, read_curves(work_dir))
    """

    name: str
    scheme: str
    task: str
    sr: str
    scale: str
    metrics: dict[str, float]
    measured: str
    config: str


def summarize(name: str, work_dir: Path, curves: Mapping[str, Curve]) -> Summary:
    """Read the config and the latest metrics of a work dir.

    Args:
        name (str): Name of the run.
        work_dir (Path): Work dir of ``tools/train.py``, which may also have been that of tests.
        curves (Mapping[str, Curve]): Result of :func:`read_curves`.

    Raises:
        SR4IRError: If the work dir has no config, or its files may be of several trainings.
    """
    config = load_config(work_dir)
    tested = run_test(work_dir)
    metrics, measured = _last_validation(curves) if tested is None else (tested.metrics, _source(tested))
    metrics = {key: metrics[key] for key in select(metrics) if isinstance(metrics[key], (int, float))}
    metrics = {key: value for key, value in metrics.items() if is_measured(key, value) and not math.isnan(value)}
    model = config.get('model') or {}
    scale = f'x{model["scale"]}' if 'scale' in model else '-'
    nets = _net_name(model.get('task')), _net_name(model.get('sr'))
    scheme = str(model.get('scheme', 'SR4IR'))
    return Summary(name, scheme, *nets, scale, metrics, measured, trained_config(work_dir) or config.text)


def curve_image(runs: Mapping[str, Mapping[str, Curve]], name: str) -> str:
    """Draw one value of every run; return the ``src`` of an SVG image."""
    figure = Figure(figsize=(3.4, 2.5), layout='constrained')
    plot_curve(figure.subplots(), runs, name)
    buffer = io.BytesIO()
    figure.savefig(buffer, format='svg')
    return _data_uri('svg+xml', buffer.getvalue())


def panel_images(folder: Path, count: int) -> dict[str, str]:
    """Read a few panels, evenly chosen from a folder of ``tools/test.py --show-dir``.

    Args:
        folder (Path): Folder of the panels, which may have subfolders.
        count (int): Largest number of panels.

    Returns:
        dict[str, str]: The ``src`` of a JPEG image by the name of the panel.

    Raises:
        SR4IRError: If the folder has no panels, one cannot be read, or ``count`` is not positive.
    """
    check_number('The report', low=1, whole=True, max_panels=count)
    paths = sorted(path for path in folder.rglob('*.png') if not path.name.startswith('.'))  # not yet complete
    if not paths:
        raise SR4IRError(f"No panels found in '{folder}': make them with tools/test.py --show-dir {folder}")
    images = {}
    for path in paths[:: -(-len(paths) // count)]:
        _, data = cv2.imencode('.jpg', _read_panel(path), [cv2.IMWRITE_JPEG_QUALITY, 85])
        images[str(path.relative_to(folder).with_suffix(''))] = _data_uri('jpeg', data.tobytes())
    return images


def _read_panel(path: Path) -> np.ndarray:
    try:
        return decode_image(path.read_bytes())
    except (OSError, SR4IRError) as error:
        raise SR4IRError(f"Panel '{path}' cannot be read ({error}): delete it, or make it again.") from error


def _last_validation(curves: Mapping[str, Curve]) -> tuple[dict, str]:
    last = {name.removeprefix('val/'): curve for name, curve in curves.items() if curve.measured}
    if not last:
        return {}, 'not yet'
    latest = max(last.values(), key=lambda curve: curve.x[-1])
    values = {name: curve.y[-1] for name, curve in last.items() if curve.x[-1] == latest.x[-1]}
    return values, f'validation, {latest.unit} {latest.x[-1]:g}'


def _source(tested: Tested) -> str:
    time = f'{datetime.strptime(tested.time, "%Y%m%d_%H%M%S"):%Y-%m-%d %H:%M:%S}'
    changed = f', with another {", ".join(tested.changed)}' if tested.changed else ''
    return f'test of {Path(tested.checkpoint).name}, {time}{changed}'


def _net_name(cfg: dict | None) -> str:
    parts = [cfg, cfg.get('backbone')] if cfg else []
    return ', '.join(type_name(part['type']) for part in parts if part) or '-'


def _data_uri(kind: str, data: bytes) -> str:
    return f'data:image/{kind};base64,{base64.b64encode(data).decode()}'
