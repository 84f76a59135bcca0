"""When the fallback is used, and its errors for ops that it does not have."""

import importlib
import sys

import mmcv.ops
import pytest
import torch
from helpers import own_python
from mmcv.utils.ext_loader import check_ops_exist

from sr4ir_mm.compat import MissingOpError, apply
from sr4ir_mm.compat.mmcv_ops import SERVED, FallbackFinder


@pytest.mark.usefixtures('fallback')
def test_missing_op_names_itself_and_the_remedy():
    with pytest.raises(MissingOpError, match=r"'box_iou_rotated'.*mim install \"mmcv==2\.1\.0\""):
        mmcv.ops.box_iou_rotated(torch.rand(2, 5), torch.rand(2, 5))


@pytest.mark.usefixtures('fallback')
def test_error_names_the_unsupported_argument():
    with pytest.raises(MissingOpError, match=r"'roi_align_forward'.*pool_mode='max'"):
        mmcv.ops.roi_align(torch.rand(1, 1, 4, 4), torch.tensor([[0.0, 0, 0, 2, 2]]), 2, 1.0, 0, 'max')


@pytest.mark.usefixtures('fallback')
def test_extension_looks_like_a_module():
    import mmcv._ext as extension

    assert mmcv._ext is extension is sys.modules['mmcv._ext']
    assert check_ops_exist()
    assert not hasattr(extension, '__path__')
    assert all(callable(getattr(extension, op)) for op in SERVED)
    assert isinstance(mmcv.ops.get_compiler_version(), str)


def test_apply_twice_changes_nothing():
    apply()
    assert sum(isinstance(finder, FallbackFinder) for finder in sys.meta_path) == 1


def test_broken_extension_raises_its_own_error(tmp_path, monkeypatch):
    (tmp_path / '_ext.py').write_text('raise ImportError("undefined symbol: of the extension")')
    monkeypatch.setattr(mmcv, '__path__', [str(tmp_path)])
    monkeypatch.delitem(sys.modules, 'mmcv._ext', raising=False)
    with pytest.raises(ImportError, match='undefined symbol: of the extension'):
        importlib.import_module('mmcv._ext')


def test_import_is_light():
    heavy = ('mmcv', 'torchvision', 'mmseg', 'mmdet', 'mmpretrain', 'mmagic', 'transformers', 'mmengine.runner')
    code = f'import sys, sr4ir_mm; print([name for name in {heavy} if name in sys.modules])'
    assert own_python.output_of(code) == '[]'
