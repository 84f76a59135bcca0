"""Panels of test images: LR, bilinear, SR and HR image, and the predictions on them."""

import copy
from collections import defaultdict, deque
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.visualization import LocalVisBackend
from torch.utils.data import Dataset

from ..compat.ranks_draw import every_process_draws
from ..registry import HOOKS
from ..utils import check_number, output_names, unwrap, write_image
from ..utils.names import UniqueNames
from ..visualization import make_panel, predict_on_bilinear, render
from ..visualization.drawing import drawing_visualizer


@HOOKS.register_module()
class SRVisualizationHook(Hook):
    """A hook that draws a panel of each test image with the visualizer of the task network.

    The first row is LR | bilinear | SR | HR. Below it are a map of where SR is closer to HR than bilinear up-sampling
    and where it is further away, the predictions on bilinear and on SR, and the ground truth. Then follow, enlarged,
    the windows where the two predictions differ. For this the task network runs a second time, on the bilinear
    up-sampling. Panels of LR data sets show LR and SR only.

    The panels are saved to ``out_dir`` and sent to the backends of the runner's visualizer (TensorBoard, W&B, MLflow,
    ...). MMEngine's ``LocalVisBackend`` receives them only without an ``out_dir``. In a distributed test these are the
    images of the first process: MMEngine's visualizers draw in no other.

    Args:
        out_dir (str, optional): Folder for the pictures: ``<name of the image>.png``, in the subfolders that the data
            set has, with a number if two images have one name. Those of a validation are in ``iter_<iteration>``.
        interval (int): Number of batches from one that is drawn to the next.
        during_val (bool): Whether to draw in validations during training, too.
        crops (int): Largest number of windows of an image to enlarge.
        draw_cfg (dict, optional): More arguments of ``add_datasample`` of the task network's visualizer, e.g. mmdet's
            ``dict(pred_score_thr=0.1)``.

    Raises:
        SR4IRError: If a number is out of range, or a panel cannot be written.

    Example:
        >>> custom_hooks = [dict(type='sr4ir_mm.SRVisualizationHook', out_dir='panels', interval=10)]
    """

    def __init__(
        self,
        out_dir: str | None = None,
        interval: int = 1,
        during_val: bool = False,
        crops: int = 2,
        draw_cfg: dict | None = None,
    ) -> None:
        check_number('SRVisualizationHook', low=1, whole=True, interval=interval)
        check_number('SRVisualizationHook', low=0, whole=True, crops=crops)
        self.out_dir = Path(out_dir) if out_dir else None
        self.interval = interval
        self.during_val = during_val
        self.crops = crops
        self.draw_cfg = draw_cfg or {}
        self.names: dict[str | None, deque[str]] = {}
        self.unique = UniqueNames()
        self.meta: dict | None = None
        self.writes_logs = True

    def before_test_epoch(self, runner: Runner) -> None:
        """Decide the names of the panels."""
        self._name_panels(runner.test_dataloader.dataset)

    def before_val_epoch(self, runner: Runner) -> None:
        """Decide the names of the panels."""
        if self.during_val:
            self._name_panels(runner.val_dataloader.dataset)

    def after_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: list | None = None
    ) -> None:
        """Draw the data samples of one batch."""
        if self.every_n_inner_iters(batch_idx, self.interval):
            self._draw(runner, batch_idx, outputs, self.out_dir)

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: list | None = None
    ) -> None:
        """Draw the data samples of one batch, if asked for."""
        if self.during_val and self.every_n_inner_iters(batch_idx, self.interval):
            self._draw(runner, batch_idx, outputs, self.out_dir and self.out_dir / f'iter_{runner.iter}')

    def _name_panels(self, data_set: Dataset) -> None:
        self.writes_logs = is_main_process()
        self.meta = getattr(data_set, 'metainfo', None)
        self.unique = UniqueNames()  # the same names in each epoch
        self.names = panel_names(data_set, self.unique)

    @every_process_draws()
    def _draw(self, runner: Runner, batch_idx: int, samples: list, folder: Path | None) -> None:
        pictures = draw_panels(runner, samples, self.meta, self.crops, self.draw_cfg)
        for i, (sample, picture) in enumerate(zip(samples, pictures)):
            self._save(runner, self._name(sample.metainfo.get('img_path'), f'{batch_idx:06d}_{i}'), picture, folder)

    def _name(self, img_path: str | None, default: str) -> str:
        if img_path not in self.names:  # the data set does not list it
            self.names[img_path] = deque(output_names([img_path or default], unique=self.unique))
            if not img_path:
                return self.names.pop(img_path)[0]
        self.names[img_path].rotate(-1)  # an image that the data set has twice has two names
        return self.names[img_path][-1]

    def _save(self, runner: Runner, name: str, picture: np.ndarray, folder: Path | None) -> None:
        if folder:
            write_image(folder / f'{name}.png', picture)
        # MLflow takes the format from the suffix; LocalVisBackend makes no subfolders
        name = name.replace('/', '__') + '.png'
        for backend in runner.visualizer._vis_backends.values():
            if not isinstance(backend, LocalVisBackend):
                if self.writes_logs:
                    backend.add_image(name, picture, step=runner.iter)
            elif not folder:  # the backend itself does not notice if the disk is full
                write_image(Path(backend.experiment._img_save_dir, f'{name}_{runner.iter}.png'), picture)


def draw_panels(
    runner: Runner, samples: list, meta: dict | None, crops: int = 2, draw_cfg: dict | None = None
) -> Iterator[np.ndarray]:
    """Draw a panel of each data sample of a validation or a test.

    Args:
        runner (Runner): Runner, whose visualizer draws.
        samples (list): Data samples with predictions.
        meta (dict, optional): Metadata of the data set, if the visualizer has none.
        crops, draw_cfg: As in :class:`SRVisualizationHook`.

    Returns:
        Iterator[np.ndarray]: Pictures, H x W x 3, uint8, RGB.
    """
    model = unwrap(runner.model)
    visualizer = copy.copy(drawing_visualizer(runner.visualizer))
    visualizer.dataset_meta = visualizer.dataset_meta or meta  # MMEngine sets that of the first process only
    visualizer._vis_backends = {}  # it draws the panels, and the caller saves them
    visualizer.add_datasample = partial(visualizer.add_datasample, **(draw_cfg or {}))
    compare = model.scheme.test_input != 'bilinear' and 'hr' in samples[0]
    baselines = predict_on_bilinear(model, samples) if compare else [None] * len(samples)
    for sample, baseline in zip(samples, baselines):
        yield render(make_panel(visualizer, sample, baseline, model.scheme.test_input, crops))


def panel_names(data_set: Dataset, unique: UniqueNames) -> dict[str, deque[str]]:
    """Decide the names of the panels of a data set, with the folders that it has.

    Args:
        data_set (Dataset): Data set. One of PyTorch, which does not list its images, has no names yet.
        unique (UniqueNames): Receives the names.

    Returns:
        dict[str, deque[str]]: By the path of an image as many names as the data set has it.
    """
    infos = map(data_set.get_data_info, range(len(data_set))) if hasattr(data_set, 'get_data_info') else ()
    paths = [path for info in infos if (path := info.get('img_path'))]
    names = defaultdict(deque)
    for path, name in zip(paths, output_names(paths, folders=True, unique=unique)):
        names[path].append(name)
    return dict(names)
