"""Build and install sr4ir_mm as pip does, in a copy of the checkout: offline, with setuptools' own build hooks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: object, cwd: Path, path: Path | None = None) -> str:
    """Run a command and return its output; a failure shows it. Python looks for packages in ``path`` first."""
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(path or ''), PYTHONWARNINGS='ignore')
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(hook: str, source: Path, out: Path) -> Path:
    """Call a build hook as pip does, in a process of its own, without isolation and network."""
    code = f'import sys; from setuptools import build_meta; build_meta.{hook}(sys.argv[1])'
    out.mkdir()
    run(sys.executable, '-c', code, out, cwd=source)
    (built,) = out.iterdir()
    return built


def copy_checkout(target: Path) -> Path:
    """Create a git checkout with the files of this one, committed or not, except those that git ignores."""
    if not (ROOT / '.git').exists():
        pytest.skip('not a git checkout')
    for name in run('git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', cwd=ROOT).split('\0'):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    run('git', 'init', '--quiet', cwd=target)
    run('git', 'add', '--all', cwd=target)
    return target


def install(wheel: Path, target: Path) -> Path:
    """Install a wheel without its requirements into a folder for ``PYTHONPATH``."""
    options = ('--quiet', '--no-deps', '--no-compile', '--disable-pip-version-check', '--target', target)
    run(sys.executable, '-m', 'pip', 'install', *options, wheel, cwd=target.parent)
    return target
