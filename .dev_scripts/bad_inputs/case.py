"""What a case is: files, a command, and what is right."""

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

#: all cases, by name
CASES: dict[str, 'Case'] = {}


@dataclass
class Case:
    """One call of a tool in a copy of the bench.

    Args:
        name (str): Kind and description.
        command (str): Tool of ``tools/`` without its suffix, and its arguments, as in a shell.
        texts (tuple[str, ...]): What the message of a refusal must contain.
        check (Callable, optional): Function of the output, called in the folder of the case, that raises an error
            unless the result is right. With it, the command must work.
        files (dict): Files to write first: text, bytes, or None to remove the file.
        setup (Callable, optional): Function to call in the folder first.
        disk (int): Limit in bytes for the size of each file, as on a full disk; 0 for none.
        code (int): Exit code of a command that must work.
    """

    name: str
    command: str
    texts: tuple[str, ...] = ()
    check: Callable[[str], None] | None = None
    files: dict[str, str | bytes | None] = field(default_factory=dict)
    setup: Callable[[], object] | None = None
    disk: int = 0
    code: int = 0

    def prepare(self) -> None:
        """Write the files into the current folder."""
        for name, content in self.files.items():
            path = Path(name)
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        if self.setup:
            self.setup()

    @property
    def args(self) -> list[str]:
        """The words of the command."""
        return shlex.split(self.command)


def bad(name: str, command: str, *texts: str, **options: object) -> None:
    """Add a case that must be refused with a message that contains the texts."""
    _add(Case(name, command, texts, **options))


def good(name: str, command: str, check: Callable[[str], None], **options: object) -> None:
    """Add a case that must work."""
    _add(Case(name, command, check=check, **options))


def variant(base: str, more: str, name: str = 'x') -> dict[str, str]:
    """Return the files of a config that inherits from one of the bench."""
    return {f'{name}.py': f"_base_ = '{base}.py'\nwork_dir = 'runs/{name}'\n{more}\n"}


def has_files(*names: str) -> Callable[[str], None]:
    """Check that files were written and are not empty."""

    def check(output: str) -> None:
        missing = [name for name in names if not (os.path.isfile(name) and os.path.getsize(name))]
        assert not missing, f'not written: {missing}'

    return check


def says(*texts: str) -> Callable[[str], None]:
    """Check the output."""

    def check(output: str) -> None:
        missing = [text for text in texts if text not in output]
        assert not missing, f'not in the output: {missing}'

    return check


def both(*checks: Callable[[str], None]) -> Callable[[str], None]:
    """Make several checks."""

    def check(output: str) -> None:
        for each in checks:
            each(output)

    return check


def _add(case: Case) -> None:
    assert case.name not in CASES, case.name
    CASES[case.name] = case
