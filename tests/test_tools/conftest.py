import pytest
from helpers.zoo import run_tool
from mmengine.logging import MMLogger


@pytest.fixture
def fails(tmp_path, capfd):
    """Run a tool that must fail, and return its message."""

    def run(tool: str, *args: object) -> str:
        MMLogger._instance_dict.clear()  # one of an earlier test would write to that test's output, which is closed
        assert run_tool(tool, *args, cwd=tmp_path) == 2
        output = capfd.readouterr()
        assert 'Traceback' not in output.err and 'Traceback' not in output.out
        assert output.err.count('error:') == 1
        return output.err.partition('error:')[2].strip()

    return run
