"""tools/export.py as a user calls it, and what docs/export.md does with the file."""

import re

import cv2
import numpy as np
import pytest
import torch
from helpers.torch_version import needs_export
from helpers.zoo import TOOLS, run_tool, tiny_config
from mmengine.config import Config
from mmengine.registry import init_default_scope

from sr4ir_mm.registry import MODELS

pytest.importorskip('onnxruntime')
pytest.importorskip('onnxscript')
DEMO = TOOLS.parent / 'configs/demo/fcn-tiny_edsr-tiny_x4_demo.py'


@pytest.fixture
def checkpoint(tmp_path):
    cfg = Config.fromfile(DEMO)
    init_default_scope(cfg.default_scope)
    torch.save(dict(state_dict=MODELS.build(cfg.model).state_dict()), tmp_path / 'demo.pth')
    return tmp_path / 'demo.pth'


@needs_export
def test_export_and_the_snippet_of_the_docs(tmp_path, checkpoint, capsys, monkeypatch):
    assert run_tool('export', DEMO, checkpoint, 'model.onnx', cwd=tmp_path) == 0
    out = capsys.readouterr().out
    rows = re.findall(r'^\| +noise \| +(\d x \d+ x \d+) \| +(sr|logits) \| +(\S+) \| +\S+ \|$', out, re.MULTILINE)
    assert len(rows) == 6 and max(float(row[2]) for row in rows) < 1e-4
    rng = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / 'lr.png'), rng.integers(0, 256, (20, 31, 3), np.uint8))
    monkeypatch.chdir(tmp_path)
    exec(re.search(r'```python\n(.*?)```', (TOOLS.parent / 'docs/export.md').read_text(), re.DOTALL)[1])
    assert cv2.imread('sr.png').shape == (80, 124, 3) and cv2.imread('classes.png', 0).max() < 5


def test_mistakes(tmp_path, checkpoint, fails):
    assert 'name it *.onnx or *.pt2' in fails('export', DEMO, checkpoint, 'model.pth')
    assert "Checkpoint 'no.pth' not found" in fails('export', DEMO, 'no.pth', 'model.onnx')
    message = fails('export', tiny_config(tmp_path), checkpoint, 'model.onnx')
    assert message.startswith(f"'{checkpoint}' does not fit the config: ")
