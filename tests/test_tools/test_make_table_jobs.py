"""tools/make_table.py with several runs at once: on this machine, and in jobs of Slurm."""

import fcntl
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from helpers.slurm import make_slurm
from helpers.zoo import TOOLS, make_voc
from mmengine.config import Config

sys.path.insert(0, str(TOOLS))
import make_table
import paper_table.plot
from paper_table import engines, execution, work
from paper_table.engines import LocalEngine, SlurmEngine
from paper_table.execution import Execution
from paper_table.plan import Plan
from paper_table.runs import Run
from paper_table.work import LOG, Work

from sr4ir_mm.config import last_checkpoint
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.utils.locks import LockedError, is_locked, locked

CONFIG = """
model = dict(scheme='SR4IR', scale=4, task=dict(), sr=dict())
train_cfg = dict(max_epochs=9)
default_hooks = dict(checkpoint=dict(save_best='mIoU'))
"""
DEMO = TOOLS.parent / 'configs/demo/fcn-tiny_edsr-tiny_x4_demo.py'
COMMAND = [sys.executable, '-W', 'ignore', str(TOOLS / 'make_table.py')]
OPTIONS = ['data_root=voc', 'train_cfg.max_epochs=2', 'train_dataloader.batch_size=1']


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Path:
    """A folder to work in, with a config of SR4IR."""
    (tmp_path / 'net_s_x4_toy.py').write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(LocalEngine, 'pause', 0.001)
    monkeypatch.setattr(paper_table.plot, 'plot', lambda blocks, path: None)
    monkeypatch.setattr(execution, 'POLL', 0.01)
    return tmp_path


class FakeWork:
    """Stand-in for the work on a run, which notes when it begins and ends, and with which variables."""

    def __init__(self, monkeypatch) -> None:
        self.events: list[tuple[str, str]] = []
        self.env: dict[str, dict] = {}
        self.broken: set[str] = set()
        self.together = threading.Barrier(2, timeout=10)
        self.is_shown = threading.Event()  # that they are at work
        monkeypatch.setattr(Work, '_make', lambda task: self.make(task))
        wait = Execution._wait
        monkeypatch.setattr(Execution, '_wait', lambda runs: (self.is_shown.set(), wait(runs)))

    def make(self, task: Work) -> None:
        """Work on a run; the first two meet."""
        name = task.run.folder.parent.name
        with locked(task.run.folder):
            self.events.append(('begin', name))
            self.env[name] = dict(task.env)
            if len(self.env) <= 2:
                self.together.wait()
                self.is_shown.wait(10)
            if name in self.broken:
                raise SR4IRError('It is broken.')
            task.run.store({'mIoU': 50.0})
            self.events.append(('end', name))


