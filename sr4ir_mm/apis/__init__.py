"""What the command-line tools and other Python code share."""

from .config import check_data, check_weights, enable_amp, find_checkpoint, load_config, parse_and_load

__all__ = ['check_data', 'check_weights', 'enable_amp', 'find_checkpoint', 'load_config', 'parse_and_load']
