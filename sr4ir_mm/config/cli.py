"""The command line that the tools share."""

import argparse
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from mmengine.config import Config, DictAction

from ..errors import SR4IRError
from .calls import arguments, is_call
from .loading import load_config

#: entries of the config -> argument of the tools that replaces them
_ARGUMENTS = {
    'work_dir': 'work_dir', 'model.scheme': 'scheme', 'resume': 'resume', 'load_from': 'resume',
    'auto_scale_lr.enable': 'auto_scale_lr',
}  # fmt: skip


#: arguments that name what is written
_OUTPUTS = {'coco', 'out', 'out_dir', 'output', 'predictions', 'show_dir', 'work_dir', 'write_config'}


class _Help(argparse.RawDescriptionHelpFormatter):
    """Formatter that adds the default of each option to its help, unless the help says it in words."""

    def _get_help_string(self, action: argparse.Action) -> str:
        text = action.help or ''
        if not action.option_strings or 'default' in text or action.required or action.dest == 'help':
            return text
        if action.nargs == 0:
            return f'{text} (default: {"on" if action.default else "off"})'
        return f'{text} (default: {_shown(action.default)})'


def _shown(default: Any) -> str:
    """Return a default as the user would type it."""
    values = default if isinstance(default, (list, tuple)) else [default]
    return 'none' if default is None or not values else ' '.join(map(str, values)).replace('%', '%%')


class Parser(argparse.ArgumentParser):
    """Parser of a command line on which no option may be given twice: only the last one would count."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{'formatter_class': _Help, **kwargs})
        for name in (None, 'store'):
            self.register('action', name, _Once)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the options of a call of the tool as a function, if there is one, else the command line."""
        return super().parse_args(*(arguments(self) if is_call() and args is None else (args, namespace)))

    def parse_intermixed_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as :meth:`parse_args` does; options may stand between the arguments."""
        return super().parse_intermixed_args(*(arguments(self) if is_call() and args is None else (args, namespace)))

    def error(self, message: str) -> NoReturn:
        """End the process, or raise an error if the tool is called as a function."""
        if is_call():
            raise SR4IRError(f'{message[:1].upper()}{message[1:]}.')
        super().error(message)

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None) -> tuple:
        """Forget the options of an earlier command line, then parse as usual."""
        self.given: set[str] = set()
        parsed, rest = super().parse_known_args(args, namespace)
        for name in _OUTPUTS & vars(parsed).keys():
            if re.match(r'[a-z][\w+.-]+:/', value := str(getattr(parsed, name))):  # pathlib makes one slash of two
                raise SR4IRError(f"'{value}' is an address, but results are written to files: name one.")
        return parsed, rest


class _Once(argparse._StoreAction):
    def __call__(self, parser: Parser, namespace: argparse.Namespace, values: Any, option: str | None = None) -> None:
        if option and self.dest in parser.given:
            parser.error(f'argument {option}: it is given twice, and only one would count')
        parser.given.add(self.dest)
        super().__call__(parser, namespace, values, option)


class CfgOptions(DictAction):
    """``KEY=VALUE`` as in MMEngine, but spaces in a value stay, and a key given twice is an error."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Sequence[str], option: str = ''
    ) -> None:
        """Add the pairs to the namespace."""
        options = dict(getattr(namespace, self.dest, None) or {})
        for pair in values:
            key, is_pair, text = pair.partition('=')
            if not (key and is_pair):
                parser.error(f"argument {option}: '{pair}' is no KEY=VALUE")
            for other in options:
                if f'{other}.'.startswith(f'{key}.') or f'{key}.'.startswith(f'{other}.'):
                    parser.error(
                        f"argument {option}: '{key}' and '{other}' set the same entry, and only one would count"
                    )
            options[key] = self._parse(parser, option, pair, text)
        setattr(namespace, self.dest, options)

    def _parse(self, parser: argparse.ArgumentParser, option: str, pair: str, text: str) -> Any:
        if ',' not in text and text[:1] not in ('(', '['):
            return self._parse_int_float_bool(text.strip('\'"'))
        try:
            return self._parse_iterable(text)
        except AssertionError:
            return parser.error(f"argument {option}: the brackets in '{pair}' do not match")


def at_least(low: int) -> Callable[[str], int]:
    """Return a type of arguments: whole numbers from ``low`` on."""

    def whole_number(text: str) -> int:
        if not text.lstrip('+-').isdecimal() or int(text) < low:
            raise argparse.ArgumentTypeError(f"'{text}' is no whole number from {low} on")
        return int(text)

    return whole_number


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options`` to the arguments of a tool."""
    parser.add_argument(
        '--cfg-options', nargs='+', action=CfgOptions, metavar='KEY=VALUE', help='entries of the config to override'
    )


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the arguments ``config`` and ``checkpoint``, which name the result of a training."""
    parser.add_argument(
        'config',
        help='work dir, checkpoint, shared model (folder or user/name), config file, or name of one of our configs',
    )
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file or URL; default: what the first argument names')


def load_from_args(args: argparse.Namespace) -> Config:
    """Load the config that the arguments ``config`` and ``--cfg-options`` name."""
    return load_config(args.config, args.cfg_options)


def parse_and_load(
    parser: argparse.ArgumentParser, load: Callable[[argparse.Namespace], Config] = load_from_args
) -> tuple[argparse.Namespace, Config]:
    """Add the arguments of every tool with a runner, parse the command line, and load the config.

    Args:
        parser (ArgumentParser): Parser with an argument ``config``.
        load (Callable): Function from the parsed arguments to the config.

    Returns:
        tuple[Namespace, Config]: Arguments, and the config with the work dir and the launcher set.

    Raises:
        SR4IRError: If ``--cfg-options`` set what another argument sets too.
    """
    parser.add_argument('--work-dir', help='folder for logs and checkpoints; default: work_dirs/<name of the config>')
    add_cfg_options(parser)
    parser.add_argument(
        '--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='launcher of several processes'
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by the launcher')
    args = parser.parse_intermixed_args()  # an option may stand between the arguments
    _check_arguments(args)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = load(args)
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or os.path.join('work_dirs', Path(cfg.filename).stem)
    return args, cfg


def _check_arguments(args: argparse.Namespace) -> None:
    options = args.cfg_options or {}
    if 'launcher' in options:
        raise SR4IRError(f'--cfg-options launcher has no effect: use --launcher {options["launcher"]}.')
    for key, name in _ARGUMENTS.items():
        if key in options and getattr(args, name, None):
            raise SR4IRError(f'--cfg-options {key} and --{name.replace("_", "-")} set the same: leave one out.')
