"""tools/make_table.py with a study file: what is run, what is shared between processes, and the numbers."""

import csv
import fcntl
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers.zoo import TOOLS, make_voc
from mmengine.config import Config

sys.path.insert(0, str(TOOLS))
import make_table
from paper_table import execution, work
from paper_table.engines import LocalEngine
from paper_table.plan import Plan
from paper_table.progress import _weight
from paper_table.runs import Run
from paper_table.study import Study
from paper_table.study_numbers import _difference, _mean_of, _summary

from sr4ir_mm.errors import SR4IRError

CONFIG = """
model = dict(scheme='SR4IR', scale=4, task=dict(), sr=dict())
train_cfg = dict(max_epochs=9)
train_dataloader = dict(dataset=dict(type='x', ann_file='train'))
val_dataloader = dict(dataset=dict(type='x', ann_file='val'))
test_dataloader = val_dataloader
default_hooks = dict(checkpoint=dict(save_best='accuracy/top1'))
"""
STUDY = """
seeds = [0, 1]
folds = 2
cells = [
    dict(config='net_s_x4_toy.py', schemes=['h2t', 'L->T', 'SR4IR']),
    dict(
        config='net_s_x4_toy.py', schemes=['SR4IR'], label='tdp 0.1', options=['model.tdp.loss_weight=0.1'], seeds=[0],
    ),
]
"""
#: images of a fold, and how many of them are right
IMAGES, RIGHT = 200, {'h2t': 180, 'l2t': 100, 'sr4ir': 148, 'tdp_0.1': 152}


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Path:
    """A folder to work in, with a config and a study of it."""
    (tmp_path / 'net_s_x4_toy.py').write_text(CONFIG)
    (tmp_path / 'mine.py').write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class FakeTools:
    """Stand-in for tools/train.py and tools/test.py; ``broken`` has the runs that fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, list[str]]] = []
        self.broken: set[str] = set()

    def __call__(self, tool: str, gpus: int, lock: int, *args: object, **kwargs: object) -> None:
        """Do what paper_table.work.call does."""
        args = [str(arg) for arg in args]
        folder = Path(args[args.index('--work-dir') + 1])
        folder = folder.parent if tool == 'test.py' else folder
        name = str(folder.relative_to('work_dirs/mine'))
        self.calls.append((tool, name, args))
        if name in self.broken:
            raise SR4IRError('It is broken.')
        self.train(folder) if tool == 'train.py' else self.test(folder, Path(args[args.index('--per-image') + 1]))

    def train(self, folder: Path) -> None:
        with zipfile.ZipFile(folder / 'epoch_9.pth', 'w'):
            pass
        log = folder / '20260101_100000/vis_data/scalars.json'
        log.parent.mkdir(parents=True)
        training = [dict(epoch=3, iter=60, time=0.5), dict(epoch=9, iter=180, time=1.5)]
        validation = [{'step': 3, 'accuracy/top1': 40.0}, {'step': 9, 'accuracy/top1': 60.0}]
        lines = [line for pair in zip(training, validation) for line in pair]
        log.write_text('\n'.join(map(json.dumps, lines)))

    def test(self, folder: Path, file: Path) -> None:
        """Write metrics and, for each image, whether it is right: fold and seed shift which images are."""
        fold = re.search(r'fold(\d)of', str(folder))[1]
        row = next(key for key in ('h2t', 'l2t', 'tdp_0.1', 'sr4ir') if key in f'{folder}sr4ir')
        correct = np.roll(np.arange(IMAGES) < RIGHT[row], 7 * int(folder.name[-1]))
        images = np.array([f'{fold}/{i:03}.jpg' for i in range(IMAGES)])
        psnr = np.full(IMAGES, np.inf if row == 'h2t' else 20 + RIGHT[row] / 100)
        log = folder / 'test/20260101_120000/20260101_120000.json'
        log.parent.mkdir(parents=True)
        log.write_text(json.dumps({'accuracy/top1': 100 * correct.mean()}))
        np.savez(file, images=images, classes=np.array(['a']),
                 **{'accuracy/top1.correct': correct, 'sr/PSNR.value': psnr})  # fmt: skip

    def trained(self) -> list[str]:
        """The runs that were trained, in order."""
        return [name for tool, name, _ in self.calls if tool == 'train.py']


@pytest.fixture
def tools(monkeypatch) -> FakeTools:
    """Instead of real trainings."""
    tools = FakeTools()
    monkeypatch.setattr(work, 'call', tools)
    monkeypatch.setattr(LocalEngine, 'pause', 0.001)
    monkeypatch.setattr(execution, 'POLL', 0.01)
    return tools


def run(*args: object) -> int:
    """Run the tool in this process; returns the exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', ['make_table.py', *map(str, args)])
        return make_table.main()


