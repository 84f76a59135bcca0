"""Run a tool of sr4ir_mm from anywhere: python -m sr4ir_mm train sr4ir_mm::sr4ir/deeplabv3_swinir_x4_voc.py

An installed package has the scripts of ``tools/`` in its folder ``.mim/tools``. Without arguments, list them.
"""

import ast
import runpy
import sys
from pathlib import Path

from .errors import SR4IRError, user_errors

TOOLS = Path(__file__).parent / '.mim' / 'tools'


def find_tools() -> dict[str, Path]:
    """Return the scripts in ``tools/`` by name; modules that the scripts share are left out."""
    scripts = {path.stem: path for path in sorted(TOOLS.rglob('*.py')) if "__name__ == '__main__'" in path.read_text()}
    if not scripts:
        raise SR4IRError(
            f"'{TOOLS}' is missing: install sr4ir_mm (in a checkout: pip install -e .), or run the scripts in tools/."
        )
    return scripts


def overview(scripts: dict[str, Path]) -> str:
    """Return one line for each tool: the first line of its docstring."""
    docs = {name: ast.get_docstring(ast.parse(path.read_text())) or '' for name, path in scripts.items()}
    lines = [f'  {name:{max(map(len, docs))}}  {doc.partition(chr(10))[0]}' for name, doc in docs.items()]
    return '\n'.join(['usage: python -m sr4ir_mm TOOL [ARGUMENTS]; -h after a tool shows its arguments', '', *lines])


def main() -> None:
    """Run the tool that the first argument names, as ``python tools/NAME.py`` would."""
    name, scripts = ''.join(sys.argv[1:2]), find_tools()
    if name in ('', '-h', '--help'):
        return print(overview(scripts))
    if name not in scripts:
        raise SR4IRError(f"Unknown tool '{name}': choose one of {', '.join(scripts)}.")
    sys.argv[:2] = [str(scripts[name])]
    sys.path[0] = str(scripts[name].parent)  # a script imports its siblings from here
    runpy.run_path(sys.argv[0], run_name='__main__')


if __name__ == '__main__':
    with user_errors():
        main()