def run(*args: object) -> int:
    """Run the tool in this process; returns the exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', ['make_table.py', *map(str, args)])
        return make_table.main()


# ---- at once


def test_runs_at_once_and_those_that_need_others(toy, monkeypatch, capsys):
    fake = FakeWork(monkeypatch)
    fake.broken = {'net_x4_toy_l2t'}
    assert run('net_s_x4_toy.py', '--work-dir', 'w', '--jobs', 2) == 1
    order = [event for event in fake.events if 'net_toy_h2t' in event or 'net_s_x4_toy_t2s' in event]
    assert order == [
        ('begin', 'net_toy_h2t'), ('end', 'net_toy_h2t'), ('begin', 'net_s_x4_toy_t2s'), ('end', 'net_s_x4_toy_t2s'),
    ]  # fmt: skip
    output = capsys.readouterr()
    assert '===== 0 of 7 runs done, 2 running\n' in output.out
    assert '===== 6 of 7 runs done, 1 failed' in output.out
    assert 'net_x4_toy_l2t seed 0 failed: It is broken.' in output.err and output.err.count(' failed: ') == 1
    assert '| SR4IR  |    50.00 |' in Path('w/table.md').read_text()


def test_an_error_of_the_program_ends_no_other_run(toy, monkeypatch, capsys):
    fake = FakeWork(monkeypatch)
    make = fake.make
    fake.make = lambda task: 1 / 0 if 'l2t' in str(task.run) else make(task)
    fake.together = threading.Barrier(1)
    assert run('net_s_x4_toy.py', '--work-dir', 'w', '--jobs', 2) == 1
    assert 'l2t seed 0 failed: division by zero' in capsys.readouterr().err
    assert len([event for event in fake.events if event[0] == 'end']) == 6


def test_each_run_has_its_share_of_the_machine(toy, monkeypatch):
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 8)
    fake = FakeWork(monkeypatch)
    assert run('net_s_x4_toy.py', '--work-dir', 'w', '--jobs', 2) == 0
    assert list(fake.env.values()) == [{'OMP_NUM_THREADS': '4'}] * 7
    assert run('net_s_x4_toy.py', '--work-dir', 'w1', '--schemes', 'H->T') == 0 and fake.env['net_toy_h2t'] == {}
    monkeypatch.setenv('OMP_NUM_THREADS', '3')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 4)
    shares = [engines._share(place, 3, 2) for place in range(3)]
    assert shares[0]['OMP_NUM_THREADS'] == '3'
    assert [share['CUDA_VISIBLE_DEVICES'] for share in shares] == ['0,1', '2,3', '0,1']
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '5,7')
    assert [engines._share(place, 2, 1)['CUDA_VISIBLE_DEVICES'] for place in range(2)] == ['5', '7']


def test_two_commands_on_one_work_dir_share_the_runs(toy, monkeypatch, capsys):
    """A run at which the other one works is left to it, and taken over if that one is stopped."""
    fake = FakeWork(monkeypatch)
    fake.together = threading.Barrier(1)
    Path('w/net_toy_h2t/seed0').mkdir(parents=True)
    wait = execution.Execution._wait
    with open('w/net_toy_h2t/seed0/.lock', 'w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert run('net_s_x4_toy.py', '--work-dir', 'w', '--dry-run') == 0
        assert capsys.readouterr().out.splitlines()[0].split() == ['1', 'running', 'net_toy_h2t', 'seed', '0']

        def stop_the_other_one(self: execution.Execution) -> None:
            if not self.at_work:
                fcntl.flock(file, fcntl.LOCK_UN)
            wait(self)

        monkeypatch.setattr(execution.Execution, '_wait', stop_the_other_one)
        assert run('net_s_x4_toy.py', '--work-dir', 'w', '--jobs', 2) == 0
    ends = [name for event, name in fake.events if event == 'end']
    assert len(ends) == len(set(ends)) == 7 and ends[-2:] == ['net_toy_h2t', 'net_s_x4_toy_t2s']


def test_a_run_that_another_process_takes_first_is_no_failure(toy, monkeypatch, capsys):
    fake = FakeWork(monkeypatch)
    fake.together = threading.Barrier(1)
    make, tries = fake.make, []

    def locked_at_first(task: Work) -> None:
        tries.append(task)
        if len(tries) == 1:
            raise LockedError('Another process is at work.')
        make(task)

    fake.make = locked_at_first
    assert run('net_s_x4_toy.py', '--work-dir', 'w', '--schemes', 'L->T', '--jobs', 2) == 0
    assert len(tries) == 2 and 'failed' not in capsys.readouterr().err


def test_the_report_of_a_table_runs_nothing(toy, monkeypatch):
    fake = FakeWork(monkeypatch)
    fake.together = threading.Barrier(1)
    assert run('net_s_x4_toy.py', '--work-dir', 'w', '--schemes', 'L->T') == 0
    Path('w/table.md').unlink()
    fake.events.clear()
    assert run('net_s_x4_toy.py', '--work-dir', 'w', '--report') == 0 and not fake.events
    text = Path('w/table.md').read_text()
    assert '| L->T   |    50.00 |' in text and '| SR4IR  |        - |' in text


def test_mistakes(toy, capsys):
    for args in (['--jobs', '0'], ['--jobs', 'x'], ['--report', '--dry-run'], ['--slurm'], ['--slurm', 'x']):
        with pytest.raises(SystemExit):
            run('net_s_x4_toy.py', *args)
    for args in (['--jobs', 2], ['--slurm', 'timeout_min=9']):
        with pytest.raises(SR4IRError, match='--report runs nothing: leave out --jobs and --slurm'):
            run('net_s_x4_toy.py', '--report', *args)


def test_the_last_message_of_a_tool_is_shown(tmp_path, monkeypatch):
    """The tool's whole output is in the file."""
    with open(tmp_path / LOG, 'wb') as output, work.TOOL_PROCESSES.stopped_at_end():
        code = 'print("first"); import sys; print("error: no data", file=sys.stderr); sys.exit(3)'
        monkeypatch.setattr(work, 'TOOLS', tmp_path)
        (tmp_path / 'train.py').write_text(code)
        with pytest.raises(SR4IRError, match=r"train.py ended with exit code 3, see '.*output.log': error: no data\."):
            work.call('train.py', 1, output.fileno(), output=output)
    assert 'first' in (tmp_path / LOG).read_text()


# ---- Slurm


