"""Shared fixtures."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope

import sr4ir_mm  # noqa: F401  registers the scope and serves mmcv's ops

ROOT = Path(__file__).parent.parent

# small nets; several threads would mostly wait for each other
torch.set_num_threads(1)


@pytest.fixture
def fixture():
    """Load a numeric fixture: ``fixture('degrade')['even_x4_lr']``, or its JSON part ``fixture('x.json')``."""

    def load(name: str):
        path = ROOT / 'tests/fixtures' / name
        return json.loads(path.read_text()) if path.suffix == '.json' else np.load(path.with_suffix('.npz'))

    return load


@pytest.fixture(autouse=True)
def _clean_state():
    """Seed every test and forget the default scope that an earlier one may have set."""
    torch.manual_seed(0)
    np.random.seed(0)
    DefaultScope._instance_dict.clear()
    yield
    DefaultScope._instance_dict.clear()
