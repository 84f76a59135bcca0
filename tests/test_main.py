"""sr4ir and python -m sr4ir_mm run the tools where only the package is installed."""

import re
import sys
from pathlib import Path

import pytest
from helpers.zoo import TOOLS

from sr4ir_mm import __main__ as command


@pytest.fixture(autouse=True)
def tools(monkeypatch):
    """Use the tools of the checkout; an installation has them in ``.mim``."""
    monkeypatch.setattr(command, 'TOOLS', TOOLS)


def run(monkeypatch, *args: str) -> None:
    monkeypatch.setattr(sys, 'argv', ['sr4ir_mm', *args])
    monkeypatch.setattr(sys, 'path', [*sys.path])
    monkeypatch.setitem(sys.modules, '__main__', sys.modules['__main__'])
    command.main()


@pytest.mark.parametrize('args', [(), ('-h',), ('--help',)])
def test_overview_names_every_tool_and_what_it_does(monkeypatch, capsys, args):
    run(monkeypatch, *args)
    listed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[2:] if line)
    assert list(listed)[:3] == ['train', 'test', 'infer']
    assert all(len(name) + len(text) < 150 and 'python' not in text for name, text in listed.items())
    assert {'doctor', 'make_table', 'list_layers', 'voc2012', 'official2mm'} <= set(listed)
    assert 'archives' not in listed, 'which the data set converters share'
    assert listed['train'] == 'Train SR4IR'


def test_tool_gets_its_arguments(monkeypatch, tmp_path):
    run(monkeypatch, 'make_demo_data', str(tmp_path / 'data'), '--train', '2', '--val', '1')
    assert len(list((tmp_path / 'data' / 'JPEGImages').iterdir())) == 3


def test_tool_imports_its_siblings(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, 'archives', raising=False)
    with pytest.raises(SystemExit, match='0'):
        run(monkeypatch, 'cub200', '-h')
    assert capsys.readouterr().out.startswith('usage: sr4ir cub200')


@pytest.mark.parametrize('name', ['train', 'test', 'infer', 'export', 'report', 'webui', 'benchmark', 'make_table'])
def test_help_says_the_default_of_every_option(monkeypatch, capsys, name):
    with pytest.raises(SystemExit, match='0'):
        run(monkeypatch, name, '--help')
    text = capsys.readouterr().out
    assert text.startswith(f'usage: sr4ir {name}')
    entries = re.split(r'\n  (?=-)', text)[1:]
    silent = [entry for entry in entries if 'default' not in entry and not entry.startswith('-h')]
    assert entries and not silent


@pytest.mark.parametrize(
    'name, message', [('tarin', "Unknown tool 'tarin': did you mean train"), ('x', "'x': sr4ir lists")]
)
def test_unknown_tool(monkeypatch, capsys, name, message):
    with pytest.raises(SystemExit, match='2'):
        run(monkeypatch, name)
    assert message in capsys.readouterr().err


def test_a_tool_ends_with_its_own_error(monkeypatch, capsys):
    with pytest.raises(SystemExit, match='2'):
        run(monkeypatch, 'train', 'missing.py')
    assert 'error: ' in capsys.readouterr().err


def test_plain_checkout(monkeypatch, capsys):
    monkeypatch.setattr(command, 'TOOLS', Path('nowhere'))
    with pytest.raises(SystemExit, match='2'):
        run(monkeypatch, 'train')
    assert 'pip install -e' in capsys.readouterr().err
