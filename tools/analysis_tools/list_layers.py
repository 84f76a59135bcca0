"""List the layers of T that the TDP loss can take, e.g. of 'mmdet::retinanet/retinanet_r18_fpn_1x_coco.py'.

Runs one made image through T with weights as they are before any are loaded.
"""

import argparse

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.hub import get_config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmengine.structures import BaseDataElement
from torch import nn

from sr4ir_mm.apis import load_config
from sr4ir_mm.errors import SR4IRError, user_errors
from sr4ir_mm.models.feature_recorder import pick, tensors
from sr4ir_mm.models.tdp_layers import default_layers
from sr4ir_mm.registry import MODELS


def load(name: str) -> Config:
    """A config file, or a file of a zoo by its name there."""
    if '::' not in name:
        return load_config(name)
    try:
        return get_config(name)
    except (AssertionError, ValueError) as error:  # MMEngine's, for a package that it does not know
        raise SR4IRError(f"There is no config '{name}': {error}") from error


def build_task(cfg: Config) -> nn.Module:
    """T of one of our configs, or the model of a zoo's."""
    if 'model' not in cfg:
        raise SR4IRError('The config has no model.')
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    model = cfg.model
    if str(model.type).rpartition('.')[2] == 'SR4IR':
        model = model.task
    elif cfg.get('data_preprocessor'):  # as MMEngine's runner does
        model.setdefault('data_preprocessor', cfg.data_preprocessor)
    task = revert_sync_batchnorm(MODELS.build(model))
    task.eval()  # of some models it returns None
    return task


def made_batch(task: nn.Module, height: int, width: int) -> dict:
    """One smooth image, as T's preprocessor gives it at test time."""
    small = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    image = F.interpolate(small, size=(height, width), mode='bilinear')[0].mul(255).byte()
    size = (height, width)
    meta = dict(img_shape=size, ori_shape=size, pad_shape=size, batch_input_shape=size, scale_factor=(1.0, 1.0))
    return task.data_preprocessor(dict(inputs=[image], data_samples=[BaseDataElement(metainfo=meta)]))


@torch.no_grad()
def run(task: nn.Module, modules: dict[str, nn.Module], batch: dict) -> tuple[dict, dict, str]:
    """The first output of each module, the table's rows of it, and why T did not get to its end."""
    outputs, rows, problem = {}, {}, ''

    def record(path: str, output: object) -> None:
        if path not in outputs:
            outputs[path] = output
            rows[path] = {  # now: T may change a tensor in place later on
                id(t): [f'{path}{index}', 'x'.join(map(str, t.shape)), f'{t.float().abs().mean():.3g}', '']
                for index, t in tensors(output).items()
            }

    for path, module in modules.items():
        module.register_forward_hook(lambda module, args, output, path=path: record(path, output))
    try:
        task(batch['inputs'], batch['data_samples'], mode='tensor')
    except Exception as error:  # shown below the layers that did run
        problem = f'{type(error).__name__}: {error}'
    return outputs, rows, problem


def main() -> None:
    """Read the command line, run T, print one line per tensor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help="config file, or a zoo's as 'mmseg::FOLDER/FILE.py'")
    parser.add_argument('--shape', nargs=2, type=int, default=(224, 224), metavar=('H', 'W'), help='size of the image')
    parser.add_argument('--depth', type=int, default=2, help='1: children of T only; 2: their children too; ...')
    args = parser.parse_args()
    task = build_task(load(args.config))
    try:
        defaults, problems = default_layers(task), []
    except SR4IRError as error:
        defaults, problems = {}, [str(error)]
    modules = {
        path: module
        for path, module in task.named_modules()
        if path and (path.count('.') < args.depth or path in {name.partition('[')[0] for name in defaults})
    }
    outputs, rows, problem = run(task, modules, made_batch(task, *args.shape))
    if problem and not outputs:
        raise SR4IRError(f'T does not run on an image of {args.shape[0]} x {args.shape[1]} (see --shape). {problem}')
    for name, weight in defaults.items():
        path = name.partition('[')[0]
        if path in outputs:
            rows[path][id(pick(name, outputs[path]))][-1] += f"'{name}': {weight} "
    found = [['name', 'shape', 'mean |x|', 'default']]
    for path in modules:
        found += rows.get(path, {}).values()
    widths = [max(map(len, column)) for column in zip(*found)]
    for row in found:
        print('  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    if problem:
        problems.append(f'T stopped early, layers that come later are missing. {problem}')
    print(*(f'\nnote: {text}' for text in problems), sep='', end='')


if __name__ == '__main__':
    with user_errors():
        main()
