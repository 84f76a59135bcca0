"""Where runs are made: in processes of this machine, or in jobs of Slurm by submitit."""

import difflib
import os
import queue
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from paper_table.work import TOOL_PROCESSES, TOOLS, Work

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.utils.locks import is_locked
from sr4ir_mm.utils.optional import import_optional

#: parameters of submitit that Slurm has under another name, and those that would make more than one process of a job
_SET_HERE = {
    'time': 'write timeout_min=MINUTES', 'nodes': 'a run has one node', 'tasks_per_node': 'use --gpus',
    'ntasks_per_node': 'use --gpus', 'job_name': 'it is the name of the run', 'name': 'it is the name of the run',
    'additional_parameters': 'they are set here', 'dependency': 'runs wait for those that they start from',
}  # fmt: skip
_GPUS = {'gpus_per_node', 'gpus_per_task', 'num_gpus', 'gres'}


class RefusedError(SR4IRError):
    """Slurm takes no job now."""


class LocalEngine:
    """Runs in processes of this machine.

    Each of several runs at once has its share of the cores, unless OMP_NUM_THREADS is set, and the next GPUs in turn.

    Args:
        most (int): Number of runs at once.
        gpus (int): GPUs for each run.
    """

    pause = 0.1

    def __init__(self, most: int = 1, gpus: int = 1) -> None:
        self.most, self.quiet = most, most > 1
        self._places: queue.Queue[dict[str, str]] = queue.Queue()
        for place in range(most):
            self._places.put(_share(place, most, gpus) if most > 1 else {})

    @contextmanager
    def running(self) -> Iterator[None]:
        """Take runs; at the end of the context, those that are not done are stopped."""
        with ThreadPoolExecutor(self.most) as self._pool, TOOL_PROCESSES.stopped_at_end():
            yield

    def submit(self, work: Work) -> Future:
        """Start the work on a run."""
        return self._pool.submit(self._do, replace(work, quiet=self.quiet))

    def place(self, job: Future) -> str:
        """Say where a run is made, if that is news."""
        return ''

    def has_begun(self, work: Work) -> bool:
        """Return whether work that has been submitted is more than planned."""
        return True

    def _do(self, work: Work) -> SR4IRError | None:
        place = self._places.get()
        try:
            return replace(work, env=place)()
        finally:
            self._places.put(place)


def _share(place: int, places: int, gpus: int) -> dict[str, str]:
    """Return the variables that give a process its part of the machine."""
    share = {'OMP_NUM_THREADS': os.environ.get('OMP_NUM_THREADS') or str(max(1, torch.get_num_threads() // places))}
    names = os.environ.get('CUDA_VISIBLE_DEVICES')
    devices = [str(i) for i in range(torch.cuda.device_count())] if names is None else names.split(',')
    if torch.cuda.is_available():
        mine = {devices[(place * gpus + i) % len(devices)]: None for i in range(gpus)}
        share['CUDA_VISIBLE_DEVICES'] = ','.join(mine)
    return share


class SlurmEngine:
    """Runs in jobs of Slurm, one each, by submitit. A job that Slurm takes off a machine goes on later.

    Args:
        parameters (Mapping): Parameters of the jobs, as submitit and sbatch name them; ``timeout_min`` is needed.
        folder (Path): Folder for the files and the output of the jobs.
        most (int, optional): Number of jobs at once; by default as many as there are runs.
        gpus (int): GPUs of each job, unless the parameters say something about GPUs.

    Raises:
        SR4IRError: If submitit or Slurm is missing, or a parameter is unknown.
    """

    pause = 2.0

    def __init__(self, parameters: Mapping[str, Any], folder: Path, most: int | None = None, gpus: int = 1) -> None:
        self.most = most or 10_000
        self._jobs: list[Any] = []
        submitit = _submitit()
        _check(parameters, submitit)
        if not (shutil.which('sbatch') and shutil.which('srun')):
            raise SR4IRError('sbatch and srun are missing: run this where Slurm is, or leave out --slurm.')
        self._executor = submitit.AutoExecutor(folder / '%j', cluster='slurm')
        given = {'gpus_per_node': gpus} if not _GPUS & parameters.keys() else {}
        lists = {key: [parameters[key]] for key in ('setup', 'teardown', 'srun_args') if key in parameters}
        setup = [*lists.pop('setup', []), f'export PYTHONPATH="{TOOLS}:$PYTHONPATH"']
        own = dict(lists, setup=setup, additional_parameters=dict(requeue=True))
        try:
            self._executor.update_parameters(**_named({**given, **parameters, **own}, submitit))
        except AssertionError as error:  # of the type
            raise SR4IRError(f'--slurm: {error}. Correct it.') from error

    @contextmanager
    def running(self) -> Iterator[None]:
        """Take runs; if this process is stopped, cancel the jobs that are not done."""
        try:
            yield
        finally:
            for job in self._jobs:
                if not job.done():
                    job.cancel(check=False)

    def submit(self, work: Work) -> Any:
        """Submit a job.

        Raises:
            RefusedError: If Slurm does not take it, e.g. because the user has as many jobs as are allowed.
        """
        from submitit.core.utils import FailedJobError

        self._executor.update_parameters(name=f'{work.run}'.replace(' ', '-'))
        try:
            job = self._executor.submit(replace(work, quiet=True, patience=120))
        except FailedJobError as error:  # with what sbatch has printed
            raise RefusedError('; '.join(str(error).split('\n')) or 'sbatch failed without a message.') from error
        self._jobs.append(job)
        return job

    def place(self, job: Any) -> str:
        """Say where a run is made."""
        return f'\nSlurm job {job.job_id}, output in {job.paths.folder}'

    def has_begun(self, work: Work) -> bool:
        """Return whether work that has been submitted is more than planned."""
        return is_locked(work.run.folder)


def _submitit() -> Any:
    return import_optional('submitit', "submitit is not installed: pip install 'sr4ir_mm[jobs]'")


def _check(parameters: Mapping[str, Any], submitit: Any) -> None:
    for name in parameters:
        if name in _SET_HERE:
            raise SR4IRError(f'--slurm {name}: {_SET_HERE[name]}.')
    known = _shared(submitit) | submitit.SlurmExecutor._valid_parameters() - _SET_HERE.keys()
    if unknown := [name for name in parameters if name not in known]:
        near = difflib.get_close_matches(unknown[0], known, 1)
        advice = f'Did you mean {near[0]}?' if near else f'Choose from {", ".join(sorted(known))}.'
        raise SR4IRError(f"--slurm: unknown parameter '{unknown[0]}'. {advice}")
    if 'timeout_min' not in parameters:
        raise SR4IRError('--slurm needs the time limit of a run: add timeout_min=MINUTES.')


def _named(parameters: Mapping[str, Any], submitit: Any) -> dict[str, Any]:
    """Return parameters with submitit's prefix for those that only Slurm has."""
    return {name if name in _shared(submitit) else f'slurm_{name}': value for name, value in parameters.items()}


def _shared(submitit: Any) -> set[str]:
    """Return the names of the parameters that submitit has for every kind of cluster."""
    return submitit.AutoExecutor._valid_parameters() - _SET_HERE.keys()