def numbers() -> dict:
    return json.loads(Path('work_dirs/mine/study.json').read_text())


# ---- what is run


def test_all_cells_of_a_seed_come_before_the_next_seed(toy, tools):
    assert run('mine.py') == 0
    rows = ['plain/net_toy-fold{}_h2t', 'plain/net_x4_toy-fold{}_l2t', 'plain/net_s_x4_toy-fold{}']
    cells = [row.format(f'{fold}of2') for fold in (1, 2) for row in rows]
    special = [f'tdp_0.1/net_s_x4_toy-fold{fold}of2/seed0' for fold in (1, 2)]
    assert tools.trained() == [f'{c}/seed0' for c in cells] + special + [f'{c}/seed1' for c in cells]
    _, _, args = next(call for call in tools.calls if call[1] == special[1])
    assert args[args.index('--cfg-options') + 1 :] == ['model.tdp.loss_weight=0.1', 'fold=2/2', 'randomness.seed=0']


def test_some_of_the_folds(toy, tools):
    text = Path('mine.py').read_text()
    Path('mine.py').write_text(text.replace('folds = 2', 'folds = 2\nonly_folds = [2]'))
    assert run('mine.py') == 0
    assert len(tools.trained()) == 7 and all('fold2of2' in name for name in tools.trained())
    (block,) = numbers()['blocks']
    assert block['folds'] == ['2/2'] and '200 images, fold 2 of 2' in Path('work_dirs/mine/study.md').read_text()
    assert block['images'] == IMAGES and all(len(row['values']) == len(row['seeds']) for row in block['rows'])


def test_runs_of_a_fold_start_from_runs_of_the_same_fold(toy, tools):
    Path('mine.py').write_text(
        "folds = 2\ncells = [dict(config='net_s_x4_toy.py', schemes=['T->S', 'S->T'], seeds=[3])]"
    )
    assert run('mine.py') == 0
    starts = {
        name: [arg for arg in args if 'checkpoint=' in arg] for tool, name, args in tools.calls if tool == 'train.py'
    }
    for fold in ('1of2', '2of2'):
        assert starts[f'plain/net_s_x4_toy-fold{fold}_t2s/seed3'] == [
            f'model.task.init_cfg.checkpoint=work_dirs/mine/plain/net_toy-fold{fold}_h2t/seed3/epoch_9.pth'
        ]
        assert starts[f'plain/net_s_x4_toy-fold{fold}_s2t/seed3'] == [
            f'model.sr.init_cfg.checkpoint=work_dirs/mine/plain/net_s_x4_toy-fold{fold}_s/seed0/epoch_9.pth'
        ]


def test_options_of_the_command_and_the_file(toy, tools):
    Path('mine.py').write_text(STUDY + "amp = True\noptions = ['log_level=1']\n")
    assert run('mine.py', '--cfg-options', 'train_cfg.max_epochs=8') == 0
    args = tools.calls[0][2]
    assert '--amp' in args and {'log_level=1', 'train_cfg.max_epochs=8', 'fold=1/2'} <= set(args)


def test_done_runs_are_skipped_and_a_failure_ends_no_other(toy, tools, capsys):
    tools.broken = {'plain/net_toy-fold1of2_h2t/seed0'}
    assert run('mine.py') == 1
    assert len(tools.trained()) == 14 and 'Failed, see above: net_toy-fold1of2_h2t seed 0' in capsys.readouterr().err
    tools.broken, tools.calls = set(), []
    assert run('mine.py') == 0 and tools.trained() == ['plain/net_toy-fold1of2_h2t/seed0']
    assert run('mine.py') == 0 and len(tools.trained()) == 1


