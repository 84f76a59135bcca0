"""The corpus of bad inputs: each ends in one message, and each unusual but right input works."""

import os
import subprocess
import sys

import pytest
from helpers.zoo import TOOLS

SCRIPT = TOOLS.parent / '.dev_scripts/bad_inputs/bad_inputs.py'


def run(*args: object) -> subprocess.CompletedProcess:
    """Run the corpus in a process of its own, because it forks before autograd has threads."""
    env = dict(os.environ, OMP_NUM_THREADS='1')
    command = [sys.executable, '-W', 'ignore', SCRIPT, *map(str, args)]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def counts(output: str) -> dict[str, tuple[int, int]]:
    """Return the numbers of cases that ended as they should, and of the others, for each kind of end."""
    rows = [line.strip('| \n').split('|') for line in output.splitlines() if line.startswith('|')]
    return {kind.strip(): (int(right), int(wrong)) for kind, right, wrong in rows[1:]}


FIVE = (
    'weights: test with a file of another net',
    'options: modle.scheme=S->T',
    'configs: a syntax error',
    'images: an empty file',
    'good: test the work dir seg',
)


@pytest.mark.slow
def test_five_cases():
    process = run('--only', *FIVE, '--jobs', 2)
    assert process.returncode == 0, process.stdout + process.stderr
    assert counts(process.stdout) == {'one message': (4, 0), 'exit 0, right': (1, 0), 'all': (5, 0)}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_all_cases():
    process = run()
    assert process.returncode == 0, process.stdout[process.stdout.find('<-----') :]
    found = counts(process.stdout)
    assert set(found) == {'one message', 'exit 0, right', 'exit 1, right', 'all'}
    assert found['one message'][0] > 700 and found['exit 0, right'][0] > 80
    assert found['exit 1, right'] == (5, 0)  # folders with a bad image, which go on
