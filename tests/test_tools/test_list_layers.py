"""tools/analysis_tools/list_layers.py as a user calls it."""

import torch
from helpers.zoo import TOOLS, run_tool
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from torch import nn

ZOO = 'mmdet::yolo/yolov3_mobilenetv2_8xb24-320-300e_coco.py'


def table(capsys, *args: object, cwd) -> tuple[dict[str, list[str]], str]:
    """The lines by their first word, and the notes below them."""
    assert run_tool('analysis_tools/list_layers', *args, cwd=cwd) == 0
    lines, _, rest = capsys.readouterr().out.partition('\nnote: ')
    rows = [line.split(maxsplit=3) for line in lines.splitlines()]
    assert rows[0] == ['name', 'shape', 'mean', '|x|  default']
    return {name: cells for name, *cells in rows[1:]}, rest


def test_zoo_config(tmp_path, capsys):
    rows, note = table(capsys, ZOO, '--shape', 64, 96, '--depth', 1, cwd=tmp_path)
    assert list(rows) == [*(f'{part}[{i}]' for part in ('backbone', 'neck') for i in range(3))]
    shapes = {name: cells[0] for name, cells in rows.items()}
    assert shapes['neck[0]'] == '1x96x2x3' and shapes['neck[2]'] == '1x96x8x12'
    marks = {name: cells[2] for name, cells in rows.items() if len(cells) > 2}
    assert marks == {'neck[2]': "'neck[fine0]': 0.5", 'neck[1]': "'neck[fine1]': 0.5"}
    assert all(float(cells[1]) > 0 for cells in rows.values()) and note == ''


def test_a_net_whose_train_returns_none_and_that_loads_a_teacher(tmp_path, capsys):
    lad = tmp_path / 'lad.py'
    lad.write_text("_base_ = 'mmdet::lad/lad_r50-paa-r101_fpn_2xb8_coco_1x.py'\n")
    rows, _ = table(capsys, lad, '--shape', 64, 64, '--depth', 1, cwd=tmp_path)
    assert rows['neck[0]'][0] == '1x256x8x8'


def test_our_config(tmp_path, capsys):
    config = TOOLS.parent / 'configs/demo/fcn-tiny_edsr-tiny_x4_demo.py'
    rows, _ = table(capsys, config, '--shape', 32, 32, cwd=tmp_path)
    assert rows['backbone[0]'][0] == '1x16x8x8' and rows['backbone[0]'][2] == "'backbone[map]': 1.0"
    assert any(name.startswith('backbone.') for name in rows) and not any(name.count('.') > 1 for name in rows)


def test_the_default_is_a_layer_in_the_backbone(tmp_path, capsys):
    """A vision transformer returns its class token."""
    rows, _ = table(capsys, 'mmpretrain::deit/deit-tiny_4xb256_in1k.py', '--depth', 1, cwd=tmp_path)
    shapes = {name: (cells[0], *cells[2:]) for name, cells in rows.items()}
    assert shapes == {
        'backbone[0]': ('1x192',),
        'backbone.ln1': ('1x197x192', "'backbone[map]': 1.0"),
        'head': ('1x1000',),
    }


@MODELS.register_module(force=True)
class TwoBackbones(BaseModel):
    def __init__(self, fails: bool) -> None:
        super().__init__()
        self.a, self.b = nn.Module(), nn.Module()
        self.a.backbone, self.b.backbone = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 5, 1)
        self.fails = fails

    def forward(self, inputs, data_samples=None, mode='tensor'):
        if self.fails:
            raise RuntimeError('only square images')
        feature = self.a.backbone(inputs[0].float()[None])
        self.a.backbone(torch.zeros(1, 3, 1, 1))  # the first output counts
        return self.b.backbone(feature).nothing


def two_backbones(folder, fails: bool):
    path = folder / 'net.py'
    path.write_text(f"model = dict(type='TwoBackbones', fails={fails})")
    return path


def test_a_net_without_default_and_end(tmp_path, capsys):
    rows, notes = table(capsys, two_backbones(tmp_path, False), '--shape', 4, 6, cwd=tmp_path)
    assert {name: cells[0] for name, cells in rows.items()} == {'a.backbone': '1x4x4x6', 'b.backbone': '1x5x4x6'}
    assert all(len(cells) == 2 for cells in rows.values())
    first, _, second = notes.partition('\nnote: ')
    assert 'several backbones (a.backbone, b.backbone): set model.tdp.layers' in first
    assert second.startswith('The task network stopped early, so later layers are missing. AttributeError: ')


def test_mistakes(tmp_path, fails):
    tool = 'analysis_tools/list_layers'
    assert fails(tool, 'no.py').startswith("Config 'no.py' not found")
    assert fails(tool, 'nozoo::a/b.py').startswith("The package 'nozoo' is not installed")
    assert 'retinanet/no.py' in fails(tool, 'mmdet::retinanet/no.py')
    (tmp_path / 'empty.py').write_text('a = 1')
    assert fails(tool, 'empty.py') == 'The config has no model: choose another config.'
    message = fails(tool, two_backbones(tmp_path, True), '--shape', 4, 6)
    expected = 'The task network does not run on an image of 4 x 6 px: try another --shape. RuntimeError: '
    assert message == expected + 'only square images'