def test_a_dry_run_estimates_the_time(toy, tools, capsys):
    assert run('mine.py', '--dry-run') == 0 and not tools.calls and not Path('work_dirs').exists()
    output = capsys.readouterr().out.splitlines()
    assert len(output) == 15 and output[-1] == '0 of 14 runs done'
    assert any('tdp_0.1: net_s_x4_toy-fold1of2 seed 0' in line for line in output)  # each row can be told from others
    run('mine.py')
    for folder in ('tdp_0.1/net_s_x4_toy-fold1of2/seed0', 'plain/net_s_x4_toy-fold2of2/seed1'):
        path = Path('work_dirs/mine', folder, 'result.json')
        result = json.loads(path.read_text())
        path.write_text(json.dumps(result | dict(metrics=None)))
    for path in Path('work_dirs/mine/plain').rglob('result.json'):
        result = json.loads(path.read_text())
        if 's_x4' in str(path):
            path.write_text(json.dumps(result | dict(made=dict(seconds=7200))))
    capsys.readouterr()
    assert run('mine.py', '--dry-run') == 0
    assert capsys.readouterr().out.splitlines()[-1] == '12 of 14 runs done, about 4.0 h left'
    assert run('mine.py', '--dry-run', '--jobs', 2) == 0
    assert capsys.readouterr().out.splitlines()[-1] == '12 of 14 runs done, about 2.0 h left'


def test_sr4ir_learns_from_three_images_and_takes_three_times_as_long(toy, tools, capsys):
    """Its time was estimated as that of a baseline, a third of what it took."""
    Path('mine.py').write_text("folds = 2\ncells = [dict(config='net_s_x4_toy.py', schemes=['H->T', 'SR4IR'])]")
    run('mine.py')
    for path in Path('work_dirs/mine/plain').rglob('result.json'):
        new = dict(made=dict(seconds=7200)) if 'h2t' in str(path) else dict(metrics=None)
        path.write_text(json.dumps(json.loads(path.read_text()) | new))
    capsys.readouterr()
    assert run('mine.py', '--dry-run') == 0
    assert capsys.readouterr().out.splitlines()[-1] == '2 of 4 runs done, about 12.0 h left'


@pytest.mark.parametrize(
    ('scheme', 'weight'),
    [
        ('S', 0.25), ('H->T', 1), ('S->T', 1), ('S+T', 1), ('SR4IR', 3), (dict(phases='SR4IR', joint=True), 3),
        (dict(phases='SR4IR', shares=dict(sr=0.5, hr=0.5)), 2),
    ],
)  # fmt: skip
def test_time_by_the_images_from_which_the_task_network_learns(scheme, weight, tmp_path):
    cfg = Config(dict(model=dict(scheme=scheme)))
    assert _weight(Run(tmp_path / 'a.py', None, 0, tmp_path, cfg=cfg)) == weight


@pytest.mark.parametrize('path', sorted((TOOLS.parent / 'configs/_studies').glob('*.py')), ids=lambda path: path.stem)
def test_shipped_studies(path, tmp_path):
    """Their configs exist, their options reach entries of these, and those of all cells are not those of a loop."""
    study = Study(path, tmp_path)
    assert study.runs and not any(set(study.options) & set(cell.options) for cell in study.cells)


# ---- several processes


