"""The documentation: its configs train, its messages and files exist, its figure is current."""

import ast
import json
import re
import runpy
from collections.abc import Iterator
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
SIZES = {'scale', 'crop_size', 'size'}
OWN = ('my_det', 'my_cls', 'my_seg')

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason='no docs, as in a source distribution')


def blocks(page: str, language: str = 'python') -> list[str]:
    """The code blocks of a page."""
    return re.findall(rf'^```{language}\n(.*?)^```', (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


def pictures(size: tuple[int, int] = (96, 128)) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Images of noise with an object, and its mask."""
    for i in range(4):
        mask = np.zeros(size, np.uint8)
        mask[16:64, 8 * i : 8 * i + 48] = 1 + i % 2
        yield np.random.default_rng(i).integers(0, 80, (*size, 3), np.uint8) + 60 * mask[..., None], mask


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def make_data(root: Path) -> None:
    """The three data sets, as the page describes them."""
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
    """A user's folder: the configs of docs/own.md and the data that they read."""
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
    """Smaller images, so that an iteration takes a second."""
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
    assert Config.fromfile(f'work/{name}.py').model.type == 'sr4ir_mm.SR4IR'  # for the tools, as the page says


def test_blocks_of_other_pages_are_configs_that_load(tmp_path):
    for folder in (ROOT / 'configs').iterdir():  # beside which the page's config stands
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
    """The literal texts of a string expression, with '…' for what a run fills in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield ''.join(part.value if isinstance(part, ast.Constant) else '…' for part in node.values)


def test_quoted_messages_are_in_the_code():
    texts = {
        text
        for folder in ('sr4ir_mm', 'tools')
        for path in (ROOT / folder).rglob('*.py')
        for node in ast.walk(ast.parse(path.read_text()))
        for text in pieces(node)
    }
    ours, _ = (DOCS / 'troubleshooting.md').read_text().split('## Messages of other packages')
    quoted = re.findall(r'^`(.+)`\n: ', ours, re.MULTILINE)
    # S's message begins in one place and ends in another
    quoted = [text.removeprefix('S (…) ') for text in quoted]
    assert len(quoted) > 50
    assert [text for text in quoted if not any(text in known for known in texts)] == []


# but for the sweep's page, which quotes the error messages of others
@pytest.mark.parametrize('page', [page for page in PAGES if page.stem != 'zoo_sweep'], ids=lambda path: path.stem)
def test_files_that_a_page_names_exist(page):
    names = re.findall(r'\b(?:configs|tools|tests|docs|requirements)/[\w./-]+\.(?:py|sh|md|txt)\b', page.read_text())
    assert [name for name in names if not (ROOT / name).is_file()] == []


def test_figure_is_current(tmp_path):
    made = tmp_path / 'phases.svg'
    runpy.run_path(str(DOCS / 'figures/phases.py'))['draw'](made)
    old, new = (DOCS / 'figures/phases.svg').read_text(), made.read_text()
    texts = [re.findall(r'<text.*?>(.*?)</text>', svg) for svg in (old, new)]
    assert texts[0] == texts[1] and texts[0]
    if f'Matplotlib v{matplotlib.__version__},' in old:  # another draws the same a little differently
        assert old == new


@pytest.mark.parametrize('path', sorted(DOCS.glob('tutorials/*.ipynb')), ids=lambda path: path.stem)
def test_notebooks_are_committed_without_outputs(path):
    cells = json.loads(path.read_text())['cells']
    assert not any(cell.get('outputs') or cell.get('execution_count') for cell in cells)
