"""Notes on calls that the zoos make themselves are hidden, other warnings are not."""

import subprocess
import sys

IMPORTS = """
from mmengine.fileio import FileClient
import mmdet.models  # calls torch.cuda.amp.autocast
from mmcv.cnn.bricks import HSigmoid
from mmdet.models.dense_heads import ATSSHead
FileClient.infer_client(uri='a.jpg')
HSigmoid()
ATSSHead(num_classes=2, in_channels=4, stacked_convs=1, norm_cfg=None)  # its own code asks for `num_anchors`
"""
CODE = """
import warnings
import sr4ir_mm
{imports}
warnings.warn_explicit('old', FutureWarning, 'mmdet.py', 1, module='mmdet.models.x')
warnings.warn_explicit('old', FutureWarning, 'mine.py', 1, module='mine')
warnings.warn_explicit('look at your data', UserWarning, 'mmdet.py', 2, module='mmdet.models.x')
"""


def stderr_of(*options: str, imports: str = '') -> str:
    command = [sys.executable, *options, '-c', CODE.format(imports=imports)]
    return subprocess.run(command, text=True, capture_output=True).stderr


def test_only_what_a_user_can_act_on_is_shown():
    shown = [line for line in stderr_of(imports=IMPORTS).splitlines() if 'Warning' in line or 'deprecated' in line]
    assert shown == ['mine.py:1: FutureWarning: old', 'mmdet.py:2: UserWarning: look at your data']


def test_filters_of_the_user_come_first():
    assert 'FutureWarning: old' in stderr_of('-W', 'error:old:FutureWarning')
