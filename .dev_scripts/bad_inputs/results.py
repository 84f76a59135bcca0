"""What the end of a case means."""

import json
import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path

from case import Case


@dataclass
class Result:
    """The end of a case: its kind, whether that is right, the last words of its output, and how long it took."""

    case: Case
    kind: str
    ok: bool
    text: str
    seconds: float


def judge(case: Case, folder: Path, status: int, seconds: float) -> Result:
    """Tell what the end of a process means."""
    logs = folder.with_name(folder.name + '.log')
    out, err = (
        path.read_text(errors='replace') if path.exists() else '' for path in (logs / 'stdout', logs / 'stderr')
    )
    if status:
        kind = 'timeout' if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else 'crash'
        return Result(case, kind, False, _tail(err), seconds)
    result = json.loads((logs / 'result.json').read_text())
    code, wrong = result['code'], result['wrong']
    if 'Traceback (most recent call last)' in out + err or code not in (0, 2, case.code):
        return Result(case, 'traceback', False, _tail(err or out), seconds)
    if code == case.code or code == 0:
        wrong = wrong or ('' if code == case.code else f'exit code 0, not {case.code}')
        kind = f'exit {code}, wrong' if wrong else f'exit {code}, right'
        return Result(case, kind, not wrong, wrong, seconds)
    lines = re.findall(r'^(?:\w+\.py: )?error: .*', err, re.MULTILINE)
    message = err[err.find(lines[0]) :].strip() if lines else _tail(err)
    absent = [text for text in case.texts if text not in message]
    if len(lines) != 1:
        wrong = f'{len(lines)} messages'
    elif case.check:
        wrong = 'refused, but it must work'
    elif absent:
        wrong = f'the message lacks {absent}'
    text = f'{wrong}: {message}' if wrong else message
    return Result(case, 'other message' if wrong else 'one message', not wrong, text, seconds)


def _tail(text: str) -> str:
    return '\n'.join(text.strip().splitlines()[-4:])
