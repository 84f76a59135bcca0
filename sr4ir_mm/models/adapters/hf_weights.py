"""Weights of files of transformers with the names of the classes of the installed release."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import nn

from ..loads import State
from .hf_files import transformers


class Read(NamedTuple):
    """What of a file fits a network: weights, also those that only the file has, and what is missing or differs."""

    found: State
    missing: list[str]
    #: shapes in the file, where they are others
    shapes: dict[str, tuple[int, ...]]


def read_state(net: nn.Module, state: State) -> Read:
    """Give the weights of a file the names that a network of transformers has.

    Args:
        net (nn.Module): Network of transformers.
        state (dict[str, Tensor]): Content of the file, with the names of any release.
    """
    with _quiet():
        loaded, info = type(net).from_pretrained(
            None, config=net.config, state_dict=dict(state), ignore_mismatched_sizes=True, output_loading_info=True
        )
    shapes = {key: tuple(theirs) for key, theirs, _ in info['mismatched_keys']}
    lost = {*info['missing_keys'], *shapes}
    found = {key: value for key, value in loaded.state_dict().items() if key not in lost}
    more = {key: state.get(key, torch.empty(0)) for key in info['unexpected_keys']}
    return Read(found | more, sorted(info['missing_keys']), shapes)


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out transformers' progress bar and report; what matters of it is logged here."""
    logging = transformers().utils.logging
    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()
