"""Small helpers of several subpackages."""

from .files import new_file, short_path, write_checkpoint, write_file
from .images import decode_image, to_8_bits, to_uint8, write_image
from .names import output_names
from .padding import pad_to_multiple
from .precision import full_precision, is_mixed, mixed_precision
from .ranges import check_limits, check_number, check_positive
from .wrappers import leave_wrappers_out, parts_by_name, unwrap

__all__ = [
    'check_limits', 'check_number', 'check_positive', 'decode_image', 'full_precision', 'is_mixed',
    'leave_wrappers_out', 'mixed_precision', 'new_file', 'output_names', 'pad_to_multiple', 'parts_by_name',
    'short_path', 'to_8_bits', 'to_uint8', 'unwrap', 'write_checkpoint', 'write_file', 'write_image',
]  # fmt: skip
