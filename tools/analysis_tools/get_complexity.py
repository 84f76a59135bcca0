"""FLOPs and parameters of S and T: python tools/analysis_tools/get_complexity.py CONFIG --shape 64 64

A multiplication with an addition is one FLOP, as everywhere in MMEngine. T runs in its mode 'tensor', without what
turns its maps into boxes or classes.
"""

import argparse

from mmengine.config import DictAction
from prettytable import PrettyTable

from sr4ir_mm.analysis.complexity import Complexity, measure
from sr4ir_mm.apis import load_config
from sr4ir_mm.config.building import build_model
from sr4ir_mm.config.loading import override
from sr4ir_mm.config.mixing import mix
from sr4ir_mm.errors import user_errors


def table(nets: dict[str, Complexity]) -> PrettyTable:
    """A row for each net, and their sum."""
    rows = PrettyTable(['net', 'input', 'parameters', 'share of them', 'FLOPs', 'share'])
    rows.align = 'r'
    params, flops = (sum(getattr(net, key) for net in nets.values()) for key in ('params', 'flops'))
    for name, net in nets.items():
        shares = [f'{part / whole:.1%}' if whole else '-' for part, whole in ((net.params, params), (net.flops, flops))]
        size = ' x '.join(map(str, net.input_shape[1:]))
        rows.add_row([name, size, _short(net.params), shares[0], _short(net.flops), shares[1]])
    rows.add_row(['sum', '', _short(params), '', _short(flops), ''])
    return rows


def notes(name: str, net: Complexity) -> list[str]:
    """What the figures of a net leave out."""
    lines = []
    if net.uncounted:
        operators = ', '.join(f'{op.removeprefix("aten::")} ({count}x)' for op, count in net.uncounted.most_common())
        lines.append(f'note: not counted in the FLOPs of {name}: {operators}')
    if net.idle:
        lines.append(f'note: parts of {name} that are unused here, or used without being called: {", ".join(net.idle)}')
    return lines


def _short(number: int) -> str:
    units = {'T': 1e12, 'G': 1e9, 'M': 1e6, 'k': 1e3}
    name = next((name for name, unit in units.items() if number >= unit), 'k')
    return f'{number / units[name]:.2f} {name}'


def main() -> None:
    """Read the command line, build the nets, print a table and what it leaves out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help="config file or, with --sr, a zoo's, e.g. mmdet::retinanet/retinanet_r50...py")
    parser.add_argument('--shape', nargs=2, type=int, default=(64, 64), metavar=('H', 'W'), help='of the LR image')
    parser.add_argument('--sr', help="S for a zoo's net: 'edsr' or the like")
    parser.add_argument('--scale', type=int, default=4, help='of that S')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='override entries: key=value ...')
    args = parser.parse_args()
    if args.sr:
        cfg = override(mix(args.config, args.sr, args.scale), args.config, args.cfg_options)
    else:
        cfg = load_config(args.config, args.cfg_options)
    nets = measure(build_model(cfg), *args.shape)
    print(table(nets), *(note for name, net in nets.items() for note in notes(name, net)), sep='\n')


if __name__ == '__main__':
    with user_errors():
        main()
