"""What a report tells of a run, as plain data and as images that a page holds itself."""

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
from matplotlib.figure import Figure
from mmengine.config import Config

from ..errors import SR4IRError
from .curves import plot_curve
from .scalars import Curve, select


@dataclass(frozen=True)
class Summary:
    """One run in the report.

    Args:
        name (str): Of the run.
        scheme (str): As in the config.
        task (str): Class of T and of its backbone.
        sr (str): Class of S.
        scale (str): 'x4'; '-' where there is none, as for the nets.
        metrics (dict[str, float]): Of the latest test or, without one, of the last validation.
        measured (str): Which of them.
        config (str): Text of the config that MMEngine saved.
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
        name (str): Of the run.
        work_dir (Path): Of ``tools/train.py``. A test counts that had the same work dir, or ``test`` in it.
        curves (Mapping[str, Curve]): What :func:`read_curves` returns.

    Raises:
        SR4IRError: If there is no config.
    """
    configs = sorted(work_dir.glob('*.py'), key=lambda path: path.stat().st_mtime)
    if not configs:
        raise SR4IRError(f"There is no config in '{work_dir}': name the work dir of a training.")
    metrics, measured = _tested(work_dir) or _validated(curves)
    metrics = {key: metrics[key] for key in select(metrics)}
    model = Config.fromfile(configs[-1]).get('model') or {}
    scale = f'x{model["scale"]}' if 'scale' in model else '-'
    nets = _net(model.get('task')), _net(model.get('sr'))
    scheme = str(model.get('scheme', 'SR4IR'))
    return Summary(name, scheme, *nets, scale, metrics, measured, configs[-1].read_text())


def curve_image(runs: Mapping[str, Mapping[str, Curve]], name: str) -> str:
    """One curve of every run as the ``src`` of an image, SVG."""
    figure = Figure(figsize=(3.4, 2.5), layout='constrained')
    plot_curve(figure.subplots(), runs, name)
    buffer = io.BytesIO()
    figure.savefig(buffer, format='svg')
    return _data_uri('svg+xml', buffer.getvalue())


def panel_images(folder: Path, count: int) -> dict[str, str]:
    """A few panels of a ``--show-dir``, from all over it: names and the ``src`` of images, JPEG.

    Raises:
        SR4IRError: If there are none.
    """
    paths = sorted(folder.rglob('*.png'))
    if not paths:
        raise SR4IRError(f"There are no panels in '{folder}': make them with tools/test.py --show-dir {folder}")
    images = {}
    for path in paths[:: -(-len(paths) // count)]:
        _, data = cv2.imencode('.jpg', cv2.imread(str(path)), [cv2.IMWRITE_JPEG_QUALITY, 85])
        images[str(path.relative_to(folder).with_suffix(''))] = _data_uri('jpeg', data.tobytes())
    return images


def _tested(work_dir: Path) -> tuple[dict, str] | None:
    """MMEngine writes the metrics of a test to ``<timestamp>/<timestamp>.json``."""
    tests = [path for path in [*work_dir.glob('*/*.json'), *work_dir.glob('test/*/*.json')]
             if path.stem == path.parent.name]  # fmt: skip
    if not tests:
        return None
    return json.loads(max(tests, key=lambda path: path.stat().st_mtime).read_text().splitlines()[-1]), 'test'


def _validated(curves: Mapping[str, Curve]) -> tuple[dict, str]:
    last = {name.removeprefix('val/'): curve for name, curve in curves.items() if curve.measured}
    if not last:
        return {}, 'not yet'
    any_curve = next(iter(last.values()))
    return {name: curve.y[-1] for name, curve in last.items()}, f'validation, {any_curve.unit} {any_curve.x[-1]:g}'


def _net(cfg: dict | None) -> str:
    parts = [cfg, cfg.get('backbone')] if cfg else []
    return ', '.join(part['type'].rpartition('.')[2] for part in parts if part) or '-'


def _data_uri(kind: str, data: bytes) -> str:
    return f'data:image/{kind};base64,{base64.b64encode(data).decode()}'
