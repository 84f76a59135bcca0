"""Try the networks of transformers that the adapters take, at small size with random weights, and write a table:

    python .dev_scripts/hf_architectures.py --out docs/transformers_table.md

Each one has transformers' default widths and few layers, or the small config of the tests. It gets two synthetic
images. Columns are those of the sweep of the zoos: the bare network, a step of SR4IR with the default TDP layers, the
loss of H->T against the bare network, a prediction under SR4IR, and a step of T->S.
"""

import copy
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from queue import Empty
from time import monotonic

import torch
import transformers
from mmengine.config import ConfigDict
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'tests'))
from helpers.hf import CLASSIFIERS, DETECTORS, SEGMENTORS  # small configs

from sr4ir_mm.analysis.synthetic_batch import synthetic_batch
from sr4ir_mm.config.cli import Parser
from sr4ir_mm.engine import SR4IROptimWrapperConstructor
from sr4ir_mm.models import SR4IR, HFClassifier, HFDetector, HFSegmentor
from sr4ir_mm.models.adapters.hf_build import config_class
from sr4ir_mm.models.adapters.hf_files import tables_of

PAGE = """# Networks of transformers that were tried

All classes of transformers {version} that the three adapters take ([Networks of transformers](transformers.md)), with
random weights, transformers' default widths and few layers. Made by `python .dev_scripts/hf_architectures.py --out
docs/transformers_table.md`.

- **bare**: the network of transformers gives a loss with gradients.
- **SR4IR**: one step, in which both networks change and all losses are finite, with the TDP loss of the last column.
- **identity**: under `H->T`, the loss and the gradients are those of the bare network, to the last bit.
- **predicts**: SR4IR predicts.
- **T->S**: one step changes the SR network and nothing of the task network.

{counts}

{table}
"""
COLUMNS = (
    'class', 'adapter', 'parameters (M)', 'image', 'bare', 'SR4IR', 'identity', 'predicts', 'T->S', 'TDP layers',
    'remark',
)  # fmt: skip
ZOOS = {HFSegmentor: 'mmseg', HFClassifier: 'mmpretrain', HFDetector: 'mmdet'}
SECONDS = 240
EDSR = dict(type='mmagic.EDSRNet', in_channels=3, out_channels=3, mid_channels=8, num_blocks=1, upscale_factor=4)
#: fewer layers, and smaller images, where a network has an entry of this name
FEW = dict(num_hidden_layers=2, encoder_layers=1, decoder_layers=2, n_layer=2, image_size=64)
SMALL = (
    SEGMENTORS
    | CLASSIFIERS
    | DETECTORS
    | {
        'Data2VecVisionForSemanticSegmentation': SEGMENTORS['BeitForSemanticSegmentation'],
        # of 64 px, their windows would be smaller than those of the config
        'DonutSwinForImageClassification': dict(depths=[1] * 4),
        'Swinv2ForImageClassification': dict(depths=[1] * 4),
    }
)
#: sizes of images that windows, strides or positions need
SIZES = {
    'CLIPForImageClassification': 224,
    'MetaClip2ForImageClassification': 224,
    'DeformableDetrForObjectDetection': 128,
}
DEFAULT_SIZE = 128


def main() -> None:
    """Try all classes, each in a process of its own, and write the table."""
    parser = Parser(description=__doc__)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--only', nargs='+')
    args = parser.parse_args()
    os.environ['HF_HUB_OFFLINE'] = '1'
    rows = []
    old = args.out.read_text().splitlines() if args.only and args.out.exists() else []  # the others keep their rows
    for adapter in ZOOS:
        entries = [entry for table in tables_of(adapter.mappings) for entry in table.values()]
        names = sorted({name for entry in entries for name in ([entry] if isinstance(entry, str) else entry)})
        for name in names:
            kept = [line for line in old if line.startswith(f'| {name} | {adapter.__name__} |')]
            if kept and name not in args.only:
                rows.append([cell.strip() for cell in kept[0].strip('|').split('|')])
            elif not args.only or name in args.only:
                rows.append(row := in_process(adapter, name))
                print(*row, sep=' | ', flush=True)
    lines = [COLUMNS, ('---',) * len(COLUMNS), *rows]
    table = '\n'.join(f'| {" | ".join(line)} |' for line in lines)
    args.out.write_text(PAGE.format(table=table, counts=counts(rows), version=transformers.__version__))


def counts(rows: list[list[str]]) -> str:
    """Return how many of the classes pass each check."""
    passed = {COLUMNS[i]: sum(row[i] == 'ok' for row in rows) for i in range(4, 9)}
    return f'Of {len(rows)} classes: ' + ', '.join(f'{name} {count}' for name, count in passed.items()) + '.'


def in_process(adapter: type, name: str) -> list[str]:
    """Try a class; one that takes all memory or time ends no other."""
    context = get_context('fork')  # the imports take longest
    queue = context.Queue()
    process = context.Process(target=lambda: [queue.put(cell) for cell in attempt(adapter, name)])
    process.start()
    cells, end = [name, adapter.__name__], monotonic() + SECONDS
    try:
        while len(cells) < len(COLUMNS):
            cells.append(queue.get(timeout=max(0, end - monotonic())))
    except Empty:
        process.kill()
        missing = COLUMNS[len(cells)]
        cells += ['-'] * (len(COLUMNS) - 1 - len(cells))
        cells.append(f'{missing}: takes more than {SECONDS} s, or ends its process')
    process.join()
    return cells


