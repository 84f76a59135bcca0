"""The runs of a table or study, some of them at work at once; what is done, running, failed and left."""

import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from paper_table.engines import LocalEngine, RefusedError, SlurmEngine
from paper_table.progress import progress
from paper_table.runs import Run
from paper_table.work import Work

from sr4ir_mm.utils.locks import LockedError, is_locked

#: seconds until the runs that wait for those of another process are looked at again
POLL = 30
#: seconds until a file that another machine has written is seen here
_LATE = 60


class Execution:
    """The runs of a table or study, each of which starts when those that it needs are done.

    Several processes may execute the same runs: one at which another process works is left to it.

    Args:
        runs (Collection[Run]): Runs in order.
        engine (LocalEngine or SlurmEngine): Where they are made.
        per_image (bool): Whether to keep the results of each image.
        after (Callable): Function that is called after each run.
    """

    def __init__(
        self, runs: Collection[Run], engine: LocalEngine | SlurmEngine, per_image: bool = False,
        after: Callable[[], object] = lambda: None,
    ) -> None:  # fmt: skip
        self.runs, self.engine, self.per_image, self.after = runs, engine, per_image, after
        #: by place in the order: not begun, and at work with the job
        self.left: dict[int, Run] = dict(enumerate(runs, 1))
        self.at_work: dict[int, tuple[Work, Any]] = {}
        self.failed: set[Path] = set()
        self.shown = self.refusal = ''

    def execute(self) -> None:
        """Execute the runs that are not done. After a failure, the others go on."""
        with self.engine.running():
            self._start()
            while self.left or self.at_work:
                self._print_progress()
                self._wait()
                self._start()
            if self.shown:  # there was work
                self._print_progress()

    def _print_progress(self) -> None:
        """Print how many runs are done, running and failed, and how much time is left at this pace, if that is new."""
        begun = sum(self.engine.has_begun(work) for work, _ in self.at_work.values())
        counts = {'running': begun, 'in the queue': len(self.at_work) - begun, 'failed': len(self.failed)}
        named = {name: count for name, count in counts.items() if count}
        text = progress(self.runs, max(begun, 1), named, self.failed)
        if text != self.shown:
            print(f'\n===== {text}', flush=True)
        self.shown = text

    def _start(self) -> None:
        """Start as many runs as may be at work; those that need one that failed have failed, too."""
        for i, run in sorted(self.left.items()):
            if len(self.at_work) >= self.engine.most:
                return
            if (status := run.status()) == 'done':
                del self.left[i]
            elif broken := [need for need in run.needs.values() if need.folder in self.failed]:
                del self.left[i]
                self._end(i, run, f'It needs {broken[0]}, which failed.')
            elif self._can_start(run) and not self._submit(i, run, status):
                return

    def _can_start(self, run: Run) -> bool:
        return not is_locked(run.folder) and all(need.status() == 'done' for need in run.needs.values())

    def _submit(self, i: int, run: Run, status: str) -> bool:
        """Start a run, and return whether there may be room for another one."""
        work = Work(run, self.per_image)
        try:
            job = self.engine.submit(work)
        except RefusedError as error:
            if self.at_work:  # it is tried again when one of them ends, or at the next poll
                self._print_refusal(error)
                return False
            del self.left[i]
            self._end(i, run, error)
            return True
        del self.left[i]
        self.at_work[i] = work, job
        print(f'\n===== {i}/{len(self.runs)} {run} ({status}): {run.folder}{self.engine.place(job)}', flush=True)
        return True

    def _print_refusal(self, error: RefusedError) -> None:
        if str(error) != self.refusal:
            print(f'\n===== Refused for now: {error}', file=sys.stderr, flush=True)
        self.refusal = str(error)

    def _wait(self) -> None:
        """Wait until a run ends, or it is time to look for those of other processes."""
        end = time.monotonic() + POLL
        while not (ended := [i for i, (_, job) in self.at_work.items() if job.done()]) and time.monotonic() < end:
            time.sleep(self.engine.pause)
        for i in ended:
            work, job = self.at_work.pop(i)
            error = job.exception() or job.result()
            if isinstance(error, LockedError):  # another process was faster
                self.left[i] = work.run
                continue
            if not error and not _is_seen(work.run):
                error = f"'{work.run.folder}' has no result."
            self._end(i, work.run, error)

    def _end(self, i: int, run: Run, error: object) -> None:
        if error:
            print(f'\n===== {i}/{len(self.runs)} {run} failed: {error}', file=sys.stderr, flush=True)
            self.failed.add(run.folder)
        self.after()


def _is_seen(run: Run) -> bool:
    """Wait until the result of a run that is done is seen on this machine."""
    end = time.monotonic() + _LATE
    while run.status() != 'done' and time.monotonic() < end:
        time.sleep(1)
    return run.status() == 'done'