def test_parameters_of_slurm(tmp_path, monkeypatch):
    pytest.importorskip('submitit')
    monkeypatch.setenv('PATH', str(tmp_path))
    for parameters, message in {
        'partition=gpu': r'needs the time limit of a run: add timeout_min=MINUTES',
        'timeout_min=5 partion=gpu': r"unknown parameter 'partion'\. Did you mean partition\?",
        'timeout_min=5 qwertz=1': r"unknown parameter 'qwertz'\. Choose from account, ",
        'time=5': '--slurm time: write timeout_min=MINUTES',
        'timeout_min=5 nodes=2': '--slurm nodes: a run has one node',
        'timeout_min=5': 'sbatch and srun are missing',
    }.items():
        given = dict(pair.split('=') for pair in parameters.split())
        with pytest.raises(SR4IRError, match=message):
            SlurmEngine(given, tmp_path / 'jobs')
    make_slurm(tmp_path / 'bin')
    monkeypatch.setenv('PATH', f'{tmp_path}/bin:/bin:/usr/bin')
    with pytest.raises(SR4IRError, match='"timeout_min" expected type'):
        SlurmEngine(dict(timeout_min='long'), tmp_path / 'jobs')
    engine = SlurmEngine(dict(timeout_min=5, partition='gpu', setup='module load x'), tmp_path / 'jobs', gpus=2)
    text = engine._executor._executor._make_submission_file_text('python', 'id')
    for line in ('#SBATCH --gpus-per-node=2', '#SBATCH --partition=gpu', '#SBATCH --time=5', '#SBATCH --requeue'):
        assert line in text.splitlines()
    assert 'module load x\nexport PYTHONPATH=' in text
    arguments = ['x', '--slurm', 'timeout_min=5', 'gres=gpu:a100:1,shard:1', 'srun_args=--exact', 'mem_gb=1.5']
    monkeypatch.setattr(sys, 'argv', ['make_table.py', *arguments])
    other = SlurmEngine(make_table.parse_args().slurm, tmp_path / 'jobs')
    text = other._executor._executor._make_submission_file_text('python', 'id')
    assert 'gpus-per-node' not in text and '#SBATCH --gres=gpu:a100:1,shard:1\n' in text
    assert ' --exact ' in text and '#SBATCH --mem=1536MB\n' in text


def test_ctrl_c_cancels_the_jobs_that_are_not_done(tmp_path, monkeypatch):
    pytest.importorskip('submitit')
    make_slurm(tmp_path / 'bin')
    monkeypatch.setenv('PATH', f'{tmp_path}/bin:/bin:/usr/bin')
    engine = SlurmEngine(dict(timeout_min=5), tmp_path / 'jobs')
    engine._jobs = [Mock(**{'done.return_value': done}) for done in (True, False)]
    with pytest.raises(KeyboardInterrupt), engine.running():
        raise KeyboardInterrupt
    assert [job.cancel.called for job in engine._jobs] == [False, True]


@pytest.mark.parametrize(
    ('code', 'preempted'), [(-signal.SIGUSR2, True), (-signal.SIGTERM, True), (-signal.SIGKILL, False), (1, False)]
)
def test_a_tool_that_slurm_ends_is_no_failure_at_once(code, preempted, tmp_path, monkeypatch):
    """Slurm signals all processes of a job; the one that puts it into the queue again may be the last to notice."""
    pauses = []
    monkeypatch.setattr(work.TOOL_PROCESSES, 'run', lambda command, **kwargs: code)
    monkeypatch.setattr(time, 'sleep', pauses.append)
    task = Work(Run(Path('c.py'), None, 0, tmp_path / 'net/seed0', cfg=Config(dict(model=dict(sr={})))), patience=120)
    assert f'train.py ended with exit code {int(code)}' in str(task())
    assert pauses == [120] * preempted


def test_a_signal_that_ends_several_processes_of_a_run_is_no_failure_at_once(tmp_path, monkeypatch):
    """torch.distributed.run, which starts them, ends with exit code 1."""
    pauses, handled = [], []
    monkeypatch.setattr(time, 'sleep', pauses.append)
    task = Work(Run(Path('c.py'), None, 0, tmp_path / 'net/seed0', cfg=Config(dict(model=dict(sr={})))), patience=120)

    def run(command: list[str], **kwargs: object) -> int:
        signal.raise_signal(signal.SIGTERM)
        return 1

    before = signal.signal(signal.SIGTERM, lambda number, frame: handled.append(number))  # as submitit's
    try:
        monkeypatch.setattr(work.TOOL_PROCESSES, 'run', run)
        assert 'train.py ended with exit code 1' in str(task())
        assert pauses == [120] and handled == [signal.SIGTERM]
        monkeypatch.setattr(work.TOOL_PROCESSES, 'run', lambda command, **kwargs: 1)
        assert 'train.py ended with exit code 1' in str(task())
        assert pauses == [120]
        signal.raise_signal(signal.SIGTERM)
        assert len(handled) == 2
    finally:
        signal.signal(signal.SIGTERM, before)


