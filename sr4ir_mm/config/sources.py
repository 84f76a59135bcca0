"""Words in the source of packages: an entry that no package reads has no effect."""

import re
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path


def is_read(name: str, packages: Sequence[str]) -> bool:
    """Return whether the source of one of these packages contains a name as a word."""
    word = re.compile(rf'\b{re.escape(name)}\b')
    return any(word.search(text) for package in packages for text in _sources(package))


@cache
def _sources(package: str) -> list[str]:
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.origin:
        return []
    origin = Path(spec.origin)
    files = origin.parent.rglob('*.py') if origin.name == '__init__.py' else [origin]
    return [path.read_text(errors='ignore') for path in files if '.mim' not in path.parts]