def attempt(adapter: type, name: str) -> Iterator[str]:
    """Yield the cells of a row after the first two."""
    torch.set_num_threads(1)
    warnings.simplefilter('ignore')
    logging.disable(logging.WARNING)
    transformers.utils.logging.set_verbosity_error()
    try:
        task = build(adapter, name)
    except Exception as error:
        return (yield from ('-', '-', 'refused', '-', '-', '-', '-', '-', reason(error)))
    size = SIZES.get(name) or image_size(task.net.config)
    yield f'{sum(value.numel() for value in task.net.parameters()) / 1e6:.1f}'
    yield f'{size}'
    remarks = []
    for check in (bare, sr4ir, identity, predicts, t2s):
        try:
            check(copy.deepcopy(task), size)
            yield 'ok'
        except Exception as error:
            yield 'failed'
            remarks.append(f'{check.__name__}: {reason(error)}')
    yield ', '.join(f'`{layer}`' for layer in task.tdp_layers)
    yield ' '.join(remarks[:1])


def build(adapter: type, name: str) -> nn.Module:
    """Build a class with few layers, or with its default ones if they are needed."""
    torch.manual_seed(0)
    kind = config_class(name, adapter.mappings)
    usual = vars(kind())
    few = {key: value for key, value in FEW.items() if key in usual}
    if isinstance(depths := usual.get('depths'), (list, tuple)):
        few['depths'] = [1] * len(depths)
    error = None
    for config in (SMALL[name],) if name in SMALL else (few, {}):
        try:
            return adapter(architecture=name, config=config, num_classes=5)
        except Exception as found:
            error = found
    raise error


def image_size(config) -> int:
    """Return the size of images that a network is made for, or one that is small."""
    size = getattr(config, 'image_size', None)
    size = size[0] if isinstance(size, (list, tuple)) and size else size
    return size if isinstance(size, int) and size <= 256 else DEFAULT_SIZE


def batch(task: nn.Module, size: int) -> dict:
    """Make a batch as the task network receives it, before its data preprocessor."""
    zoo = ZOOS[type(task)]
    data = synthetic_batch((size, size), (size, size), zoo=zoo, num_classes=5)
    if zoo == 'mmdet' and task.net.config.model_type == 'mask2former':
        from mmdet.structures.mask import BitmapMasks

        for sample in data['data_samples']:
            masks = torch.ones(len(sample.gt_instances), size, size, dtype=torch.uint8).numpy()
            sample.gt_instances.masks = BitmapMasks(masks, size, size)
    return data


def gradients(task: nn.Module, size: int) -> tuple[torch.Tensor, dict]:
    """Return the loss and the gradients of a network in front of which nothing stands."""
    torch.manual_seed(1)
    loss = task.train()(**task.data_preprocessor(batch(task, size), True), mode='loss')['loss']
    loss.backward()
    return loss, {name: value.grad for name, value in task.net.named_parameters() if value.grad is not None}


def bare(task: nn.Module, size: int) -> None:
    """The network gives a loss with gradients."""
    loss, grads = gradients(task, size)
    assert loss.isfinite() and any(grad.any() for grad in grads.values()), 'no gradient'


def step(task: nn.Module, size: int, scheme: str) -> tuple[SR4IR, dict, dict, dict]:
    """Make one step; return the model, its logs, the weights before, and the gradients of the task network."""
    torch.manual_seed(1)
    model = SR4IR(copy.deepcopy(EDSR), task, scale=4, scheme=scheme).train()
    part = dict(optimizer=dict(type='SGD', lr=0.01))
    wrappers = SR4IROptimWrapperConstructor(ConfigDict(sr=part, task=part))(model)
    before = {name: value.clone() for name, value in model.named_parameters()}
    grads = {}
    for wrapper in wrappers.values():
        wrapper.optimizer.register_step_pre_hook(
            lambda *args: grads.update(
                {name: value.grad.clone() for name, value in task.net.named_parameters() if value.grad is not None}
            )
        )
    torch.manual_seed(1)
    logs = model.train_step(batch(task, size), wrappers)
    assert all(value.isfinite() for value in logs.values()), 'a loss is not finite'
    return model, logs, before, grads


def changed(model: SR4IR, before: dict) -> set[str]:
    """Return which of the networks have changed."""
    return {name.partition('.')[0] for name, value in model.named_parameters() if not torch.equal(value, before[name])}


def sr4ir(task: nn.Module, size: int) -> None:
    """A step of SR4IR changes both networks."""
    model, logs, before, _ = step(task, size, 'SR4IR')
    assert changed(model, before) == {'sr', 'task'} and 'sr.loss_tdp' in logs, 'a network did not change'


def identity(task: nn.Module, size: int) -> None:
    """A step of H->T is that of the bare network."""
    loss, expected = gradients(copy.deepcopy(task), size)
    _, logs, _, grads = step(task, size, 'H->T')
    assert torch.equal(logs['loss'], loss), 'another loss'
    for name, value in expected.items():
        assert torch.equal(grads[name], value), f'another gradient of {name}'


@torch.no_grad()
def predicts(task: nn.Module, size: int) -> None:
    """SR4IR predicts."""
    model = SR4IR(copy.deepcopy(EDSR), task, scale=4).eval()
    samples = model(**model.data_preprocessor(batch(task, size), False), mode='predict')
    key = dict(mmseg='pred_sem_seg', mmpretrain='pred_score', mmdet='pred_instances')[ZOOS[type(task)]]
    assert all(key in sample for sample in samples), 'no prediction'


def t2s(task: nn.Module, size: int) -> None:
    """A step of T->S changes the SR network alone."""
    model, _, before, _ = step(task, size, 'T->S')
    assert changed(model, before) == {'sr'}, 'the task network changed'


def reason(error: Exception) -> str:
    """Return an error as a cell."""
    return ' '.join(f'{type(error).__name__}: {error}'.split())[:160].replace('|', '/')


if __name__ == '__main__':
    main()
