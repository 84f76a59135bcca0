"""The command line that the tools share."""

import os

import pytest

from sr4ir_mm.config import parse_and_load
from sr4ir_mm.config.cli import Parser, add_cfg_options, at_least
from sr4ir_mm.errors import SR4IRError


@pytest.mark.parametrize(
    'arguments, work_dir',
    [([], 'work_dirs/net_x4'), (['--work-dir', 'out'], 'out'), (['--cfg-options', 'work_dir=x'], 'x')],
)
def test_command_line(path, monkeypatch, arguments, work_dir):
    monkeypatch.setattr('sys.argv', ['train.py', path, *arguments, '--launcher', 'slurm', '--local-rank', '3'])
    monkeypatch.setenv('LOCAL_RANK', '0')  # so that it is as before afterwards
    monkeypatch.delenv('LOCAL_RANK')
    parser = Parser()
    parser.add_argument('config')
    args, cfg = parse_and_load(parser)
    assert (args.config, cfg.work_dir, cfg.launcher, os.environ['LOCAL_RANK']) == (path, work_dir, 'slurm', '3')


@pytest.mark.parametrize(
    'arguments, words',
    [
        (['--work-dir', 'a', '--cfg-options', 'work_dir=b'], '--cfg-options work_dir and --work-dir set the same'),
        (['--scheme', 'h2t', '--cfg-options', 'model.scheme=SR4IR'], '--cfg-options model.scheme and --scheme set the'),
        (['--cfg-options', 'launcher=pytorch'], 'launcher has no effect: use --launcher pytorch'),
    ],
)
def test_arguments_of_which_one_would_be_ignored(path, monkeypatch, arguments, words):
    monkeypatch.setattr('sys.argv', ['train.py', path, *arguments])
    parser = Parser()
    parser.add_argument('config')
    parser.add_argument('--scheme')
    with pytest.raises(SR4IRError, match=words):
        parse_and_load(parser)


def parser_of_options() -> Parser:
    parser = Parser()
    parser.add_argument('config')
    parser.add_argument('--sr')
    parser.add_argument('--keys', nargs='+')
    parser.add_argument('--scale', type=at_least(1))
    parser.add_argument('--amp', action='store_true')
    add_cfg_options(parser)
    return parser


def test_values_of_options():
    """As in MMEngine, but spaces stay: a folder may have some in its name."""
    pairs = ['a=1', 'b=2.5', 'c=True', 'd=None', 'e=1,2', 'f=(1,[2,x])', "g='s'", 'h=/my data/voc', 'i=x=y', 'j=']
    parsed = parser_of_options().parse_args(['c', '--cfg-options', *pairs[:4], '--cfg-options', *pairs[4:]]).cfg_options
    assert parsed == dict(a=1, b=2.5, c=True, d=None, e=[1, 2], f=(1, [2, 'x']), g='s', h='/my data/voc', i='x=y', j='')


@pytest.mark.parametrize(
    'arguments, words',
    [
        (['--sr', 'a', '--sr', 'b'], 'argument --sr: it is given twice, and only one would count'),
        (['--keys', 'a', '--amp', '--keys', 'b'], 'argument --keys: it is given twice'),
        (['--cfg-options', 'a=1', 'a=2'], "'a' and 'a' set the same"),
        (['--cfg-options', 'a.b=1', '--cfg-options', 'a=2'], "'a' and 'a.b' set the same"),
        (['--cfg-options', 'a=1', 'a.b=2'], "'a.b' and 'a' set the same"),
        (['--cfg-options', 'a'], "'a' is no KEY=VALUE"),
        (['--cfg-options', '=1'], "'=1' is no KEY=VALUE"),
        (['--cfg-options', 'a=[1,2'], "the brackets in 'a=[1,2' do not match"),
        (['--scale', '0'], "'0' is no whole number from 1 on"),
        (['--scale', '-4'], "'-4' is no whole number from 1 on"),
        (['--scale', '2.5'], "'2.5' is no whole number from 1 on"),
        (['--scale', 'x'], "'x' is no whole number from 1 on"),
        (['--scale', '²'], "'²' is no whole number from 1 on"),
    ],
)
def test_a_wrong_command_line(arguments, words, capsys):
    with pytest.raises(SystemExit) as end:
        parser_of_options().parse_args(['c', *arguments])
    assert end.value.code == 2 and words in capsys.readouterr().err


def test_one_parser_for_two_command_lines():
    parser = parser_of_options()
    assert [parser.parse_intermixed_args(['--sr', name, 'c', '--amp']).sr for name in 'ab'] == ['a', 'b']
    names = ['ab', 'a', 'abc']  # not a part of another entry
    assert len(parser.parse_args(['c', '--cfg-options', *(f'{name}=1' for name in names)]).cfg_options) == 3
