"""Small helpers of several subpackages."""

from .files import new_file, write_checkpoint, write_file
from .images import decode_image, to_8_bits, to_uint8, write_image
from .names import output_names
from .padding import pad_to_multiple
from .ranges import check_limits, check_number, check_positive
from .wrappers import leave_wrappers_out, unwrap

__all__ = [
    'check_limits', 'check_number', 'check_positive', 'decode_image', 'leave_wrappers_out', 'new_file', 'output_names',
    'pad_to_multiple', 'to_8_bits', 'to_uint8', 'unwrap', 'write_checkpoint', 'write_file', 'write_image',
]  # fmt: skip
