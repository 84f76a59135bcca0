"""List the layers of a task network that the TDP loss can use:

    python tools/analysis_tools/list_layers.py mmdet::retinanet/retinanet_r18_fpn_1x_coco.py

One synthetic image runs through the network with random weights.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from prettytable import PrettyTable

from sr4ir_mm.config.cli import Parser, add_cfg_options, at_least
from sr4ir_mm.config.loading import load_config
from sr4ir_mm.errors import SR4IRError, user_errors

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass
class Recording:
    """Outputs of the modules of a task network in one forward pass.

    Args:
        outputs (dict[str, Any]): First output of each module, by its path.
        rows (dict[str, dict[int, list[str]]]): Rows of the table, by path and by the identity of the tensor.
        problem (str): Error that stopped the pass; '' without one.
    """

    outputs: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    problem: str = ''


def record(task: nn.Module, paths: list[str], batch: dict) -> Recording:
    """Run a task network on a preprocessed batch and record the outputs of some of its modules."""
    import torch

    from sr4ir_mm.models.features import tensors

    found = Recording()

    def keep(path: str, output: Any) -> None:
        if path not in found.outputs:
            found.outputs[path] = output
            found.rows[path] = {  # at once, because the network may change a tensor in place later
                id(tensor): [f'{path}{index}', 'x'.join(map(str, tensor.shape)), f'{tensor.float().abs().mean():.3g}']
                for index, tensor in tensors(output).items()
            }

    for path in paths:
        hook = lambda module, args, output, path=path: keep(path, output)  # noqa: E731
        task.get_submodule(path).register_forward_hook(hook)
    try:
        with torch.no_grad():
            task(batch['inputs'], batch['data_samples'], mode='tensor')
    except Exception as error:  # shown below the layers that did run
        found.problem = f'{type(error).__name__}: {error}'
    return found


def find_defaults(task: nn.Module, batch: dict) -> tuple[dict[str, tuple[str, float]], list[str]]:
    """Return the module path and the weight of each default layer, and what is wrong with them."""
    from sr4ir_mm.models import FeatureRecorder
    from sr4ir_mm.models.tdp_layers import default_layers

    try:
        weights = default_layers(task)
        recorder = FeatureRecorder(task, weights)
        recorder.find_maps(batch['inputs'], batch['data_samples'])
    except Exception as error:  # of many kinds, if the network does not run
        return {}, [str(error)]
    return {name: (path, weights[name]) for name, path in recorder.paths().items()}, []


def layer_table(
    found: Recording, paths: list[str], defaults: dict[str, tuple[str, float]], image: Tensor
) -> PrettyTable:
    """Make a table with a row for each tensor; the last column has the default layers with their weights."""
    from sr4ir_mm.models.features import MAP, last_map, pick

    marks: dict[int, str] = {}
    for name, (path, weight) in defaults.items():
        if path in found.outputs:
            output = found.outputs[path]
            key = id(last_map(output, image) if name.endswith(MAP) else pick(name, output))
            marks[key] = f'{marks.get(key, "")}{name!r}: {weight} '
    table = PrettyTable(['name', 'shape', 'mean |x|', 'default'], align='l', border=False)
    table.left_padding_width, table.right_padding_width = 0, 2
    for path in paths:
        table.add_rows([[*row, marks.get(key, '')] for key, row in found.rows.get(path, {}).items()])
    return table


def main() -> None:
    """Read the command line, run the task network, print one line per tensor."""
    parser = Parser(description=__doc__)
    parser.add_argument('config', help="config of ours, or that of a zoo: 'mmseg::FOLDER/FILE.py'")
    parser.add_argument(
        '--shape',
        nargs=2,
        type=at_least(1),
        default=(224, 224),
        metavar=('H', 'W'),
        help='image size (default: 224 224)',
    )
    parser.add_argument(
        '--depth',
        type=at_least(1),
        default=2,
        help='1: children of the task network; 2: also their children; ... (default: 2)',
    )
    add_cfg_options(parser)
    args = parser.parse_args()

    # these take seconds to import, which --help does not need
    from sr4ir_mm.analysis import synthetic_batch
    from sr4ir_mm.config import build_task

    task = build_task(load_config(args.config, args.cfg_options, zoo=True))
    batch = task.data_preprocessor(synthetic_batch(tuple(args.shape)))
    defaults, problems = find_defaults(task, batch)
    wanted = {path for path, _ in defaults.values()}
    paths = [path for path, _ in task.named_modules() if path and (path.count('.') < args.depth or path in wanted)]
    found = record(task, paths, batch)
    if found.problem and not found.outputs:
        size = ' x '.join(map(str, args.shape))
        raise SR4IRError(
            f'The task network does not run on an image of {size} px: try another --shape. {found.problem}'
        )
    print('\n'.join(line.rstrip() for line in str(layer_table(found, paths, defaults, batch['inputs'])).splitlines()))
    if found.problem:
        problems.append(f'The task network stopped early, so later layers are missing. {found.problem}')
    print(*(f'\nnote: {text}' for text in problems), sep='', end='')


if __name__ == '__main__':
    with user_errors():
        main()
