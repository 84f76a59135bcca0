"""python -m sr4ir_mm runs the tools where only the package is installed."""

import sys
from pathlib import Path

import pytest
from helpers.zoo import TOOLS

from sr4ir_mm import __main__ as command
from sr4ir_mm.errors import SR4IRError


@pytest.fixture(autouse=True)
def tools(monkeypatch):
    """Use the tools of the checkout; an installation has them in ``.mim``."""
    monkeypatch.setattr(command, 'TOOLS', TOOLS)


def run(monkeypatch, *args: str) -> None:
    monkeypatch.setattr(sys, 'argv', ['sr4ir_mm', *args])
    monkeypatch.setattr(sys, 'path', [*sys.path])
    command.main()


@pytest.mark.parametrize('args', [(), ('-h',), ('--help',)])
def test_overview_names_every_tool_and_what_it_does(monkeypatch, capsys, args):
    run(monkeypatch, *args)
    listed = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[2:])
    assert {'train', 'test', 'make_table', 'list_layers', 'voc2012', 'official2mm'} <= set(listed)
    assert 'archives' not in listed, 'which the data set converters share'
    assert listed['train'].startswith('Train SR4IR')


def test_tool_gets_its_arguments(monkeypatch, tmp_path):
    run(monkeypatch, 'make_demo_data', str(tmp_path / 'data'), '--train', '2', '--val', '1')
    assert len(list((tmp_path / 'data' / 'JPEGImages').iterdir())) == 3


def test_tool_imports_its_siblings(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, 'archives', raising=False)
    with pytest.raises(SystemExit, match='0'):
        run(monkeypatch, 'cub200', '-h')
    assert capsys.readouterr().out.startswith('usage: cub200.py')


def test_unknown_tool(monkeypatch):
    with pytest.raises(SR4IRError, match=r"Unknown tool 'tarin': choose one of .*train"):
        run(monkeypatch, 'tarin')


def test_plain_checkout(monkeypatch):
    monkeypatch.setattr(command, 'TOOLS', Path('nowhere'))
    with pytest.raises(SR4IRError, match='pip install -e'):
        run(monkeypatch, 'train')
