"""Files that try to run code, through the tools and interfaces that load files: none runs any."""

import os
import re
import subprocess
import sys

import pytest
from helpers.zoo import TOOLS

SCRIPT = TOOLS.parent / '.dev_scripts/hostile_files/hostile_files.py'


def run(*args: object) -> str:
    """Run the script in a process of its own, since it forks, and return its output without the list of cases."""
    command = [sys.executable, '-W', 'ignore', SCRIPT, *map(str, args)]
    env = dict(os.environ, OMP_NUM_THREADS='1')
    process = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


FEW = (
    'control: zip.pth',
    'test: legacy.pth',
    'test alone, URL: zip.pth',
    'train, --resume: cfg_type.pth',
    'train, load_from: config.pth',
    'mix, --pretrained, torchvision in the cache: script_with_pickle.pth',
    'MMSegInferencer: cfg_call.pth',
    'infer: a hash that differs',
    'YAML, train: apply',
    'proposals: results.pkl',
)


@pytest.mark.slow
def test_one_of_each_kind():
    output = run('--only', *FEW, '--jobs', 2)
    assert f'executed: 0 of {len(FEW) - 1}' in output and '  control        control: zip.pth\n' in output


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_all_files_at_all_entry_points():
    executed = re.search(r'executed: (\d+) of (\d+)', run())
    assert executed[1] == '0' and int(executed[2]) > 1000
