"""Shared fixtures."""

import gc
import json
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

import sr4ir_mm  # noqa: F401  registers the scope and serves mmcv's ops

ROOT = Path(__file__).parent.parent

# small nets; several threads would mostly wait for each other
torch.set_num_threads(1)


def pytest_collection_finish() -> None:
    """Keep the imported packages out of garbage collections: MMEngine starts one for each data set that it builds."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope='session')
def _plain_configs():
    """Write configs without yapf's line breaks: MMEngine formats each one several times, for seconds in all."""
    with patch('mmengine.config.config.FormatCode', lambda text, **kwargs: (text, False)):
        yield


@pytest.fixture(autouse=True, scope='session')
def _no_pauses():
    """Do not wait: MMEngine sleeps for two seconds before each pass over the data but the first."""
    with patch('mmengine.runner.loops.time', SimpleNamespace(sleep=lambda seconds: None)):
        yield


@pytest.fixture
def fixture():
    """Load a numeric fixture: ``fixture('degrade')['even_x4_lr']``, or its JSON part ``fixture('x.json')``."""

    def load(name: str):
        path = ROOT / 'tests/fixtures' / name
        return json.loads(path.read_text()) if path.suffix == '.json' else np.load(path.with_suffix('.npz'))

    return load


@pytest.fixture(autouse=True)
def _clean_state():
    """Seed every test and forget the default scope that an earlier one may have set, and closed logs."""
    for logger in MMLogger._instance_dict.values():  # the server of the web page closes the log files of all loggers
        logger.handlers = [handler for handler in logger.handlers if getattr(handler, 'stream', handler)]
    torch.manual_seed(0)
    np.random.seed(0)
    DefaultScope._instance_dict.clear()
    yield
    DefaultScope._instance_dict.clear()