def run_beside_another(name: str, monkeypatch) -> None:
    """Run the study while another process makes one of the runs, until this one waits for it; it is then stopped."""
    folder = Path('work_dirs/mine') / name
    folder.mkdir(parents=True)
    with open(folder / '.lock', 'w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)

        def stop_the_other_one(self: execution.Execution) -> None:
            if not self.at_work:  # nothing but that run is left
                fcntl.flock(file, fcntl.LOCK_UN)
            wait(self)

        wait = execution.Execution._wait
        monkeypatch.setattr(execution.Execution, '_wait', stop_the_other_one)
        assert run('mine.py') == 0


def test_a_run_that_another_process_makes_comes_later(toy, tools, monkeypatch, capsys):
    """It is done when this process looks again, or stays if the other one was stopped; then it is made here."""
    run_beside_another('plain/net_toy-fold1of2_h2t/seed0', monkeypatch)
    assert tools.trained()[-1] == 'plain/net_toy-fold1of2_h2t/seed0' and len(tools.trained()) == 14
    assert capsys.readouterr().out.count('===== 1/14') == 1  # only the process that makes a run says so


def test_a_run_waits_for_one_that_another_process_makes(toy, tools, monkeypatch):
    Path('mine.py').write_text("folds = 2\ncells = [dict(config='net_s_x4_toy.py', schemes=['T->S'])]")
    run_beside_another('plain/net_toy-fold1of2_h2t/seed0', monkeypatch)
    names = [name.split('/')[1] for name in tools.trained()]
    assert names == [
        'net_toy-fold2of2_h2t',
        'net_s_x4_toy-fold2of2_t2s',
        'net_toy-fold1of2_h2t',
        'net_s_x4_toy-fold1of2_t2s',
    ]


# ---- the numbers


@pytest.fixture
def done(toy, tools) -> dict:
    """The numbers of a study whose runs are all done."""
    assert run('mine.py') == 0
    (block,) = numbers()['blocks']
    return block


def rows_of(block: dict) -> dict[str, dict]:
    return {row['row']: row for row in block['rows']}


def test_means_gaps_and_differences(done):
    rows = rows_of(done)
    assert (done['name'], done['metric'], done['images'], done['folds']) == (
        'net_s_x4_toy', 'top-1 (%)', 2 * IMAGES, ['1/2', '2/2'],
    )  # fmt: skip
    assert {name: row['mean'] for name, row in rows.items()} == pytest.approx(
        {'H->T': 90, 'L->T': 50, 'SR4IR': 74, 'SR4IR, tdp 0.1': 76}
    )
    assert rows['SR4IR']['values'] == {'0': 74, '1': 74} and rows['SR4IR, tdp 0.1']['std_over_seeds'] is None
    assert {name: row['gap_closed']['mean'] for name, row in rows.items()} == pytest.approx(
        {'H->T': 1, 'L->T': 0, 'SR4IR': 0.6, 'SR4IR, tdp 0.1': 0.65}
    )
    pairs = {(pair['a'], pair['b']): pair for pair in done['differences']}
    assert len(pairs) == 6 and pairs['SR4IR', 'L->T']['mean'] == pytest.approx(24)
    low, high = pairs['SR4IR', 'L->T']['interval']
    assert 15 < low < 24 < high < 33


def test_the_interval_is_that_of_a_binomial_share(done):
    """One seed of 76 % of 400 images: 76 ± 1.96 sqrt(76 * 24 / 400)."""
    half = 1.96 * (76 * 24 / 400) ** 0.5
    assert rows_of(done)['SR4IR, tdp 0.1']['interval'] == pytest.approx([76 - half, 76 + half], abs=0.5)


def test_differences_are_paired(toy, tools):
    """Rows that are right on nearly the same images differ with a much smaller interval than each has."""
    run('mine.py')
    pair = next(p for p in numbers()['blocks'][0]['differences'] if (p['a'], p['b']) == ('SR4IR, tdp 0.1', 'SR4IR'))
    assert pair['interval'][1] - pair['interval'][0] < 5 < 2 * 1.96 * (2 * 76 * 24 / 400) ** 0.5


def test_the_interval_contains_the_seeds():
    """Two seeds that are 10 points apart on whatever images: their mean is uncertain, though the images are not."""
    values = {'a': (70.0, 80.0), 'b': (60.0, 70.0)}
    samples = {row: dict(enumerate(np.full((2, 2001), np.c_[seeds,]))) for row, seeds in values.items()}
    assert _summary(_mean_of(samples, 'a', [0, 1])) == dict(mean=75, interval=[70, 80])
    assert _difference('a', 'b', samples) == dict(a='a', b='b', seeds=[0, 1], mean=10, interval=[10, 10])  # paired


def test_a_difference_counts_the_seeds_of_both_rows(done):
    """Else the difference between two seeds would be taken for that of two rows."""
    samples = {'a': {0: np.full(3, 80.0)}, 'b': {0: np.full(3, 80.0), 1: np.full(3, 70.0)}}
    assert _difference('a', 'b', samples) == dict(a='a', b='b', seeds=[0], mean=0, interval=[0, 0])
    assert {(pair['a'], pair['b']): pair['seeds'] for pair in done['differences']}['SR4IR, tdp 0.1', 'SR4IR'] == [0]


def test_configs_of_one_row_need_names(toy):
    """Else the runs of two configs would be the folds of one row."""
    (toy / 'net_s_x4_other.py').write_text(CONFIG)
    cells = [f"dict(config='net_s_x4_{name}.py', schemes=['SR4IR'], block='b')" for name in ('toy', 'other', 'toy')]
    (toy / 'one.py').write_text(f'cells = [{cells[0]}, {cells[2]}]')
    assert [len(runs) for runs in Study(toy / 'one.py', toy / 'w').blocks['b']['SR4IR'].values()] == [1]
    (toy / 'two.py').write_text(f'cells = [{cells[0]}, {cells[1]}]')
    with pytest.raises(SR4IRError, match=r"have the same row in the block 'b' .* give one of them a label"):
        Study(toy / 'two.py', toy / 'w')


def test_seeds_are_a_list(toy):
    (toy / 'seed.py').write_text("seeds = 0\ncells = [dict(config='net_s_x4_toy.py')]")
    with pytest.raises(SR4IRError, match=r'write seeds = \[0\]'):
        Study(toy / 'seed.py', toy / 'w')


def test_a_fold_starts_from_a_pretraining_on_its_own_images(toy):
    """A file that is there was trained on all images, which the folds test."""
    (toy / 'mys.py').write_text(CONFIG.replace("'SR4IR'", "'S'").replace('task=dict()', 'task=None'))
    file = toy / 'work_dirs/mys/epoch_9.pth'
    init = f"init_cfg=dict(type='Pretrained', checkpoint='{file.relative_to(toy)}')"
    (toy / 'net_s_x4_toy.py').write_text(CONFIG.replace('sr=dict()', f'sr=dict({init})'))
    file.parent.mkdir(parents=True)
    file.touch()
    start = Plan(toy / 'w', ['fold=1/2']).add(toy / 'net_s_x4_toy.py').starts_from['sr']
    assert str(start) == 'mys-fold1of2 seed 0'
    assert str(Plan(toy / 'w').add(toy / 'net_s_x4_toy.py').starts_from['sr']) == str(file.relative_to(toy))


def test_psnr(done):
    rows = rows_of(done)
    assert rows['SR4IR']['PSNR']['mean'] == pytest.approx(21.48) and rows['H->T']['PSNR']['mean'] is None


def test_a_seed_counts_when_all_its_folds_are_done(toy, tools):
    tools.broken = {'plain/net_s_x4_toy-fold2of2/seed1'}
    run('mine.py')
    row = rows_of(numbers()['blocks'][0])['SR4IR']
    assert row['seeds'] == [0, 1] and list(row['values']) == ['0']


def test_files_and_provenance(done, capsys):
    folder = Path('work_dirs/mine')
    text = (folder / 'study.md').read_text()
    assert '### net_s_x4_toy: 400 images, 2 folds' in text and '| SR4IR, tdp 0.1 | 76.00 [' in text
    assert '2000 resamples' in text and 'make_table.py mine.py' in text
    with open(folder / 'study.csv', newline='') as file:
        lines = list(csv.DictReader(file))
    assert [line['row'] for line in lines] == ['H->T', 'L->T', 'SR4IR', 'SR4IR, tdp 0.1']
    assert float(lines[2]['value mean']) == pytest.approx(74) and lines[0]['PSNR mean'] == ''
    assert all((folder / f'study_{name}.png').stat().st_size > 10_000 for name in ('psnr', 'time'))
    found = numbers()
    assert found['command'] == 'make_table.py mine.py' and found['versions']['torch'] and found['machine']['cores']
    assert len(found['runs']) == 14 and all(entry['made']['revision'] for entry in found['runs'])


def test_the_curve_over_time_is_in_minutes(done):
    from paper_table.study_files import _over_time

    study = Study(Path('mine.py'), Path('work_dirs/mine'))
    line = _over_time(next(iter(study.runs.values())), 'accuracy/top1')
    assert line == [(1.0, 40.0), (3.0, 60.0)]  # 180 iterations of a second


def test_a_report_of_what_is_done_runs_nothing(toy, tools, capsys):
    tools.broken = {'plain/net_toy-fold1of2_h2t/seed0'}
    run('mine.py')
    tools.calls, tools.broken = [], set()
    Path('work_dirs/mine/study.md').unlink()
    assert run('mine.py', '--report') == 0 and not tools.calls
    assert '1 runs are not done.' in Path('work_dirs/mine/study.md').read_text()


def test_rows_that_were_tested_on_other_images(toy, tools):
    run('mine.py')
    file = Path('work_dirs/mine/plain/net_toy-fold1of2_h2t/seed0/test/images.npz')
    with np.load(file) as old:
        arrays = dict(old)
    arrays['images'][0] = 'other.jpg'
    np.savez(file, **arrays)
    with pytest.raises(
        SR4IRError, match="was tested on other images than 'H->T': give cells of one block the same folds"
    ):
        run('mine.py', '--report')


# ---- mistakes


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ("label='tdp 0.1', ", '', 'has options and no label: name what is special'),
        ("schemes=['SR4IR']", "scheme=['SR4IR']", "has an entry 'scheme', and nothing reads it: use block"),
        ('folds = 2', 'fold = 2', "has an entry 'fold', and nothing reads it: use amp"),
        ('folds = 2', 'folds = 2\nonly_folds = [3]', 'only_folds=[3] of '),
        ("'h2t'", "'s'", 'has the scheme S, which is no row of a table'),
        ("'h2t'", "'x'", "Unknown scheme 'x'"),
        ("config='net_s_x4_toy.py', schemes=['SR4IR']", "config='nosuch.py'", "missing: 'nosuch.py'"),
        ("'model.tdp.loss_weight=0.1'", 'dict(x=1)', "must be a text 'key=value'"),
        ("label='tdp 0.1', options=['model.tdp.loss_weight=0.1']", "label='a', options=['log_level=x'], block='y'", ''),
    ],
)
def test_mistakes_in_the_file(old, new, message, toy, tools):
    text = Path('mine.py').read_text()
    assert old in text
    Path('mine.py').write_text(text.replace(old, new))
    if not message:  # another block is none
        assert run('mine.py', '--dry-run') == 0
        return
    with pytest.raises(SR4IRError, match=re.escape(message)):
        run('mine.py')
    assert not tools.calls


