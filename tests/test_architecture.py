"""The structure of the package: the direction of its imports, and what an import costs."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import own_python
from helpers.zoo import TOOLS

import sr4ir_mm

ROOT = TOOLS.parent
PACKAGE = ROOT / 'sr4ir_mm'
#: each line may import from itself and from the lines below it
LAYERS = (
    ('apis', '__main__', 'doctor'),
    ('inference', 'scenes', 'analysis', 'export', 'converters', 'webui'),
    ('config',),
    ('engine', 'evaluation'),
    ('visualization', 'datasets', 'transforms', 'geo'),
    ('models',),
    ('compat',),
    ('registry', 'utils', 'errors', 'version'),
)
RANKS = {name: rank for rank, names in enumerate(reversed(LAYERS)) for name in names}


def imports(path: Path) -> Iterator[str]:
    """The modules of the package that a file imports, anywhere in it, by their dotted names."""
    here = path.relative_to(ROOT).with_suffix('').parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = '.'.join(here[: len(here) - node.level]) if node.level else ''
            yield '.'.join(filter(None, (base, node.module)))


def modules() -> list[Path]:
    return [path for path in sorted(PACKAGE.rglob('*.py')) if '.mim' not in path.parts]


def test_imports_point_downward():
    wrong = []
    for path in modules():
        here = path.relative_to(PACKAGE).with_suffix('').parts[0]
        for name in imports(path):
            root, _, inside = name.partition('.')
            assert root not in ('tools', 'paper_table', 'zoo_check', 'zoo_models', 'tests'), f'{path} imports {name}'
            there = inside.partition('.')[0]
            known = root != 'sr4ir_mm' or not there or here == '__init__'
            if not known and RANKS[there] > RANKS[here]:
                wrong.append(f'{path.relative_to(ROOT)} imports {name}')
    assert not wrong


def test_every_subpackage_has_a_layer():
    found = {path.stem for path in PACKAGE.iterdir() if path.suffix == '.py' or (path / '__init__.py').exists()}
    assert found - {'__init__'} == set(RANKS)


def loaded_by(code: str) -> set[str]:
    """The top-level packages that are loaded after some code, in a process of its own."""
    code = f'{code}; import sys; print(*{{name.partition(".")[0] for name in sys.modules}})'
    return set(own_python.output_of(code).split())


def test_the_model_is_imported_without_the_zoos():
    """A segmentation user never waits for mmdet; kornia and matplotlib take seconds too."""
    code = (
        "from sr4ir_mm.models import SR4IR; from sr4ir_mm.registry import MODELS; assert MODELS.get('sr4ir_mm.TDPLoss')"
    )
    # of transformers, MMEngine imports what has its optimizers
    code += "; import sys; assert not any('transformers.models.auto' in name for name in sys.modules)"
    assert not loaded_by(code) & {'mmdet', 'mmseg', 'mmpretrain', 'mmagic', 'kornia', 'matplotlib', 'spandrel', 'timm'}


@pytest.mark.parametrize('package', ['', *sorted(path.parent.name for path in PACKAGE.glob('*/__init__.pyi'))])
def test_public_names_are_listed_and_importable(package):
    """In ``dir()``, in the stub for type checkers, and in fact."""
    module = __import__(f'sr4ir_mm.{package}'.rstrip('.'), fromlist=['x'])
    stub = ast.parse(Path(module.__file__).with_suffix('.pyi').read_text())
    names = [alias.asname for node in stub.body for alias in node.names]
    assert names and all(names) and set(names) <= set(dir(module)) and sorted(module.__all__) == sorted(names)
    for name in names:
        assert getattr(module, name) is not None


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match='Missing'):
        sr4ir_mm.Missing  # noqa: B018
