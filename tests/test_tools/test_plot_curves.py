"""tools/analysis_tools/plot_curves.py as a user calls it."""

import pytest
from helpers.logs import write_run
from helpers.zoo import run_tool

TOOL = 'analysis_tools/plot_curves'


@pytest.mark.parametrize(('name', 'start'), [('a.png', b'\x89PNG'), ('new/b.svg', b'<?xml'), ('c.PDF', b'%PDF')])
def test_formats(tmp_path, capsys, name, start):
    write_run(tmp_path / 'run')
    assert run_tool(TOOL, 'run', '--out', name, cwd=tmp_path) == 0
    assert (tmp_path / name).read_bytes().startswith(start)
    assert capsys.readouterr().out == f'3 curves of 1 run(s): {name}\n'  # mIoU, loss, sr.loss_tdp


def test_several_runs_and_keys(tmp_path, capsys):
    write_run(tmp_path / '1/run')
    write_run(tmp_path / '2/run')
    assert run_tool(TOOL, '1/run', '2/run', '--out', 'a.svg', '--keys', '*loss*', 'sr.lr', cwd=tmp_path) == 0
    assert '3 curves of 2 run(s)' in capsys.readouterr().out
    text = (tmp_path / 'a.svg').read_text()
    assert all(f'<!-- {name} -->' in text for name in ('loss', 'sr.lr', '1/run', '2/run')) and '<!-- mIoU' not in text


def test_mistakes(tmp_path, fails):
    write_run(tmp_path / 'run')
    assert fails(TOOL, 'nothing').startswith("No '*/vis_data/scalars.json' found in 'nothing'")
    assert fails(TOOL, 'run', '--keys', 'psnr').startswith("No logged value matches 'psnr'")
    assert fails(TOOL, 'run', '--out', 'a.txt').startswith("The format of 'a.txt' is unknown")