def test_cells_that_would_share_a_run(toy):
    Path('mine.py').write_text(STUDY.replace("label='tdp 0.1', options", "label='plain', options"))
    with pytest.raises(
        SR4IRError, match=r"Two cells of 'mine.py' share 'work_dirs/mine/plain/net_s_x4_toy-fold1of2/seed0'"
    ):
        run('mine.py', '--dry-run')


def test_a_task_metric_without_results_of_images(toy):
    path = Path('net_s_x4_toy.py')
    path.write_text(path.read_text().replace('accuracy/top1', 'mDice'))
    with pytest.raises(SR4IRError, match="has the task metric 'mDice', but studies compare the images of mIoU"):
        run('mine.py', '--dry-run')


def test_arguments_that_have_no_effect(toy):
    with pytest.raises(SR4IRError, match='A study file says which schemes and seeds are run'):
        run('mine.py', '--seeds', 0)
    with pytest.raises(SR4IRError, match='--report runs nothing: leave out --jobs'):
        run('mine.py', '--report', '--jobs', 2)


# ---- all of it


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_processes_share_real_trainings(tmp_path):
    """Each run is made once; the value of a fold is that of its own test."""
    root = make_voc(tmp_path / 'voc', [(64, 64)] * 4)
    for split, names in (('train', '0 1 2'), ('val', '3')):
        (root / f'ImageSets/Segmentation/{split}.txt').write_text('\n'.join(names.split()))
    config = TOOLS.parent / 'configs/demo/fcn-tiny_edsr-tiny_x4_demo.py'
    (tmp_path / 'net_s_x4_toy.py').write_text(f'_base_ = {str(config)!r}')
    (tmp_path / 'mine.py').write_text(
        "folds = 2\noptions = ['data_root=voc', 'train_cfg.max_epochs=1', 'train_dataloader.batch_size=1']\n"
        "cells = [dict(config='net_s_x4_toy.py', schemes=['L->T', 'SR4IR'])]"
    )
    command = [sys.executable, '-W', 'ignore', str(TOOLS / 'make_table.py'), 'mine.py']
    kwargs = dict(cwd=tmp_path, env=dict(os.environ, OMP_NUM_THREADS='1'))
    logs = [tmp_path / f'{i}.log' for i in range(2)]  # a pipe that nobody reads would stop the second one
    processes = [subprocess.Popen(command, stdout=log.open('w'), **kwargs) for log in logs]
    assert [process.wait() for process in processes] == [0, 0]
    outputs = [log.read_text() for log in logs]
    started = [line.split()[2] for output in outputs for line in output.splitlines() if ' (new): ' in line]
    found = json.loads((tmp_path / 'work_dirs/mine/study.json').read_text())
    assert found['runs_left'] == 0 and sorted(set(started)) == sorted(entry['run'] for entry in found['runs'])
    (block,) = found['blocks']
    assert block['images'] == 4 and all(row['mean'] is not None for row in block['rows'])
