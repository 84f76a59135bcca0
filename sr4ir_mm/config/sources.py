"""Words in the source of packages: an entry that no package reads has no effect."""

import re
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

#: an entry of a dict is read as ['name'], .get('name') or .name, or it is a parameter, name: int or name=1
_KEY = r"""(?:(['"])%s\1|\.%s\b|\b%s(?:: |=[^=]))"""


def is_read(name: str, packages: Sequence[str], as_key: bool = False) -> bool:
    """Return whether the source of one of these packages contains a name as a word.

    Args:
        name (str): Name.
        packages (Sequence[str]): Packages to search.
        as_key (bool): Whether only words count that read an entry of a dict, and no variables or words of a comment.
    """
    plain = re.escape(name)
    word = re.compile(_KEY.replace('%s', plain) if as_key else rf'\b{plain}\b')
    # most files do not contain it, which is found out faster without the edges of the word
    return any(name in text and word.search(text) for package in packages for text in _sources(package))


@cache
def _sources(package: str) -> list[str]:
    spec = find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.origin:
        return []
    origin = Path(spec.origin)
    files = origin.parent.rglob('*.py') if origin.name == '__init__.py' else [origin]
    return [path.read_text(errors='ignore') for path in files if '.mim' not in path.parts]
