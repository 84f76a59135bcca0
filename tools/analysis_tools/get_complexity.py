"""Count the parameters and FLOPs of the SR and the task network:

    python tools/analysis_tools/get_complexity.py configs/sr4ir/deeplabv3_edsr_x4_voc.py --shape 64 64

A multiplication with an addition is one FLOP, as everywhere in MMEngine. The task network runs in mode 'tensor', so the
steps that turn its maps into boxes or classes are not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prettytable import PrettyTable

from sr4ir_mm.config.cli import Parser, add_cfg_options, at_least
from sr4ir_mm.config.loading import load_config
from sr4ir_mm.errors import SR4IRError, user_errors

if TYPE_CHECKING:
    from sr4ir_mm.analysis import Complexity

NETWORKS = dict(S='the super-resolution network (S)', T='the task network (T)')


def cost_table(nets: dict[str, Complexity]) -> PrettyTable:
    """Make a table with a row for each network and one for their sum."""
    table = PrettyTable(['net', 'input', 'parameters', 'share of them', 'FLOPs', 'share'], align='r')
    params, flops = (sum(getattr(net, key) for net in nets.values()) for key in ('params', 'flops'))
    for name, net in nets.items():
        shares = [f'{part / whole:.1%}' if whole else '-' for part, whole in ((net.params, params), (net.flops, flops))]
        size = ' x '.join(map(str, net.input_shape[1:]))
        table.add_row([name, size, _short(net.params), shares[0], _short(net.flops), shares[1]])
    table.add_row(['sum', '', _short(params), '', _short(flops), ''])
    return table


def notes(name: str, net: Complexity) -> list[str]:
    """Say what the figures of a network leave out."""
    lines, network = [], NETWORKS[name]
    if net.uncounted:
        operators = ', '.join(f'{op.removeprefix("aten::")} ({count}x)' for op, count in net.uncounted.most_common())
        lines.append(f'note: not counted in the FLOPs of {network}: {operators}')
    if net.idle:
        parts = ', '.join(net.idle)
        lines.append(f'note: parts of {network} that are unused here, or used without being called: {parts}')
    return lines


def _short(number: int) -> str:
    units = {'T': 1e12, 'G': 1e9, 'M': 1e6, 'k': 1e3}
    name = next((name for name, unit in units.items() if number >= unit), 'k')
    return f'{number / units[name]:.2f} {name}'


def main() -> None:
    """Read the command line, build the networks, print the table and the notes."""
    parser = Parser(description=__doc__)
    parser.add_argument('config', help='config of ours, or with --sr that of a zoo, e.g. mmdet::retinanet/...py')
    parser.add_argument(
        '--shape',
        nargs=2,
        type=at_least(1),
        default=(64, 64),
        metavar=('H', 'W'),
        help='size of the LR image (default: 64 64)',
    )
    parser.add_argument('--sr', help="SR network for the config of a zoo, e.g. 'edsr'")
    parser.add_argument('--scale', type=at_least(1), help='up-sampling factor of that SR network (default: 4)')
    add_cfg_options(parser)
    args = parser.parse_args()

    if args.scale and not args.sr:
        raise SR4IRError('--scale is that of an SR network for the config of a zoo: add --sr, or leave out --scale.')

    # these take seconds to import, which --help does not need
    from mmengine.runner import set_random_seed

    from sr4ir_mm.analysis import measure
    from sr4ir_mm.config import build_model, mix

    if args.sr:
        cfg = mix(args.config, args.sr, args.scale or 4, **(args.cfg_options or {}))
    else:
        cfg = load_config(args.config, args.cfg_options)
    set_random_seed(0)  # the boxes that random weights find decide the FLOPs of a second stage
    nets = measure(build_model(cfg), *args.shape)
    print(cost_table(nets), *(note for name, net in nets.items() for note in notes(name, net)), sep='\n')


if __name__ == '__main__':
    with user_errors():
        main()
