"""Whether a fused optimizer step works on every device.

The state of an optimizer says that it is fused. Before torch 2.4, a training with it could not be resumed on a CPU.
This can go when the lower bound of torch is 2.4.
"""

import torch
from mmengine.utils import digit_version

WORKS_ON_CPU = digit_version(torch.__version__) >= digit_version('2.4')
