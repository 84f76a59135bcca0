"""The content of an installation, and the entries of the model index."""

import os
import re
import runpy
import tarfile
import zipfile
from pathlib import Path

import pytest
from helpers.wheels import ROOT, build, copy_checkout, run
from mmengine.fileio import load
from packaging.requirements import Requirement

SHIPPED = ('configs', 'tools', 'model-index.yml')


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy to build in."""
    return copy_checkout(tmp_path / 'checkout')


def dirt(checkout: Path) -> str:
    """Return what git reports as changed or new since the copy was made."""
    return run('git', 'diff', '--name-only', cwd=checkout) + run(
        'git', 'ls-files', '--others', '--exclude-standard', cwd=checkout
    )


def contents(wheel: Path) -> set[str]:
    """Return the names of the files in a wheel, without its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if '.dist-info/' not in name and not name.startswith('+')}


def second_mim(wheel: Path) -> set[str]:
    """Return the names of the files of the ``.mim`` that is the first in RECORD."""
    with zipfile.ZipFile(wheel) as archive:
        return {name.partition('/.mim/')[2] for name in archive.namelist() if name.startswith('+sr4ir_mm/.mim/')}


def test_wheel_holds_configs_and_tools_also_from_an_sdist(checkout: Path, tmp_path: Path) -> None:
    """mim and ``sr4ir_mm::...`` paths need ``.mim`` in every wheel, and the checkout has to stay clean."""
    shipped = run('git', 'ls-files', *SHIPPED, cwd=checkout).splitlines()
    sources = run('git', 'ls-files', 'sr4ir_mm', cwd=checkout).splitlines()
    wheel = build('build_wheel', checkout, tmp_path / 'wheel')
    files = contents(wheel)
    assert files == {f'sr4ir_mm/.mim/{name}' for name in shipped} | set(sources)
    assert second_mim(wheel) == set(shipped)

    with tarfile.open(build('build_sdist', checkout, tmp_path / 'sdist')) as archive:
        archive.extractall(tmp_path / 'unpacked', filter='data')
    (unpacked,) = (tmp_path / 'unpacked').iterdir()
    assert contents(build('build_wheel', unpacked, tmp_path / 'wheel_from_sdist')) == files

    assert not dirt(checkout)
    assert not (checkout / 'sr4ir_mm' / '.mim').exists()


def test_editable_install_links_to_the_checkout_and_a_wheel_keeps_the_links(checkout: Path, tmp_path: Path) -> None:
    """With ``pip install -e`` an edited config is the one that is used, and the checkout may be moved."""
    assert not second_mim(build('build_editable', checkout, tmp_path / 'editable'))
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


def models() -> list[dict]:
    """Return the entries of the model index, read as MMEngine does for every ``sr4ir_mm::`` path."""
    return [model for name in load(ROOT / 'model-index.yml')['Import'] for model in load(ROOT / name)['Models']]


def test_model_index_has_every_config() -> None:
    """... and no other."""
    configs = {path.relative_to(ROOT).as_posix() for path in (ROOT / 'configs').glob('[!_]*/*.py')}
    indexed = {model['Config'] for model in models()}
    assert indexed == configs, 'python .dev_scripts/make_metafiles.py'
    assert len({model['Name'] for model in models()}) == len(configs), 'mim search lists them by name'


def test_model_index_invents_nothing() -> None:
    """No weights are published, hence no results."""
    assert not any({'Weights', 'Results'} & set(model) for model in models())


def test_mim_reads_the_model_index() -> None:
    """With the package that mim uses, which adds what the collections say."""
    modelindex = pytest.importorskip('modelindex')
    index = modelindex.load(str(ROOT / 'model-index.yml'))
    index.build_models_with_collections()
    found = {model.name: model for model in index.models}
    assert len(found) == len(models())
    mix, pretraining = found['detr_edsr_x4_coco'], found['edsr-s_x8_bsds']
    assert mix.in_collection == pretraining.in_collection == 'SR4IR'
    assert mix.metadata.data['Task Network'] == 'detr' and pretraining.metadata.data['Scale'] == 8
    assert 'Task Network' not in pretraining.metadata.data and pretraining.metadata.data['SR Network'] == 'edsr-s'


@pytest.mark.slow
def test_model_index_is_up_to_date() -> None:
    """A config's data set, scheme, schedule and so on are what its entry says."""
    for path, text in runpy.run_path(str(ROOT / '.dev_scripts' / 'make_metafiles.py'))['files']():
        assert path.read_text() == text, 'python .dev_scripts/make_metafiles.py'


@pytest.mark.parametrize('path', sorted((ROOT / 'requirements/tested').glob('*.txt')), ids=lambda path: path.stem)
def test_tested_versions_are_in_the_ranges(path):
    """The exact versions hold one release of each package that we ask for, and one release of OpenCV."""
    tested = dict(line.lower().replace('_', '-').split('==') for line in path.read_text().split())
    files = [
        ROOT / 'requirements.txt',
        *(ROOT / f'requirements/{n}.txt' for n in ('runtime', 'tests', 'export', 'webui')),
    ]
    lines = [line.partition('#')[0].strip() for file in files for line in file.read_text().splitlines()]
    wanted = [Requirement(line) for line in lines if line and not line.startswith('-r')]
    assert len(wanted) > 30
    versions = {str(want): tested[want.name.lower().replace('_', '-')] for want in wanted}
    assert [name for name, version in versions.items() if version not in Requirement(name).specifier] == []
    assert len({version for name, version in tested.items() if name.startswith('opencv')}) == 1