class RefusingExecutor:
    """Stand-in for submitit's executor: the jobs of some runs are refused, others are done at once."""

    def __init__(self, refused: dict[str, int]) -> None:
        self.refused, self.taken = refused, []

    def update_parameters(self, name: str) -> None:
        """Take the name of the next job."""
        self.name = name

    def submit(self, task: Work) -> Mock:
        """Submit a job. It ends when the others have been refused as often as they are."""
        from submitit.core.utils import FailedJobError

        if self.refused.get(self.name, 0) > 0:
            self.refused[self.name] -= 1
            raise FailedJobError('sbatch: error: QOSMaxSubmitJobPerUserLimit')
        self.taken.append(self.name)
        task.run.folder.mkdir(parents=True, exist_ok=True)

        def done() -> bool:
            if any(0 < count < 99 for count in self.refused.values()):
                return False
            task.run.store({'mIoU': 50.0})
            return True

        return Mock(done=done, job_id=7, **{'exception.return_value': None, 'result.return_value': None})


@pytest.mark.parametrize('at_once', [None, 1])
def test_jobs_that_slurm_refuses(toy, monkeypatch, capsys, at_once):
    """They are submitted later, while others are at work; without those, they have failed."""
    pytest.importorskip('submitit')
    make_slurm(toy / 'bin')
    monkeypatch.setenv('PATH', f'{toy}/bin:/bin:/usr/bin')
    executor = RefusingExecutor({'net_x4_toy_l2t-seed-0': 2 if at_once is None else 1000})
    monkeypatch.setattr(SlurmEngine, 'pause', 0.001)
    monkeypatch.setattr(SlurmEngine, '__init__', lambda self, *_: vars(self).update(
        most=at_once or 9, _jobs=[], _executor=executor,
    ))  # fmt: skip
    code = run('net_s_x4_toy.py', '--work-dir', 'w', '--slurm', 'timeout_min=5', '--schemes', 'H->T', 'L->T', 'T->S')
    output = capsys.readouterr()
    if at_once is None:
        assert code == 0 and len(executor.taken) == 3
        assert output.err.count('===== Refused for now: sbatch: error: QOSMaxSubmitJobPerUserLimit') == 1
        assert output.out.count('net_x4_toy_l2t seed 0 (new)') == 1
    else:
        assert code == 1 and len(executor.taken) == 2
        assert 'net_x4_toy_l2t seed 0 failed: sbatch: error: QOSMaxSubmitJobPerUserLimit' in output.err


def test_runs_that_will_not_run_take_no_time(toy, monkeypatch, capsys):
    """Neither failed ones nor those that need them."""
    fake = FakeWork(monkeypatch)
    fake.together, fake.broken = threading.Barrier(1), {'net_toy_h2t'}
    store = Run.store
    monkeypatch.setattr(Run, 'store', lambda self, metrics: store(self, metrics, seconds=3600))
    assert run('net_s_x4_toy.py', '--work-dir', 'w', '--schemes', 'L->T', 'H->T', 'T->S', 'SR4IR') == 1
    left = [line for line in capsys.readouterr().out.splitlines() if line.startswith('===== ') and ' done' in line]
    assert left[-1] == '===== 2 of 4 runs done, 2 failed'


def test_without_submitit(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'submitit', None)
    with pytest.raises(SR4IRError, match=r"submitit is not installed: pip install 'sr4ir_mm\[jobs\]'"):
        SlurmEngine(dict(timeout_min=5), tmp_path)


def test_work_travels_to_other_machines():
    """The runs of real configs, with the runs that they need."""
    plan = Plan(Path('w'))
    for scheme in ('SR4IR', 'T->S'):
        done = Work(plan.add(TOOLS.parent / 'configs/sr4ir/deeplabv3_edsr_x4_voc.py', scheme), per_image=True)
        back = pickle.loads(pickle.dumps(done))
        assert back.run.entries == done.run.entries and back.run.cfg_options() == done.run.cfg_options()
        assert isinstance(next(iter(back.run.needs.values()), back.run), Run)


# ---- all of it


