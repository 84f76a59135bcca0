"""The documentation: its configs train; its commands, files, names and messages exist; its figure is current."""

import ast
import json
import re
import runpy
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
from helpers.toy import EDSR
from helpers.zoo import Logs, changed, state
from mmengine.config import Config
from mmengine.runner import Runner

from sr4ir_mm import mix
from sr4ir_mm.apis import check_data
from sr4ir_mm.config.mixing import mix_text
from sr4ir_mm.config.zoo import without_weights

ROOT = Path(__file__).parent.parent
DOCS = ROOT / 'docs'
PAGES = sorted(path for path in DOCS.rglob('*.md') if '_build' not in path.parts)
#: pages by hand: the sweep's page quotes the error messages of others
WRITTEN = [path for path in PAGES if path.stem != 'zoo_sweep']
WRITTEN += [ROOT / name for name in ('README.md', 'CONTRIBUTING.md') if (ROOT / name).is_file()]
#: messages of other packages in docs/troubleshooting.md
OTHERS = {
    "No module named 'mmcv._ext'",
    'MMCV==2.2.0 is used but incompatible',
    "No module named 'pkg_resources'",
    'operator torchvision::nms does not exist',
    'CUDA out of memory',
    'Weights only load failed',
}
by_page = pytest.mark.parametrize('page', WRITTEN, ids=lambda path: path.stem)
SIZES = {'scale', 'crop_size', 'size'}
OWN = ('my_det', 'my_cls', 'my_seg')

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason='no docs, as in a source distribution')


