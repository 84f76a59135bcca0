import sys
from pathlib import Path

import pytest
from helpers.zoo import run_tool
from mmengine.logging import MMLogger

from sr4ir_mm.errors import user_errors


@pytest.fixture
def fails(tmp_path, capfd):
    """Run a tool that must fail, and return its message."""

    def run(tool: str, *args: object) -> str:
        MMLogger._instance_dict.clear()  # one of an earlier test would write to that test's output, which is closed
        assert run_tool(tool, *args, cwd=tmp_path) == 2
        output = capfd.readouterr()
        assert 'Traceback' not in output.err and 'Traceback' not in output.out
        assert output.err.count('\nerror:') == 1
        return output.err.partition('\nerror:')[2].strip()

    return run


@pytest.fixture
def convert(monkeypatch, capsys, tmp_path):
    """Run a converter with ``--out tmp_path/out`` and return its exit code and its output, or its error message."""

    def convert(module, *sources: Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, 'argv', ['tool', *map(str, sources), '--out', str(tmp_path / 'out')])
        code = 0
        try:
            with user_errors():
                module.main()
        except SystemExit as exit:
            code = exit.code
        output = capsys.readouterr()
        return code, output.err.partition('error: ')[2].strip() if code else output.out

    return convert
