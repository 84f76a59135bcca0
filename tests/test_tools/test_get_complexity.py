"""tools/analysis_tools/get_complexity.py as a user calls it."""

import pytest
from helpers.zoo import TOOLS, run_tool

from sr4ir_mm.config import load_run

TOOL = 'analysis_tools/get_complexity'
CONFIGS = TOOLS.parent / 'configs'


def table(capsys, *args: object, cwd) -> tuple[dict[str, list[str]], list[str]]:
    """The rows by their net, and the notes."""
    assert run_tool(TOOL, *args, cwd=cwd) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in lines if line.startswith('|')]
    assert rows[0] == ['net', 'input', 'parameters', 'share of them', 'FLOPs', 'share']
    return {name: cells for name, *cells in rows[1:]}, [line for line in lines if line.startswith('note: ')]


def test_our_config(tmp_path, capsys):
    rows, notes = table(capsys, CONFIGS / 'demo/fcn-tiny_edsr-tiny_x4_demo.py', '--shape', 32, 40, cwd=tmp_path)
    assert rows['S'] == ['3 x 32 x 40', '158.98 k', '91.8%', '360.90 M', '93.0%']
    assert rows['T'] == ['3 x 128 x 160', '14.15 k', '8.2%', '27.26 M', '7.0%']
    assert rows['sum'] == ['', '173.13 k', '', '388.16 M', '']
    assert notes[0].startswith('note: not counted in the FLOPs of the super-resolution network (S): ')
    assert 'pixel_shuffle (2x)' in notes[0]


def test_without_s(tmp_path, capsys):
    load_run('fcn-tiny_edsr-tiny_x4_demo', 'l2t').dump(tmp_path / 'l2t.py')
    rows, _ = table(capsys, 'l2t.py', '--shape', 32, 40, cwd=tmp_path)
    assert list(rows) == ['T', 'sum'] and rows['T'][0] == '3 x 128 x 160' and rows['T'][4] == '100.0%'


@pytest.mark.parametrize(
    'name', ['mmpretrain::resnet/resnet18_8xb32_in1k.py', 'mmdet::yolox/yolox_tiny_8xb8-300e_coco.py']
)
def test_a_mix(tmp_path, capsys, name):
    rows, _ = table(capsys, name, '--sr', 'edsr', '--scale', 2, '--shape', 32, 32, cwd=tmp_path)
    assert list(rows) == ['S', 'T', 'sum'] and rows['S'][0] == '3 x 32 x 32' and rows['T'][0] == '3 x 64 x 64'


def test_a_detector_of_two_stages(tmp_path, capsys):
    config = CONFIGS / 'sr4ir/faster-rcnn_edsr_x4_voc.py'
    call = (config, '--shape', 16, 16, '--cfg-options', 'model.scheme=SR4IR')
    rows, notes = table(capsys, *call, cwd=tmp_path)
    assert table(capsys, *call, cwd=tmp_path) == (rows, notes)  # random weights decide how many boxes there are
    assert float(rows['T'][3].split()[0]) > 1
    assert any('of the task network (T)' in note and 'NMS' in note for note in notes)


def test_mistakes(tmp_path, fails):
    (tmp_path / 'bare.py').write_text("model = dict(type='mmpretrain.ResNet', depth=18)")
    assert fails(TOOL, 'bare.py').startswith("The model of 'bare.py' is ResNet, not SR4IR. Name a config")
    assert fails(TOOL, 'no.py').startswith("Config 'no.py' not found")
