"""What an installation holds: built in a copy of the checkout, offline, with setuptools' own build hooks."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from mmengine.fileio import load

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ('configs', 'tools', 'model-index.yml')


def run(*command: str, cwd: Path) -> str:
    """Run a command; its output, or a failure that shows it."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(hook: str, source: Path, out: Path) -> Path:
    """Call a build hook as pip does, in a process of its own, without isolation and network."""
    code = f'import sys; from setuptools import build_meta; build_meta.{hook}(sys.argv[1])'
    out.mkdir()
    run(sys.executable, '-c', code, str(out), cwd=source)
    (built,) = out.iterdir()
    return built


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout with the files of this one, committed or not, but nothing that git ignores."""
    if not (ROOT / '.git').exists():
        pytest.skip('not a git checkout')
    copy = tmp_path / 'checkout'
    for name in run('git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', cwd=ROOT).split('\0'):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    run('git', 'init', '--quiet', cwd=copy)
    run('git', 'add', '--all', cwd=copy)
    return copy


def dirt(checkout: Path) -> str:
    """What git would report as changed or new since the copy was made."""
    return run('git', 'diff', '--name-only', cwd=checkout) + run(
        'git', 'ls-files', '--others', '--exclude-standard', cwd=checkout
    )


def contents(wheel: Path) -> set[str]:
    """The names of the files in a wheel, its metadata aside."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if '.dist-info/' not in name}


def test_wheel_holds_configs_and_tools_also_from_an_sdist(checkout: Path, tmp_path: Path) -> None:
    """mim and ``sr4ir_mm::...`` paths need ``.mim`` in every wheel, and the checkout has to stay clean."""
    shipped = run('git', 'ls-files', *SHIPPED, cwd=checkout).splitlines()
    sources = run('git', 'ls-files', 'sr4ir_mm', cwd=checkout).splitlines()
    files = contents(build('build_wheel', checkout, tmp_path / 'wheel'))
    assert files == {f'sr4ir_mm/.mim/{name}' for name in shipped} | set(sources)

    with tarfile.open(build('build_sdist', checkout, tmp_path / 'sdist')) as archive:
        archive.extractall(tmp_path / 'unpacked', filter='data')
    (unpacked,) = (tmp_path / 'unpacked').iterdir()
    assert contents(build('build_wheel', unpacked, tmp_path / 'wheel_from_sdist')) == files

    assert not dirt(checkout)
    assert not (checkout / 'sr4ir_mm' / '.mim').exists()


def test_editable_install_links_to_the_checkout_and_a_wheel_keeps_the_links(checkout: Path, tmp_path: Path) -> None:
    """With ``pip install -e`` an edited config is the one that is used, and the checkout may be moved."""
    build('build_editable', checkout, tmp_path / 'editable')
    build('build_wheel', checkout, tmp_path / 'wheel')
    mim = checkout / 'sr4ir_mm' / '.mim'
    assert {link.name: os.readlink(link) for link in mim.iterdir()} == {name: f'../../{name}' for name in SHIPPED}
    assert (mim / 'configs' / 'sr4ir' / 'metafile.yml').samefile(checkout / 'configs' / 'sr4ir' / 'metafile.yml')
    assert not dirt(checkout)


def requirements(name: str) -> dict[str, str]:
    """Read a requirements file: package to version specifier."""
    lines = (line.partition('#')[0].strip() for line in (ROOT / name).read_text().splitlines())
    matches = (re.fullmatch(r'([\w.-]+)(.*)', line) for line in lines if line and not line.startswith('-r'))
    return {match[1]: match[2] for match in matches}


def test_requirement_files_agree() -> None:
    """The quick path and mim install the same releases; only mmcv differs, and only in its build."""
    runtime, mim = requirements('requirements/runtime.txt'), requirements('requirements/mminstall.txt')
    assert requirements('requirements.txt') == {'mmcv-lite': mim.pop('mmcv')}
    assert mim == {name: runtime[name] for name in mim}
    assert not {'mmcv', 'mmcv-lite'} & set(runtime), 'mmcv comes from requirements.txt or from mim'


def test_model_index_is_what_mim_and_mmengine_read() -> None:
    """Each imported metafile has the keys that both look up, and the configs it names exist."""
    modelindex = pytest.importorskip('modelindex')
    for name in load(ROOT / 'model-index.yml')['Import']:
        assert 'Models' in load(ROOT / name), 'MMEngine looks this key up for every sr4ir_mm:: path'
    index = modelindex.load(str(ROOT / 'model-index.yml'))
    index.build_models_with_collections()
    assert [collection.name for collection in index.collections] == ['SR4IR']
    for model in index.models or []:
        assert (ROOT / model.config).is_file()
