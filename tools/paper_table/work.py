"""What is done for one run: its training and its test, by the ordinary tools in processes of their own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

from paper_table.runs import Run

from sr4ir_mm.analysis.benchmark.environment import environment
from sr4ir_mm.config import last_checkpoint, read_metrics
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.utils.locks import locked

TOOLS = Path(__file__).resolve().parents[1]
#: what the tools print, in the folder of the run
LOG = 'output.log'
#: with these, Slurm ends a job that it takes off a machine
_PREEMPTION = {-signal.SIGTERM, -signal.SIGUSR2}


class InterruptedToolError(SR4IRError):
    """A tool was ended from outside."""


@dataclass(frozen=True)
class Work:
    """The work on one run. What it returns and raises is the same in a thread and in a job of Slurm.

    Args:
        run (Run): Run to train and test.
        per_image (bool): Whether to keep the results of each image.
        quiet (bool): Whether the tools print into ``output.log`` instead of the screen.
        env (Mapping[str, str]): Variables for the tools, in addition to those of this process.
        patience (float): Seconds to stay after a tool was ended from outside. Slurm signals all processes of a job,
            and this one, which puts the job into the queue again, may be the last to notice.
    """

    run: Run
    per_image: bool = False
    quiet: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    patience: float = 0

    def __call__(self) -> SR4IRError | None:
        """Make the run, and return what went wrong."""
        with _noted_signals() if self.patience else nullcontext() as received:
            try:
                self._make()
            except SR4IRError as error:
                # torch.distributed.run ends with exit code 1 after a signal
                if received or isinstance(error, InterruptedToolError):
                    time.sleep(self.patience)
                return error
        return None

    def checkpoint(self) -> Any:
        """Return what submitit does when a job that Slurm has taken off a machine starts again: the same."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def _make(self) -> None:
        """Train, from the last checkpoint if there is one, and test the last epoch; store how it was made."""
        run = self.run
        with locked(run.folder) as lock, ExitStack() as stack:
            if (status := run.status()) == 'done':  # another process has just made it
                return
            output = stack.enter_context(open(run.folder / LOG, 'ab')) if self.quiet else None
            kwargs = dict(env=self.env, output=output)
            run.store()
            start = time.monotonic()
            options = ['--cfg-options', *run.cfg_options()]
            config, test_dir = run.config_args(), run.folder / 'test'
            train_args = ['--work-dir', run.folder, *run.train_args, '--resume', *options]
            call('train.py', run.gpus, lock, *config, *train_args, **kwargs)
            images = ['--per-image', run.image_file] if self.per_image else []
            test_args = [last_checkpoint(run.folder), '--work-dir', test_dir, *images, *options]
            call('test.py', run.gpus, lock, *config, *test_args, **kwargs)
            if (metrics := read_metrics(test_dir)) is None:
                raise SR4IRError(f"tools/test.py left no metrics in '{test_dir}': see its output.")
            seconds = round(time.monotonic() - start) if status == 'new' else None
            run.store(metrics, seconds=seconds, **environment())


@contextmanager
def _noted_signals() -> Iterator[list[int]]:
    """Give a list to which the signals of Slurm that this process receives are added, before they are handled."""
    received, handlers = [], {-code: signal.getsignal(-code) for code in _PREEMPTION}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        handlers[number](number, frame)

    for number in handlers:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def call(
    tool: str, gpus: int, lock: int, *args: object, env: Mapping[str, str] | None = None, output: BinaryIO | None = None
) -> None:
    """Run one of the tools, its output on the screen or in a file."""
    launch, launcher = [sys.executable, '-W', 'ignore'], []
    if gpus > 1:
        launch += ['-m', 'torch.distributed.run', '--standalone', f'--nproc_per_node={gpus}']
        launcher = ['--launcher', 'pytorch']
    command = [str(arg) for arg in [*launch, TOOLS / tool, *args, *launcher]]
    stderr = subprocess.STDOUT if output else None
    code = TOOL_PROCESSES.run(command, pass_fds=[lock], env={**os.environ, **(env or {})}, stdout=output, stderr=stderr)
    if code:
        kind = InterruptedToolError if code in _PREEMPTION else SR4IRError
        raise kind(f'{tool} ended with exit code {code}, see {_reason(output)}.')


def _reason(output: BinaryIO | None) -> str:
    """Say where the messages of a tool are, with the last one of a file."""
    if output is None:
        return 'its messages above'
    lines = Path(output.name).read_text(errors='replace').split('\n')[-50:]
    return f"'{output.name}': {next((line.strip() for line in reversed(lines) if line.strip()), '')[:300]}".rstrip('. ')


class ToolProcesses:
    """The processes of the tools that threads of this process have started."""

    def __init__(self) -> None:
        self._guard, self._alive, self._stopped = threading.Lock(), set(), False

    def run(self, command: list[str], **kwargs: Any) -> int:
        """Run a command to its end, and return its exit code."""
        with self._guard:
            if self._stopped:
                raise InterruptedToolError('The command was stopped.')
            process = subprocess.Popen(command, **kwargs)
            self._alive.add(process)
        try:
            return process.wait()
        finally:
            if process.poll() is None:  # an exception has ended the wait
                process.kill()
                process.wait()
            with self._guard:
                self._alive.discard(process)

    @contextmanager
    def stopped_at_end(self) -> Iterator[None]:
        """Stop the tools at the end of the context; threads that go on start no more of them."""
        with self._guard:
            self._stopped = False
        try:
            yield
        finally:
            with self._guard:
                self._stopped = True
                for process in self._alive:
                    process.terminate()


TOOL_PROCESSES = ToolProcesses()
