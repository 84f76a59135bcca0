"""Shared fixtures."""

import copy
import functools
import gc
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import mmengine
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

import sr4ir_mm  # noqa: F401  registers the scope and serves mmcv's ops

ROOT = Path(__file__).parent.parent

# small nets; several threads would mostly wait for each other
torch.set_num_threads(1)
gc.disable()  # while packages are imported


def pytest_collection_finish() -> None:
    """Keep the imported packages out of garbage collections."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)  # before its fixtures
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that would begin after the time, in seconds since 1970, that `.ci/run` gives."""
    if time.time() > float(os.environ.get('TESTS_BEGIN_UNTIL', 'inf')):
        pytest.skip('no time left')


@pytest.fixture(autouse=True, scope='session')
def _few_garbage_collections():
    """Leave them to Python: MMEngine starts one for each data set that it builds."""
    with patch('mmengine.dataset.base_dataset.gc', SimpleNamespace(collect=lambda: None)):
        yield


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


@pytest.fixture(autouse=True, scope='session')
def _packages_are_read_once():
    """Keep what MMEngine reads from packages that do not change: which are there, and their lists of configs."""
    is_installed = functools.cache(mmengine.utils.is_installed)
    with (
        patch('mmengine.config.config.is_installed', is_installed),
        patch('mmengine.utils.package_utils.is_installed', is_installed),
        patch('mmengine.config.utils.load', functools.cache(mmengine.load)),
        patch.object(Config, '_file2dict', _keep_shipped(Config._file2dict)),
    ):
        yield


def _keep_shipped(read: Callable) -> Callable:
    """Read the configs of the zoos and of this package once."""
    kept = {}
    folders = *(str(ROOT / name) for name in ('configs', 'sr4ir_mm')), str(Path(mmengine.__path__[0]).parent)

    def wrapper(filename: str, *args, **kwargs) -> tuple[dict, str, dict]:
        if not str(filename).startswith(folders):
            return read(filename, *args, **kwargs)
        key = filename, args, *kwargs.items()
        if key not in kept:
            kept[key] = read(filename, *args, **kwargs)
        return copy.deepcopy(kept[key])

    return wrapper


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
