"""Options of tools that are called as functions."""

import argparse
import sys
from pathlib import Path

import pytest

from sr4ir_mm.config.calls import call
from sr4ir_mm.config.cli import Parser, add_cfg_options, at_least
from sr4ir_mm.errors import SR4IRError


def parser() -> Parser:
    parser = Parser()
    parser.add_argument('config')
    parser.add_argument('checkpoint', nargs='?')
    parser.add_argument('inputs', nargs='+', type=Path)
    parser.add_argument('--scale', type=at_least(1), default=4)
    parser.add_argument('--score-thr', type=float)
    parser.add_argument('--resume', nargs='?', const='auto')
    parser.add_argument('--amp', '--half', action='store_true')
    parser.add_argument('--tta', action=argparse.BooleanOptionalAction)
    parser.add_argument('--classes', nargs='+')
    parser.add_argument('--shape', nargs=2, type=int)
    parser.add_argument('--coords', choices=['lr', 'sr'], default='lr')
    add_cfg_options(parser)
    return parser


def parse(mixed: bool = False, **options) -> dict:
    with call('tool', dict(config='c.py', inputs=['a'], **options)):
        found = parser()
        return vars(found.parse_intermixed_args() if mixed else found.parse_args())


@pytest.mark.parametrize('mixed', [False, True])
def test_options_are_what_the_command_line_would_give(mixed):
    defaults = parse(mixed)
    assert defaults['scale'] == 4 and defaults['inputs'] == [Path('a')] and defaults['checkpoint'] is None
    assert not defaults['amp'] and defaults['cfg_options'] is None and defaults['resume'] is None
    options = dict(
        checkpoint=Path('b/e.pth'), scale=2, score_thr=0.1, resume=True, amp=True, classes=['b c'],
        shape=(32, 48), coords='sr', cfg_options={'a.b': [dict(c=(1, None))], 'd': '7'},
    )  # fmt: skip
    found = parse(mixed, **options)
    assert found == dict(
        config='c.py', checkpoint='b/e.pth', inputs=[Path('a')], scale=2, score_thr=0.1, resume='auto', amp=True,
        classes=['b c'], shape=[32, 48], coords='sr', cfg_options=options['cfg_options'], tta=None,
    )  # fmt: skip
    assert parse(mixed, resume='-a.pth', classes='one')['resume'] == '-a.pth'
    assert parse(mixed, half=True)['amp'], 'a second name of an option'
    assert parse(mixed, amp=False, resume=False, scale=None) == defaults
    assert parse(mixed, cfg_options=['a.b=1', 'c=x'])['cfg_options'] == {'a.b': 1, 'c': 'x'}


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(scor_thr=1), r"'tool' has no option 'scor_thr'\. Did you mean score_thr\?"),
        (dict(help=True), "no option 'help'"),
        (dict(scale=0), "Argument --scale: '0' is no whole number from 1 on"),
        (dict(coords='hr'), 'Argument --coords: invalid choice'),
        (dict(shape=3), 'Argument --shape: expected 2 arguments'),
        (dict(score_thr=True), 'score_thr=True is neither a text'),
        (dict(amp='yes'), "amp='yes' must be True or False"),
        (dict(checkpoint=object()), 'checkpoint=<object object'),
        (dict(config=None), "'tool' needs 'config'"),
    ],
)
def test_mistakes_are_one_error(options, message):
    with pytest.raises(SR4IRError, match=message), call('tool', {'config': 'c.py', 'inputs': 'a', **options}):
        parser().parse_args()


def test_the_command_line_is_used_again_afterwards(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['tool', 'line.py', 'x'])
    parse()
    assert parser().parse_args().config == 'line.py'
    with pytest.raises(SystemExit):
        parser().parse_args(['--scale', '0'])
    with call('tool', dict(config='c.py')):
        assert parser().parse_args(['given.py', 'x']).config == 'given.py'


@pytest.mark.parametrize('value', [None, True, False])
def test_false_is_not_nothing_where_a_config_may_say_true(value):
    assert parse(tta=value)['tta'] is value
