"""Small helpers of several subpackages."""

from .images import to_uint8
from .padding import pad_to_multiple
from .wrappers import unwrap

__all__ = ['pad_to_multiple', 'to_uint8', 'unwrap']
