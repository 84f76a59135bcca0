"""Draw the photograph of the README from three runs of detection that were trained on the same images:

    python .dev_scripts/front_picture.py --h2t RUN --l2t RUN --sr4ir RUN --out docs/bccd.png

The annotations choose the image, not the results: of the test images, the one with the most objects of the class that
is rarest among them; the first one by name if there are several.
"""

import tempfile
from collections import Counter
from pathlib import Path

import torch
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement

from sr4ir_mm.config import find_weights, load_run
from sr4ir_mm.config.cli import Parser
from sr4ir_mm.engine.fast_runner import FastRunner
from sr4ir_mm.utils import write_image
from sr4ir_mm.visualization.drawing import drawing_visualizer
from sr4ir_mm.visualization.panel import Panel, _ground_truth, _predictions, _uint8, set_size
from sr4ir_mm.visualization.render import render


def main() -> None:
    """Test the image with the three runs, and draw it."""
    parser = Parser(description=__doc__)
    for name in ('h2t', 'l2t', 'sr4ir'):
        parser.add_argument(f'--{name}', type=Path, required=True, help=f'work dir of the run of {name}')
    parser.add_argument('--out', type=Path, required=True, help='.png file')
    args = parser.parse_args()
    runners = {name: load(getattr(args, name)) for name in ('h2t', 'l2t', 'sr4ir')}
    path = choose(runners['h2t'])
    samples = {name: predict(runner, path) for name, runner in runners.items()}
    write_image(args.out, render(panel(runners['sr4ir'], samples)))
    print(f'{path}: {args.out}')


def load(work_dir: Path) -> Runner:
    """Build the runner of a test, with the weights of the last epoch."""
    cfg = load_run(work_dir)
    cfg.work_dir, cfg.resume = tempfile.mkdtemp(), False
    runner = FastRunner.from_cfg(cfg)
    runner.load_checkpoint(find_weights(work_dir, None))
    runner.model.eval()
    return runner


def choose(runner: Runner) -> str:
    """Return the path of the test image that shows most of what is rare."""
    dataset = runner.test_dataloader.dataset
    infos = sorted((dataset.get_data_info(i) for i in range(len(dataset))), key=lambda info: info['img_path'])
    counts = {info['img_path']: Counter(box['bbox_label'] for box in info['instances']) for info in infos}
    total = sum(counts.values(), Counter())
    rarest = min(total, key=total.__getitem__)
    return max(counts, key=lambda path: counts[path][rarest])


@torch.no_grad()
def predict(runner: Runner, path: str) -> BaseDataElement:
    """Test one image."""
    dataset = runner.test_dataloader.dataset
    index = next(i for i in range(len(dataset)) if dataset.get_data_info(i)['img_path'] == path)
    return runner.model.test_step(pseudo_collate([dataset[index]]))[0]


def panel(runner: Runner, samples: dict[str, BaseDataElement]) -> Panel:
    """Return the images, and below each of them what the network found that was trained for it."""
    visualizer = drawing_visualizer(runner.visualizer)
    visualizer.dataset_meta = runner.test_dataloader.dataset.metainfo
    size = set_size(visualizer, *samples['sr4ir'].metainfo['ori_shape'][:2])
    images = {name: _uint8(sample, 'task_input', size) for name, sample in samples.items()}
    found = {name: _predictions(visualizer, images[name], sample) for name, sample in samples.items()}
    lr = _uint8(samples['sr4ir'], 'lr', size, 'nearest')
    pictures = {'LR': lr, 'bilinear': images['l2t'], 'SR of SR4IR': images['sr4ir'], 'HR': images['h2t']}
    titles = {'l2t': 'L->T', 'sr4ir': 'SR4IR', 'h2t': 'H->T'}
    drawn = _ground_truth(visualizer, images['h2t'], samples['h2t'])
    return Panel(pictures, drawn | {title: found[name] for name, title in titles.items()})


if __name__ == '__main__':
    main()