def make_study(folder: Path, cells: str) -> None:
    """Write the data of the demo and a study of it."""
    root = make_voc(folder / 'voc', [(64, 64)] * 4)
    for split, names in (('train', '0 1 2'), ('val', '3')):
        (root / f'ImageSets/Segmentation/{split}.txt').write_text('\n'.join(names.split()))
    (folder / 'net_s_x4_toy.py').write_text(f'_base_ = {str(DEMO)!r}')
    (folder / 'mine.py').write_text(f'options = {OPTIONS!r}\ncells = [{cells}]')


def wait_for(condition, process: subprocess.Popen) -> None:
    while not condition():
        assert process.poll() is None
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_study_of_six_runs_with_a_failure_and_ctrl_c(tmp_path):
    """Real trainings, two at once. After Ctrl-C nothing is left at work, and the same command goes on."""
    make_study(
        tmp_path,
        "dict(config='net_s_x4_toy.py', schemes=['H->T', 'L->T', 'T->S', 'SR4IR']), dict(config='net_s_x4_toy.py', "
        "schemes=['H->T', 'T->S'], label='broken', options=['optim_wrapper.task.optimizer.type=NoSuch'], block='b')",
    )
    kwargs = dict(cwd=tmp_path, env=dict(os.environ, OMP_NUM_THREADS='1'), text=True)
    command = [*COMMAND, 'mine.py', '--jobs', '2']
    folders = [tmp_path / f'work_dirs/mine/plain/net_{name}/seed0' for name in ('toy_h2t', 'x4_toy_l2t')]
    with open(tmp_path / 'first.log', 'w') as log:
        first = subprocess.Popen(command, stdout=log, stderr=log, **kwargs)
        wait_for(lambda: all(map(is_locked, folders)) and last_checkpoint(folders[0]), first)
        first.send_signal(signal.SIGINT)  # to this process alone, not from a terminal to all
        assert first.wait(60) == 130
    assert 'Stopped. The same command goes on.' in (tmp_path / 'first.log').read_text()
    assert not any(map(is_locked, folders))

    second = subprocess.run(command, capture_output=True, check=False, **kwargs)
    assert second.returncode == 1
    assert '===== 0 of 6 runs done, 2 running' in second.stdout and ' 2 failed' in second.stdout
    assert "failed: train.py ended with exit code 2, see 'work_dirs/mine/broken/" in second.stderr
    assert "output.log': error: optim_wrapper.task.optimizer: the type 'NoSuch' is unknown" in second.stderr
    assert 'net_s_x4_toy_t2s seed 0 failed: It needs net_toy_h2t seed 0, which failed.' in second.stderr
    assert 'Epoch(train)' not in second.stdout and 'resumed epoch: ' in (folders[0] / LOG).read_text()
    numbers = json.loads((tmp_path / 'work_dirs/mine/study.json').read_text())
    assert numbers['runs_left'] == 2 and [len(row['values']) for row in numbers['blocks'][0]['rows']] == [1] * 4


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_slurm(tmp_path):
    """A job that is taken off its machine goes on from its checkpoint; a failed one ends no other."""
    pytest.importorskip('submitit')
    jobs = make_slurm(tmp_path / 'bin')
    make_study(
        tmp_path,
        "dict(config='net_s_x4_toy.py', schemes=['H->T', 'T->S']), dict(config='net_s_x4_toy.py', "
        "schemes=['H->T'], label='broken', options=['optim_wrapper.task.optimizer.type=NoSuch'], block='b')",
    )
    env = dict(os.environ, OMP_NUM_THREADS='1', PATH=f'{tmp_path}/bin:{os.environ["PATH"]}')
    command = [*COMMAND, 'mine.py', '--slurm', 'timeout_min=60', 'partition=gpu']
    folder = tmp_path / 'work_dirs/mine/plain/net_toy_h2t/seed0'
    with open(tmp_path / 'table.log', 'w') as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path, env=env)
        wait_for(lambda: last_checkpoint(folder), process)
        # as Slurm does, to all processes of the job
        os.killpg(int((jobs / '1000.pid').read_text()), signal.SIGUSR2)
        assert process.wait() == 1
    output = (tmp_path / 'table.log').read_text()
    assert f'Slurm job 1000, output in {tmp_path}/work_dirs/mine/slurm_jobs/1000' in output
    assert 'failed: train.py ended with exit code 2' in output and output.count(' failed: ') == 1
    assert "the type 'NoSuch' is unknown" in output and '2 of 3 runs done, 1 failed' in output
    assert 'resumed epoch: ' in (folder / LOG).read_text()
    assert (jobs / '1000.state').read_text() == 'COMPLETED\n'
    assert len(list(jobs.glob('*.sh'))) == 3
