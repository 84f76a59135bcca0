"""A Python of its own for a piece of code, in which nothing but PyTorch is imported."""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from functools import cache

from .zoo import TOOLS

#: imports what takes seconds each time, and runs each line that it reads in a fork of itself
_SERVER = """
import gc, json, os, sys
import torch, torch._dynamo, torch.distributed.fsdp, torch.distributed.optim
gc.freeze()
for line in sys.stdin:
    environ, code, *paths = json.loads(line)
    child = os.fork()
    if not child:
        os.environ.clear()
        os.environ.update(environ)
        for number, path in enumerate(paths, 1):
            os.dup2(os.open(path, os.O_WRONLY), number)
        exec(code, dict(__name__='__main__'))
        sys.exit()
    print(os.waitpid(child, 0)[1], flush=True)
"""


@cache
def _server() -> subprocess.Popen:
    command = [sys.executable, '-W', 'ignore', '-c', _SERVER]
    process = subprocess.Popen(command, cwd=TOOLS.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.communicate)  # it ends with its input
    return process


def output_of(code: str) -> str:
    """Run code in a Python of its own, and return what it has printed; a failure is an error with its traceback."""
    server = _server()
    with tempfile.NamedTemporaryFile() as output, tempfile.NamedTemporaryFile() as errors:
        server.stdin.write(json.dumps([dict(os.environ), code, output.name, errors.name]) + '\n')
        server.stdin.flush()
        assert server.stdout.readline() == '0\n', errors.read().decode()
        return output.read().decode().strip()