def blocks(page: str, language: str = 'python') -> list[str]:
    """Return the code blocks of a page."""
    return re.findall(rf'^```{language}\n(.*?)^```', (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


def pictures(size: tuple[int, int] = (96, 128)) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield images of noise with an object, and its mask."""
    for i in range(4):
        mask = np.zeros(size, np.uint8)
        mask[16:64, 8 * i : 8 * i + 48] = 1 + i % 2
        yield np.random.default_rng(i).integers(0, 80, (*size, 3), np.uint8) + 60 * mask[..., None], mask


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def make_data(root: Path) -> None:
    """Write the three data sets that the page describes."""
    for split in ('train', 'val'):
        images, annotations = [], []
        for i, (image, mask) in enumerate(pictures()):
            height, width = mask.shape
            write(root / f'ships/{split}/{i}.jpg', image)
            write(root / f'leaves/{split}/{"abc"[i % 3]}/{i}.jpg', image)
            write(root / f'fields/images/{split}/{i}.jpg', image)
            write(root / f'fields/masks/{split}/{i}.png', mask)
            images.append(dict(id=i, file_name=f'{i}.jpg', height=height, width=width))
            box = dict(bbox=[8 * i, 16, 48, 48], area=48 * 48, iscrowd=0)
            annotations.append(dict(box, id=i + 1, image_id=i, category_id=1 + i % 2))
        categories = [dict(id=1, name='ship'), dict(id=2, name='buoy')]
        content = json.dumps(dict(images=images, annotations=annotations, categories=categories))
        (root / 'ships/annotations').mkdir(exist_ok=True)
        (root / f'ships/annotations/{split}.json').write_text(content)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Make a user's folder: the configs of docs/own.md and the data that they read."""
    for block in blocks('own.md'):
        if name := re.match(r'# (my_\w+\.py)\n', block):
            (tmp_path / name[1]).write_text(block)
    make_data(tmp_path / 'data')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize('name', OWN)
def test_own_configs_can_be_mixed(folder, name):
    cfg = mix(f'{name}.py', sr='edsr', scale=4)
    check_data(cfg)
    assert cfg.model.type == 'sr4ir_mm.SR4IR' and cfg.model.tdp.relative
    assert cfg.optim_wrapper.sr.optimizer.lr == 1e-4 and cfg.default_hooks.alternating.warmup_ratio == 0.1
    Path('written.py').write_text(mix_text(f'{name}.py', 'edsr', 4))
    assert Config.fromfile('written.py').model == cfg.model


def shrink(node):
    """Make images smaller, so that an iteration takes a second."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if key in SIZES:
            node[key] = 64 if isinstance(value, int) else (64, 64)
        elif isinstance(value, (dict, list)):
            shrink(value)


@pytest.mark.slow
@pytest.mark.parametrize('name', OWN)
def test_own_configs_train(folder, name):
    cfg = mix(f'{name}.py', sr=dict(EDSR), scale=4)
    cfg.model.task = without_weights(cfg.model.task)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
        shrink(loader)
    shrink(cfg.model.task)
    cfg.train_cfg = dict(by_epoch=False, max_iters=2, val_interval=2)
    cfg.param_scheduler.task = []
    cfg.default_hooks.logger.interval = 1
    cfg.merge_from_dict(dict(work_dir='work', experiment_name=name))
    cfg.visualizer.name = name
    runner, logs = Runner.from_cfg(cfg), Logs()
    before = state(runner.model)
    runner.register_hook(logs)
    runner.train()
    assert len(logs.items) == 2 and {'sr.loss_pix', 'sr.loss_tdp'} <= set(logs.items[1])
    assert {key.split('.')[0] for key in changed(runner.model, before)} == {'sr', 'task'}
    written = Path('work', Path(cfg.filename).name)  # for the tools, as the page says
    assert Config.fromfile(written).model.type == 'sr4ir_mm.SR4IR'


def test_blocks_of_other_pages_are_configs_that_load(tmp_path):
    for folder in (ROOT / 'configs').iterdir():  # next to which the page's config stands
        (tmp_path / folder.name).symlink_to(folder)
    (tmp_path / 'mine').mkdir()
    checked = 0
    for page in PAGES:
        for i, block in enumerate(b for b in blocks(page.relative_to(DOCS)) if b.startswith('_base_')):
            path = tmp_path / f'mine/{page.stem}_{i}.py'
            path.write_text(block)
            assert Config.fromfile(path).model.type == 'sr4ir_mm.SR4IR'
            checked += 1
    assert checked


def test_table_of_sr_nets_is_complete():
    nets = {}
    for path in (ROOT / 'configs/_base_/sr').glob('*_x?.py'):
        name, scale = path.stem.rsplit('_x')
        has_weights = 'checkpoint' in (Config.fromfile(path).sr.get('init_cfg') or {})
        nets.setdefault(name, {})[scale] = scale if has_weights else f'({scale})'
    rows = re.findall(r'^\| (`.+?) \| .+ \| (.+) \|$', (DOCS / 'mixing.md').read_text(), re.MULTILINE)
    listed = {name: scales for names, scales in rows for name in re.findall('`(.+?)`', names)}
    expected = {name: ', '.join(scales[key] for key in sorted(scales)) for name, scales in nets.items()}
    assert {k: v for k, v in listed.items() if k in nets} == {k: v for k, v in expected.items() if 'official' not in k}


def pieces(node: ast.AST) -> Iterator[str]:
    """Yield the literal texts of a string expression, with '…' for what a run fills in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield ''.join(part.value if isinstance(part, ast.Constant) else '…' for part in node.values)


@cache
def literals() -> set[str]:
    """Return the literal texts of the package and the tools."""
    files = [path for folder in ('sr4ir_mm', 'tools') for path in (ROOT / folder).rglob('*.py')]
    return {text for path in files for node in ast.walk(ast.parse(path.read_text())) for text in pieces(node)}


def test_quoted_messages_are_in_the_code():
    quoted = set(re.findall(r'^`([^`]+)`\n: ', (DOCS / 'troubleshooting.md').read_text(), re.MULTILINE)) - OTHERS
    assert len(quoted) >= 2
    assert [message for message in quoted if not any(message in text for text in literals())] == []


@by_page
def test_files_that_a_page_names_exist(page):
    text = page.read_text()
    names = re.findall(r'(?<![\w/])(?:configs|tools|tests|docs|requirements|\.dev_scripts)/[\w./*-]+', text)
    assert [name for name in names if '_build' not in name and not any(ROOT.glob(name.rstrip('./')))] == []
    configs = re.findall(r'sr4ir_mm::([\w./-]+\.py)', text)
    assert [name for name in configs if not (ROOT / 'configs' / name).is_file()] == []


def commands(text: str) -> list[str]:
    """Return the commands of a page that call a tool."""
    lines = text.replace('\\\n', ' ').splitlines()
    return [line for line in lines if re.search(r'python (?:-u )?(?:tools|\.dev_scripts)/|-m sr4ir_mm ', line)]


@by_page
def test_tools_and_options_of_a_page_exist(page):
    text = page.read_text()
    tools = {path.stem for path in (ROOT / 'tools').rglob('*.py')} | {'doctor'}
    assert set(re.findall(r'-m sr4ir_mm[ .](\w+)', text)) <= tools
    options = {option for line in commands(text) for option in re.findall(r'(?<!\S)--[a-z_-]+', line)}
    scripts = ' '.join(path.read_text() for path in (ROOT / '.dev_scripts').rglob('*.py'))
    launchers = {'--launcher', '--help', '--nproc_per_node'}
    slurm = set(re.findall(r'--[a-z-]+', ' '.join(re.findall(r'^srun .*', text, re.MULTILINE))))
    assert [o for o in options - launchers - slurm if o not in literals() and o not in scripts] == []


@by_page
def test_make_targets_of_a_page_exist(page):
    targets = set(re.findall(r'^([\w-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    named = set(re.findall(r'(?:^|`)make ([a-z-]+)', page.read_text(), re.MULTILINE))
    assert named <= targets


@by_page
def test_names_of_the_package_on_a_page_exist(page):
    names = set(re.findall(r'\bsr4ir_mm\.([A-Z]\w+)', page.read_text()))
    sources = (path.read_text() for path in (ROOT / 'sr4ir_mm').rglob('*.py') if '.mim' not in path.parts)
    assert names <= set(re.findall(r'^class (\w+)', '\n'.join(sources), re.MULTILINE))


@pytest.mark.parametrize('name', ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'])
def test_links_between_files_lead_somewhere(name):
    """In the pages of docs/, Sphinx checks them."""
    targets = re.findall(r'\]\((?!https?://|#)([^)#]+)', (ROOT / name).read_text())
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_figure_is_current(tmp_path):
    made = tmp_path / 'phases.svg'
    runpy.run_path(str(DOCS / 'figures/phases.py'))['draw'](made)
    old, new = (DOCS / 'figures/phases.svg').read_text(), made.read_text()
    texts = [re.findall(r'<text.*?>(.*?)</text>', svg) for svg in (old, new)]
    assert texts[0] == texts[1] and texts[0]
    if f'Matplotlib v{matplotlib.__version__},' in old:  # another draws the same a little differently
        old, new = (re.sub(r'\bp[0-9a-f]{10}\b', 'id', svg) for svg in (old, new))  # ids depend on NumPy
        assert old == new


@pytest.mark.parametrize('path', sorted(DOCS.glob('tutorials/*.ipynb')), ids=lambda path: path.stem)
def test_notebooks_are_committed_without_outputs(path):
    cells = json.loads(path.read_text())['cells']
    assert not any(cell.get('outputs') or cell.get('execution_count') for cell in cells)
