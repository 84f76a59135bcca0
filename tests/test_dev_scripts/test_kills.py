"""Trainings that are killed and resumed equal straight ones; the script tries it more often."""

import os
import subprocess
import sys

import pytest
from helpers.zoo import TOOLS


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kills_and_half_writes():
    script = TOOLS.parent / '.dev_scripts/kills/kills.py'
    cases = ['accumulation', 'iterations, 2 workers']
    command = [sys.executable, '-W', 'ignore', script, '--kills', 4, '--writes', 4, '--only', *cases]
    env = dict(os.environ, OMP_NUM_THREADS='1')
    process = subprocess.run(list(map(str, command)), env=env, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout[-3000:] + process.stderr[-3000:]
    assert process.stdout.count(': equal') == 8
