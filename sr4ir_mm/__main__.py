"""Run a tool of sr4ir_mm from anywhere: sr4ir train sr4ir_mm::sr4ir/deeplabv3_swinir_x4_voc.py

An installed package has the scripts of ``tools/`` in its folder ``.mim/tools``. Without arguments, list them.
"""

import ast
import difflib
import re
import sys
from pathlib import Path
from types import ModuleType

from .errors import SR4IRError, user_errors

PACKAGE = Path(__file__).resolve().parent
TOOLS = PACKAGE / '.mim' / 'tools'
#: what most users need, in the order of their work
FIRST = ('train', 'test', 'infer', 'export', 'report', 'webui', 'benchmark', 'doctor')


def find_tools() -> dict[str, Path]:
    """Return the scripts in ``tools/`` by name; modules that the scripts share are left out."""
    found = {path.stem: path for path in sorted(TOOLS.rglob('*.py')) if "__name__ == '__main__'" in path.read_text()}
    if not found:
        raise SR4IRError(
            f"'{TOOLS}' is missing: install sr4ir_mm (in a checkout: pip install -e .), or run the scripts in tools/."
        )
    found['doctor'] = PACKAGE / 'doctor.py'
    return {name: found[name] for name in (*FIRST, *(name for name in found if name not in FIRST))}


def overview(scripts: dict[str, Path]) -> str:
    """Return one line for each tool: the first line of its docstring, without its example."""
    docs = {name: ast.get_docstring(ast.parse(path.read_text())) or '' for name, path in scripts.items()}
    lines = {name: re.split(r': python |[:.]?$', doc.partition('\n')[0])[0] for name, doc in docs.items()}
    width = max(map(len, lines))
    rows = [f'  {name:{width}}  {line}' for name, line in lines.items()]
    usage = 'usage: sr4ir TOOL [ARGUMENTS]; sr4ir TOOL --help shows its arguments'
    return '\n'.join([usage, '', *rows[: len(FIRST)], '', *rows[len(FIRST) :]])


@user_errors()
def main() -> None:
    """Run the tool that the first argument names, as ``python tools/NAME.py`` would."""
    name, scripts = ''.join(sys.argv[1:2]), find_tools()
    if name in ('', '-h', '--help'):
        return print(overview(scripts))
    if name not in scripts:
        near = [f'did you mean {other}? ' for other in difflib.get_close_matches(name, scripts, n=1)]
        raise SR4IRError(f"Unknown tool '{name}': {''.join(near)}sr4ir lists all of them.")
    _run(name, scripts[name])


def _run(name: str, path: Path) -> None:
    """Run a script as the main module, under the name that the user has typed; runpy would give it that of the file."""
    module = sys.modules['__main__'] = ModuleType('__main__')
    module.__file__ = str(path)  # worker processes look for the main module here
    sys.argv[:2] = [f'sr4ir {name}']
    sys.path[0] = str(path.parent)  # a script imports its siblings from here
    exec(compile(path.read_text(), str(path), 'exec'), vars(module))


if __name__ == '__main__':
    main()
