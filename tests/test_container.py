"""The Dockerfile: what it copies exists and gets through, and its versions are the tested ones. No Docker is needed."""

import json
import re
from pathlib import Path

import pytest
import torch
from helpers.wheels import ROOT, run

FILE = ROOT / 'docker' / 'Dockerfile'
#: Python of Ubuntu's releases
PYTHONS = {'22.04': '3.10', '24.04': '3.12'}

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason='no docker/, as in a source distribution')


def steps() -> list[tuple[str, str]]:
    """Return the instructions and their arguments, each in one line."""
    text = re.sub(r'^\s*#.*\n', '', FILE.read_text(), flags=re.MULTILINE).replace('\\\n', ' ')
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def arguments(name: str) -> list[str]:
    """Return the arguments of all instructions of a name."""
    return [arguments for instruction, arguments in steps() if instruction == name]


def as_regex(pattern: str) -> str:
    """Translate a pattern of .dockerignore; what is in a folder that fits, fits too."""
    parts = {'**/': '(.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]'}
    tokens = re.split(r'(\*\*/|\*\*|\*|\?)', pattern.strip('/'))
    return ''.join(parts.get(token, re.escape(token)) for token in tokens) + '(/.*)?'


def is_ignored(path: str) -> bool:
    """Return whether .dockerignore keeps a path out: the last line that fits decides."""
    lines = (line.strip() for line in (ROOT / '.dockerignore').read_text().splitlines())
    fitting = [line for line in lines if line[:1] not in ('', '#') and re.fullmatch(as_regex(line.lstrip('!')), path)]
    return bool(fitting) and not fitting[-1].startswith('!')


def copied() -> list[str]:
    """Return the files that are copied before the code."""
    sources = (line.split()[:-1] for line in arguments('COPY'))
    return [source for names in sources for source in names if source != '.']


def constraints() -> Path:
    """Return the file with the versions of the image."""
    (name,) = re.findall(r'-c (\S+)', ' '.join(arguments('RUN')))
    return ROOT / name


def test_copied_files_exist_and_get_through() -> None:
    assert copied()
    assert [name for name in copied() if not (ROOT / name).is_file() or is_ignored(name)] == []


def test_pip_finds_the_files_that_the_requirements_include() -> None:
    """They are copied one by one, so that a change of the code does not install PyTorch again."""
    needed, todo = set(), ['requirements.txt', constraints().relative_to(ROOT).as_posix()]
    while todo:
        needed.add(name := todo.pop())
        todo += re.findall(r'^-[rc] *(\S+)', (ROOT / name).read_text(), re.MULTILINE)
    assert needed == set(copied())


def test_image_has_the_code_and_nothing_else() -> None:
    names = 'sr4ir_mm', 'configs', 'tools', 'requirements', 'setup.py', 'pyproject.toml', 'model-index.yml'
    assert [path for path in run('git', 'ls-files', *names, cwd=ROOT).split() if is_ignored(path)] == []
    others = '.git/config .env data/a.jpg work_dirs/a/epoch_1.pth outputs/a.png weights.pth configs/a/b.pth'
    others += ' .venv/pyvenv.cfg sr4ir_mm/.mim/configs sr4ir_mm/models/__pycache__/a.pyc'
    assert [path for path in others.split() if not is_ignored(path)] == []


def test_python_is_that_of_the_base_and_its_versions_are_tested() -> None:
    (base,) = arguments('FROM')
    python = PYTHONS[re.search(r'ubuntu(\d\d\.\d\d)$', base)[1]]
    installed = set(re.findall(r'python(\d\.\d+)', ' '.join(arguments('RUN'))))
    assert installed == {python}
    assert constraints() == ROOT / f'requirements/tested/py{python.replace(".", "")}.txt'
    assert constraints().is_file()


def test_cuda_of_the_base_is_that_of_the_pinned_pytorch() -> None:
    """The base refuses a driver that is too old for its CUDA; that has to be the one that runs."""
    pinned = re.search(r'^torch==([\d.]+)', constraints().read_text(), re.MULTILINE)[1]
    if torch.version.cuda is None or torch.__version__.partition('+')[0] != pinned:
        pytest.skip('another PyTorch is installed')
    assert re.search(r'cuda:(\d+\.\d+)\.\d+-base', arguments('FROM')[0])[1] == torch.version.cuda


def test_user_is_not_root() -> None:
    assert arguments('USER')[-1].partition(':')[0] not in ('0', 'root')


def test_page_names_the_volumes_of_the_image() -> None:
    page = (ROOT / 'docs/install.md').read_text()
    volumes = json.loads(arguments('VOLUME')[0])
    assert set(re.findall(r':(/workspace/\w+)', page)) == set(volumes)
    assert json.loads(arguments('ENTRYPOINT')[0]) == ['python', '-m', 'sr4ir_mm'], 'so the page says'
