"""What older releases of PyTorch cannot do."""

import pytest
import torch
from mmengine.utils import digit_version

OLD = digit_version(torch.__version__) < digit_version('2.6')
needs_export = pytest.mark.skipif(OLD, reason='torch before 2.6 exports no free sizes')
needs_fake_gpu = pytest.mark.skipif(OLD, reason='torch before 2.6 asks for a driver')
needs_new_torch = pytest.mark.skipif(OLD, reason='transformers 5 needs torch 2.6')
