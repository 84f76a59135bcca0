"""dist_train.sh and dist_test.sh on a machine without a GPU: resumed, killed, compared with one process."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from helpers.zoo import TOOLS, make_voc, tiny_config

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(torch.cuda.is_available(), reason='the two processes would use GPUs'),
]


def start(folder: Path, script: str, *args: object, **variables: str) -> subprocess.Popen:
    """Start a script; its output is in ``log.txt``."""
    path = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'
    env = dict(os.environ, PYTHONPATH=str(TOOLS.parent), OMP_NUM_THREADS='1', PATH=path, PORT='29637', **variables)
    with (folder / 'log.txt').open('w') as log:
        command = ['bash', TOOLS / script, 'tiny.py', *map(str, args)]
        return subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True)


def run(folder: Path, script: str, *args: object) -> None:
    assert start(folder, script, *args).wait(250) == 0, (folder / 'log.txt').read_text()[-3000:]


@pytest.fixture(scope='module')
def folder(tmp_path_factory) -> Path:
    """A training of six epochs in two processes, with five images, which two do not divide."""
    folder = tmp_path_factory.mktemp('ranks')
    make_voc(folder / 'voc', ((64, 64),) * 4 + ((48, 80),))
    tiny_config(
        folder,
        train_dataloader=dict(drop_last=True),  # BatchNorm of one image
        default_hooks=dict(checkpoint=dict(interval=1, max_keep_ckpts=-1)),
    )
    run(folder, 'dist_train.sh', 2, '--work-dir', 'straight')
    return folder


def load(path: Path) -> dict:
    return torch.load(path, map_location='cpu', weights_only=False)


def test_resumed(folder):
    """On two machines, it ends with the weights of the straight run, whose processes had BatchNorm of their own."""
    (folder / 'resumed').mkdir()
    (folder / 'resumed/epoch_3.pth').write_bytes((folder / 'straight/epoch_3.pth').read_bytes())
    nodes = [
        start(folder, 'dist_train.sh', 1, '--work-dir', 'resumed', '--resume', NNODES='2', NODE_RANK=str(rank))
        for rank in range(2)
    ]
    assert [node.wait(250) for node in nodes] == [0, 0], (folder / 'log.txt').read_text()[-3000:]
    ours, theirs = (load(folder / name / 'epoch_6.pth') for name in ('resumed', 'straight'))
    assert not any('.module.' in key for key in theirs['state_dict'])
    assert ours['state_dict'].keys() == theirs['state_dict'].keys()
    assert all(torch.equal(ours['state_dict'][key], value) for key, value in theirs['state_dict'].items())


def test_a_test_is_that_of_one_process(folder):
    """Metrics, predictions and panels, with a number of images that two do not divide."""
    weights = folder / 'straight/epoch_6.pth'
    results = {}
    for name in ('two', 'one'):
        args = ['--work-dir', name, '--out', f'{name}.pkl', '--show-dir', f'{name}_panels']
        if name == 'two':
            run(folder, 'dist_test.sh', weights, 2, *args)
        else:
            command = [sys.executable, '-W', 'ignore', TOOLS / 'test.py', 'tiny.py', weights, *args]
            subprocess.run(list(map(str, command)), cwd=folder, check=True, capture_output=True)
        (metrics,) = (folder / name).glob('*/*.json')
        found = json.loads(metrics.read_text()).items()
        metrics = {key: value for key, value in found if 'time' not in key and key != 'tested'}
        predictions = pickle.loads((folder / f'{name}.pkl').read_bytes())
        panels = {path.name: path.read_bytes() for path in (folder / f'{name}_panels').rglob('*.png')}
        results[name] = metrics, predictions, panels
    (metrics, predictions, panels), (one_metrics, one_predictions, one_panels) = results['two'], results['one']
    assert metrics == pytest.approx(one_metrics, rel=1e-5) and len(metrics) > 4
    assert len(predictions) == len(one_predictions) == 5 and panels == one_panels and len(panels) == 5
    for ours, theirs in zip(predictions, one_predictions):
        assert ours['img_path'] == theirs['img_path']
        assert torch.equal(ours['pred_sem_seg']['data'], theirs['pred_sem_seg']['data'])


def test_a_process_that_is_killed_ends_the_others(folder):
    process = start(folder, 'dist_train.sh', 2, '--work-dir', 'killed')
    deadline = time.time() + 200
    while not (folder / 'killed/epoch_1.pth').exists() and time.time() < deadline:
        time.sleep(0.2)
    children = subprocess.run(['pgrep', '-f', 'tools/train.py.*--work-dir killed'], capture_output=True, text=True)
    ranks = [int(pid) for pid in children.stdout.split() if _variable(int(pid), 'RANK') == '1']
    os.kill(ranks[0], signal.SIGKILL)
    assert process.wait(60) != 0
    assert 'Signal 9 (SIGKILL)' in (folder / 'log.txt').read_text()
    for path in (folder / 'killed').glob('epoch_*.pth'):
        assert load(path)['state_dict']
    assert subprocess.run(['pgrep', '-f', 'tools/train.py.*--work-dir killed'], capture_output=True).returncode == 1


def _variable(pid: int, name: str) -> str | None:
    """Return the value of an environment variable of a process."""
    entries = Path(f'/proc/{pid}/environ').read_bytes().decode().split('\0')
    return dict(entry.split('=', 1) for entry in entries if '=' in entry).get(name)
