"""tools/make_table.py: what is run in which order, what is skipped and resumed, and the numbers of the table."""

import csv
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from helpers.zoo import TOOLS, make_voc
from mmengine.config import Config
from PIL import Image

sys.path.insert(0, str(TOOLS))
import make_table
import paper_table.plot
from paper_table import work
from paper_table.configs import ROWS, PaperConfig, find_paper_configs, task_metric
from paper_table.engines import LocalEngine
from paper_table.plan import Plan
from paper_table.plot import plot
from paper_table.table import make_block, to_markdown, write_csv

from sr4ir_mm.config import last_checkpoint
from sr4ir_mm.errors import SR4IRError

CONFIGS = TOOLS.parent / 'configs'
S_FILE, T_FILE = 'work_dirs/s_x4_toy/epoch_9.pth', 'work_dirs/net_toy_h2t/epoch_9.pth'
SR4IR = f"""
model = dict(
    scheme='SR4IR', scale=4, task=dict(), sr=dict(init_cfg=dict(type='Pretrained', checkpoint='{S_FILE}')))
pretraining = {{'{S_FILE}': 'python tools/train.py s_x4_toy.py'}}
train_cfg = dict(max_epochs=9)
default_hooks = dict(checkpoint=dict(save_best='mIoU'))
randomness = dict(seed=7)
"""
TOY = {
    'net_s_x4_toy': SR4IR,
    's_x4_toy': "_base_ = './net_s_x4_toy.py'\nmodel = dict(scheme='S', sr=dict(init_cfg=dict(_delete_=True)))",
}
PAPER_CONFIG = PaperConfig.parse('net_s_x4_toy.py')


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Path:
    """A folder to work in, with a config of SR4IR and one that pre-trains its SR network."""
    for name, text in TOY.items():
        (tmp_path / f'{name}.py').write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(path: Path) -> None:
    """The smallest file that passes for a checkpoint."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, 'w'):
        pass


class FakeTools:
    """Stand-in for tools/train.py and tools/test.py; ``broken`` has (tool, run) that fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, list[str]]] = []
        self.broken: set[tuple[str, str]] = set()

    def __call__(self, tool: str, gpus: int, lock: int, *args: object, **kwargs: object) -> None:
        """Do what paper_table.work.call does."""
        args = [str(arg) for arg in args]
        folder = Path(args[args.index('--work-dir') + 1])
        name = re.search('([^/]+)/seed', str(folder))[1]
        self.calls.append((tool, name, args))
        if tool == 'train.py':
            touch(folder / 'epoch_9.pth')
        if (tool, name) in self.broken:
            raise SR4IRError(f'{tool} ended with exit code 1.')
        if tool == 'test.py':
            time = '20260101_120000'
            (folder / time).mkdir(parents=True)
            (folder / time / f'{time}.json').write_text(json.dumps({'mIoU': 50.0, 'sr/PSNR': math.inf}))

    def trained(self) -> list[str]:
        """The runs that were trained, in order."""
        return [name for tool, name, _ in self.calls if tool == 'train.py']


@pytest.fixture
def tools(monkeypatch) -> FakeTools:
    """Instead of real trainings."""
    tools = FakeTools()
    monkeypatch.setattr(work, 'call', tools)
    monkeypatch.setattr(LocalEngine, 'pause', 0.001)
    monkeypatch.setattr(paper_table.plot, 'plot', lambda blocks, path: None)
    return tools


def run(*args: object) -> int:
    """Run the tool in this process; returns the exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', ['make_table.py', *map(str, args)])
        return make_table.main()


# ---- which configs


@pytest.mark.parametrize('name', ['a_b_x4_voc_s2t.py', 'a_x4_voc_l2t.py', 'a_voc_h2t.py', 'edsr-s_x4_bsds.py'])
def test_other_names_are_no_paper_configs(name):
    assert PaperConfig.parse(name) is None


def all_paper_configs() -> list[PaperConfig]:
    return find_paper_configs([str(CONFIGS / folder / '*_x[48]_*.py') for folder in ('sr4ir', 'paper')])


def test_all_paper_configs_are_found():
    found = all_paper_configs()
    assert len(found) == 32
    assert {config.path.parent.name for config in found} == {'sr4ir', 'paper'}


@pytest.mark.slow
def test_every_paper_config_has_its_six_runs():
    """It loads 32 configs; test_plan_of_real_configs has two of them."""
    found = all_paper_configs()
    plan = Plan(Path('w'))
    for config in found:  # the four SR networks of a task network share them
        plan.add_paper_config(config, ['H->T', 'L->T'])
    assert len(plan.runs) == 8 * (1 + 2)
    runs = plan.add_paper_config(found[0])
    assert list(runs) == list(ROWS)
    for scheme, run in runs.items():
        assert plan.load(run.config, run.scheme).model.scheme == scheme


def test_globs_files_and_mistakes(toy, tools):
    assert [config.path.name for config in find_paper_configs(['*.py', 'net_s_x4_toy.py'])] == ['net_s_x4_toy.py']
    assert str(find_paper_configs(['net*'])[0].path) == 'net_s_x4_toy.py'
    (toy / 'link').symlink_to(toy)
    paths = [
        './net_s_x4_toy.py',
        'net_s_x4_toy.py',
        str(toy / 'net_s_x4_toy.py'),
        'link/net*',
    ]
    assert len(find_paper_configs(paths)) == 1  # not more seeds
    with pytest.raises(SR4IRError, match=r"Config file 'no_s_x4_\*.py' not found"):
        find_paper_configs(['no_s_x4_*.py'])
    with pytest.raises(SR4IRError, match=r"'s_x4_toy.py' is not a config of SR4IR"):
        find_paper_configs(['s_*'])
    for scheme in ('hr', 's'):  # the second is not a row
        with pytest.raises(SystemExit):
            run('net_s_x4_toy.py', '--schemes', scheme)
    assert run('net_s_x4_toy.py', '--schemes', 'h2t', 'L->T') == 0
    assert tools.trained() == ['net_toy_h2t', 'net_x4_toy_l2t']


# ---- what is run, in which order


def test_plan_of_real_configs():
    """Scale-free runs are shared, S is trained once, and each run comes after those it needs."""
    plan = Plan(Path('w'))
    for seed in (0, 1):
        for config in find_paper_configs([str(CONFIGS / 'sr4ir/deeplabv3_edsr_x[48]_voc.py')]):
            assert list(plan.add_paper_config(config, seed=seed)) == list(ROWS)
    runs = [f'{run.folder.parent.name} {run.seed}' for run in plan.runs.values()]
    assert runs[:7] == [
        'deeplabv3_voc_h2t 0',
        'deeplabv3_x4_voc_l2t 0',
        'deeplabv3_edsr_x4_voc_s 200',
        'deeplabv3_edsr_x4_voc_s2t 0',
        'deeplabv3_edsr_x4_voc_t2s 0',
        'deeplabv3_edsr_x4_voc_st 0',
        'deeplabv3_edsr_x4_voc 0',
    ]
    assert len(runs) == len(set(runs)) == 2 * (1 + 2 * 5) + 2
    t2s = plan.runs[Path('w/deeplabv3_edsr_x4_voc_t2s/seed1')]
    assert {net: str(need) for net, need in t2s.needs.items()} == {'task': 'deeplabv3_voc_h2t seed 1'}
    assert t2s.starts_from['sr'].startswith('https://')
    s2t = plan.runs[Path('w/deeplabv3_edsr_x4_voc_s2t/seed1')]
    assert {net: str(need) for net, need in s2t.needs.items()} == {'sr': 'deeplabv3_edsr_x4_voc_s seed 200'}


def test_the_default_seed_is_the_configs(toy):
    assert {run.seed for run in Plan(Path('w')).add_paper_config(PAPER_CONFIG).values()} == {7}


def test_a_file_of_s_is_used_if_it_is_there_but_t_is_that_of_the_table(toy):
    touch(Path(S_FILE))
    touch(Path(T_FILE))
    plan = Plan(Path('w'))
    t2s = plan.add_paper_config(PAPER_CONFIG, ['T->S'], seed=3)['T->S']
    assert t2s.starts_from['sr'] == S_FILE
    assert [str(run) for run in plan.runs.values()] == ['net_toy_h2t seed 3', 'net_s_x4_toy_t2s seed 3']


def test_a_file_of_the_cfg_options_is_used(toy):
    plan = Plan(Path('w'), ['model.task.init_cfg.checkpoint=mine.pth', f'model.sr.init_cfg.checkpoint={S_FILE}'])
    t2s = plan.add_paper_config(PAPER_CONFIG, ['T->S'], seed=0)['T->S']
    assert t2s.starts_from['task'] == 'mine.pth'
    assert [str(run) for run in plan.runs.values()] == ['s_x4_toy seed 7', 'net_s_x4_toy_t2s seed 0']
    assert plan.runs[Path('w/s_x4_toy/seed7')].starts_from['sr'] == S_FILE  # not from itself


def test_tools_are_called_with_what_the_user_and_the_plan_say(toy, tools):
    assert (
        run('*.py', '--seeds', 0, '--work-dir', 'w', '--amp', '--cfg-options', 'log_level=1', 'custom_hooks=[c,2]') == 0
    )
    assert tools.trained() == ['net_toy_h2t', 'net_x4_toy_l2t', 's_x4_toy'] + [
        f'net_s_x4_toy{suffix}' for suffix in ('_s2t', '_t2s', '_st', '')
    ]
    calls = {(tool, name): args for tool, name, args in tools.calls}
    options = ['--cfg-options', 'log_level=1', 'custom_hooks=[c,2]', 'randomness.seed=0']
    starts = [
        'model.sr.init_cfg.checkpoint=w/s_x4_toy/seed7/epoch_9.pth',
        'model.task.init_cfg.checkpoint=w/net_toy_h2t/seed0/epoch_9.pth',
    ]
    folder = 'w/net_s_x4_toy_t2s/seed0'
    config = ['net_s_x4_toy.py', '--scheme', 'T->S']
    assert calls['train.py', 'net_s_x4_toy_t2s'] == [
        *config,
        '--work-dir',
        folder,
        '--amp',
        '--resume',
        *options,
        *starts,
    ]
    test_args = [f'{folder}/epoch_9.pth', '--work-dir', f'{folder}/test', *options, *starts]
    assert calls['test.py', 'net_s_x4_toy_t2s'] == [*config, *test_args]
    assert calls['train.py', 'net_s_x4_toy'][:2] == ['net_s_x4_toy.py', '--work-dir']


def test_gpus_and_exit_codes(monkeypatch, tmp_path):
    commands = []
    monkeypatch.setattr(
        work.TOOL_PROCESSES, 'run', lambda command, **kwargs: commands.append(command) or len(commands) - 1
    )
    work.call('train.py', 1, 0, 'c.py', '--amp')
    assert commands[0] == [sys.executable, '-W', 'ignore', str(TOOLS / 'train.py'), 'c.py', '--amp']
    with pytest.raises(SR4IRError, match=r'test.py ended with exit code 1'):
        work.call('test.py', 4, 0, 'c.py')
    assert {'torch.distributed.run', '--nproc_per_node=4'} <= set(commands[1])
    assert commands[1][-3:] == ['c.py', '--launcher', 'pytorch']


# ---- going on


def test_a_dry_run_does_nothing(toy, tools, capsys):
    before, handler = sorted(toy.rglob('*')), signal.getsignal(signal.SIGTERM)
    assert run('*.py', '--dry-run', '--work-dir', 'w') == 0
    assert signal.getsignal(signal.SIGTERM) is handler
    assert not tools.calls and sorted(toy.rglob('*')) == before
    lines = capsys.readouterr().out.splitlines()
    assert (
        len(lines) == 8
        and lines[-1] == '0 of 7 runs done'
        and lines[0].split() == ['1', 'new', 'net_toy_h2t', 'seed', '7']
    )
    assert lines[4].endswith('net_s_x4_toy_t2s seed 7; sr from s_x4_toy seed 7; task from net_toy_h2t seed 7')


def test_what_is_done_is_skipped_and_what_was_cut_is_resumed(toy, tools, capsys):
    args = ('*.py', '--schemes', 'H->T', 'L->T', '--work-dir', 'w')
    tools.broken = {('test.py', 'net_toy_h2t'), ('train.py', 'net_x4_toy_l2t')}
    assert run(*args) == 1
    tools.calls.clear()
    tools.broken.clear()
    assert run(*args) == 0
    assert [(tool, name, '--resume' in args) for tool, name, args in tools.calls] == [
        ('train.py', 'net_toy_h2t', True),
        ('test.py', 'net_toy_h2t', False),
        ('train.py', 'net_x4_toy_l2t', True),
        ('test.py', 'net_x4_toy_l2t', False),
    ]
    assert '--resume' in tools.calls[0][2]  # from the last checkpoint
    tools.calls.clear()
    assert run(*args) == 0 and not tools.calls
    result = json.loads(Path('w/net_toy_h2t/seed7/result.json').read_text())
    assert len(result.pop('id')) == 32 and result.pop('entries')['train_cfg'] == {'max_epochs': 9}
    assert {'seconds', 'revision', 'machine', 'versions', 'command', 'date'} == set(result.pop('made'))
    assert result == {
        'config': 'net_s_x4_toy.py',
        'scheme': 'H->T',
        'seed': 7,
        'options': [],
        'starts': {},
        'metrics': {'mIoU': 50.0, 'sr/PSNR': math.inf},
    }
    assert '| H->T   |    50.00 |         ∞ |' in Path('w/table.md').read_text()


def test_a_failure_stops_only_what_needs_it(toy, tools, capsys):
    tools.broken = {('train.py', 's_x4_toy')}
    assert run('*.py', '--work-dir', 'w', '--seeds', 0, 1) == 1
    assert tools.trained() == ['net_toy_h2t', 'net_x4_toy_l2t', 's_x4_toy', 'net_toy_h2t', 'net_x4_toy_l2t']
    output = capsys.readouterr()
    assert 's_x4_toy seed 7 failed: train.py ended with exit code 1.' in output.err
    assert 'net_s_x4_toy seed 1 failed: It needs s_x4_toy seed 7, which failed.' in output.err
    assert [line.split('|')[2].strip() for line in output.out.splitlines() if '->T ' in line or 'SR4IR ' in line] == [
        '50.00 ± 0.00',
        '50.00 ± 0.00',
        '-',
        '-',
    ]


def test_a_mistake_ends_before_the_first_run(toy, tools):
    touch(Path(S_FILE))
    options = ('--work-dir', 'w', '--cfg-options', 'train_dataloader.dataset.type=x')
    with pytest.raises(SR4IRError, match="'no/data' is missing, and x needs it"):
        run('*.py', *options, 'train_dataloader.dataset.data_root=no/data')
    with pytest.raises(SR4IRError, match=r"'no\.pth' is missing, and a network starts from it"):
        run('*.py', '--schemes', 'SR4IR', *options, 'model.sr.init_cfg.checkpoint=no.pth')
    with pytest.raises(SR4IRError, match=r'model\.sr\.x=1: no run of this table has that network: leave it out'):
        run('*.py', '--schemes', 'H->T', '--work-dir', 'w', '--cfg-options', 'model.sr.x=1')
    with pytest.raises(SR4IRError, match='must name the task metric'):
        run('*.py', *options, 'default_hooks.checkpoint.save_best=auto')
    with pytest.raises(SR4IRError, match='must name the task metric'):
        run('*.py', *options, 'default_hooks.checkpoint=None')
    assert not tools.calls


@pytest.mark.parametrize(
    ('evaluator', 'name'),
    [
        (dict(type='mmseg.IoUMetric'), 'mIoU'),
        ([dict(type='IoUMetric', iou_metrics=['mDice', 'mIoU']), dict(type='sr4ir_mm.SRQuality')], 'mDice'),
        ([dict(type='CocoMetric')], 'coco/bbox_mAP'),
        (dict(type='mmdet.CocoMetric', metric=['segm', 'bbox'], ann_file='x'), 'coco/segm_mAP'),
        (dict(type='mmpretrain.Accuracy', topk=(1, 5)), 'accuracy/top1'),
        (dict(type='CocoMetric', prefix='coco', metric_items=['mAP', 'mAP_50']), 'coco/bbox_mAP'),
        (dict(type='CocoMetric', metric_items=['mAP_50']), None),
        (dict(type='CocoMetric', metric='proposal'), None),
        (dict(type='Accuracy', prefix='mine'), None),  # its name is not known here
        (dict(type='Accuracy', topk=5), None),
        (None, None),
    ],
)
def test_a_config_of_a_zoo_need_not_name_its_metric(evaluator, name):
    cfg = Config(dict(val_evaluator=evaluator))
    if name:
        assert task_metric(cfg) == name
        for best, expected in dict(aAcc='aAcc', auto=name).items():
            for save_best in best, [best]:
                hooks = dict(checkpoint=dict(save_best=save_best))
                assert task_metric(Config(dict(cfg, default_hooks=hooks))) == expected
    else:
        with pytest.raises(SR4IRError, match='must name the task metric'):
            task_metric(cfg)


def test_other_options_are_not_mixed_in(toy, tools):
    args = ('*.py', '--schemes', 'H->T', '--work-dir', 'w')
    assert run(*args, '--cfg-options', 'resume=1', 'log_level=2') == 0
    assert run(*args, '--cfg-options', 'log_level=2', 'resume=1') == 0
    for other in (
        [],
        ['--cfg-options', 'resume=1', 'log_level=3'],
        ['--amp', '--cfg-options', 'resume=1', 'log_level=2'],
    ):
        with pytest.raises(SR4IRError, match=r"seed7' was made with the options \[log_level=2 resume=1\], not \["):
            run(*args, *other)


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('max_epochs=9', 'max_epochs=8', 'train_cfg.max_epochs was 9, and is 8'),
        ('task=dict()', 'task=dict(x=[1])', r'model.task.x was None, and is \[1\]'),
        ('seed=7', 'deterministic=True, seed=7', 'randomness.deterministic was None, and is True'),
    ],
)
def test_a_config_that_was_changed_after_its_runs(old, new, message, toy, tools):
    args, path = ('net_s_x4_toy.py', '--work-dir', 'w'), Path('net_s_x4_toy.py')
    assert run(*args) == 0
    before = path.read_text()
    path.write_text(before.replace(old, new))
    with pytest.raises(
        SR4IRError, match=rf"h2t/seed7' was made with another config: {message}\. Restore that, or give"
    ):
        run(*args)
    path.write_text(f"# a comment\n{before}log_level = 'ERROR'\ntrain_dataloader = dict(num_workers=3)\n")
    tools.calls.clear()
    with pytest.raises(SR4IRError, match=r'another config: train_dataloader was None, and is \{\}'):
        run(*args)
    path.write_text(
        f"{before}\nlog_level = 'ERROR'\ndefault_hooks = dict(checkpoint=dict(save_best='mIoU', interval=3))\n"
    )
    assert run(*args) == 0 and not tools.calls


def test_a_changed_sr_network_concerns_the_runs_that_have_one(toy, tools):
    path = Path('net_s_x4_toy.py')
    assert run(path, '--work-dir', 'w') == 0
    path.write_text(path.read_text().replace('sr=dict(', 'sr=dict(x=1, '))
    assert run(path, '--work-dir', 'w', '--schemes', 'H->T', 'L->T') == 0
    with pytest.raises(SR4IRError, match=r"w/s_x4_toy/seed7' was made with another config: model\.sr\.x was None"):
        run(path, '--work-dir', 'w')


def test_a_run_that_others_started_from_is_made_again(toy, tools):
    args = ('net_s_x4_toy.py', '--work-dir', 'w', '--schemes', 'S->T')
    assert run(*args) == run(*args) == 0
    shutil.rmtree('w/s_x4_toy')
    for _ in range(2):
        with pytest.raises(SR4IRError, match=r'_s2t/seed7. started from another run of s_x4_toy seed 7, which is gone'):
            run(*args)
        run('net_s_x4_toy.py', '--work-dir', 'w', '--schemes', 'SR4IR')  # trains it
    shutil.rmtree('w/net_s_x4_toy_s2t')
    assert run(*args) == 0


def test_other_numbers_of_gpus_are_not_mixed(toy, tools):
    args = ('net_s_x4_toy.py', '--work-dir', 'w', '--schemes', 'H->T')
    assert run(*args, '--gpus', 2) == run(*args, '--gpus', 2) == 0
    with pytest.raises(SR4IRError, match=r'was made with the options \[--gpus 2\], not \[\]'):
        run(*args)


def test_options_of_a_network_are_for_the_runs_that_have_it(toy, tools):
    options = ('--cfg-options', 'model.sr.init_cfg.prefix=sr.', 'model.task.x=1', 'log_level=1')
    assert run('net_s_x4_toy.py', '--work-dir', 'w', *options) == 0
    given = {name: [arg for arg in args if arg.startswith(('model.sr.init_cfg.p', 'model.task.x', 'log'))]
             for tool, name, args in tools.calls if tool == 'train.py'}  # fmt: skip
    assert given['net_toy_h2t'] == given['net_x4_toy_l2t'] == ['model.task.x=1', 'log_level=1']
    assert given['net_s_x4_toy'] == given['net_s_x4_toy_s2t'] == list(options[1:])
    assert run('net_s_x4_toy.py', '--work-dir', 'w', '--schemes', 'L->T', *options[:1], *options[2:]) == 0  # is done
    assert tools.trained().count('net_x4_toy_l2t') == 1


def test_options_of_the_task_network_and_the_pre_training_of_s():
    config = PaperConfig.parse(CONFIGS / 'sr4ir/deeplabv3_edsr_x4_voc.py')
    plan = Plan(Path('w'), ['model.task.decode_head.channels=64'])
    plan.add_paper_config(config, ['S->T'], seed=0)
    assert [(run.cfg.model.scheme, run.options) for run in plan.runs.values()] == [
        ('S', ()), ('S->T', ('model.task.decode_head.channels=64',)),
    ]  # fmt: skip
    plan = Plan(Path('w'), ['model.task.data_preprocessor.size=(64,64)'])  # sets the crops of both
    with pytest.raises(SR4IRError, match='would not reach the pre-training of the super-resolution network'):
        plan.add_paper_config(config, ['S->T'], seed=0)


def test_configs_of_one_name_are_not_mixed_up(toy, tools):
    config = Path('net_s_x4_toy.py')
    mine = toy / 'mine' / config
    mine.parent.mkdir()
    mine.write_text(config.read_text())
    with pytest.raises(
        SR4IRError, match=r"'net_s_x4_toy.py' and '.*mine/net_s_x4_toy.py' would share 'w/net_(s_x4_)?toy"
    ):
        run(config, mine, '--work-dir', 'w')
    assert run(config, '--work-dir', 'w') == run(config.resolve(), '--work-dir', 'w') == 0
    with pytest.raises(SR4IRError, match=r"was made with 'net_s_x4_toy.py', not '.*mine/net_s_x4_toy.py'"):
        run(mine, '--work-dir', 'w')


def test_runs_without_an_sr_network_are_shared_if_all_else_is_the_same(toy, tools):
    other = "_base_ = './net_s_x4_toy.py'\nmodel = dict(scale=8, sr=dict(x=1), tdp=dict(loss_weight=2))\n"
    Path('net_other_x8_toy.py').write_text(other)
    schemes = ('--schemes', 'H->T', 'L->T', '--work-dir', 'w')
    assert run('net_*.py', *schemes) == 0
    assert tools.trained() == ['net_toy_h2t', 'net_x8_toy_l2t', 'net_x4_toy_l2t']
    assert run('net_s_x4_toy.py', *schemes) == 0 and len(tools.trained()) == 3  # also with the other config alone
    Path('net_other_x8_toy.py').write_text(other + 'train_cfg = dict(max_epochs=8)\n')
    with pytest.raises(SR4IRError, match="would share 'w/net_toy_h2t/seed7', but are different"):
        run('net_*.py', *schemes)


def test_a_seed_counts_once(toy, tools):
    assert run('*.py', '--schemes', 'L->T', '--work-dir', 'w', '--seeds', 0, 0, 1) == 0
    assert Path('w/table.md').read_text().rstrip().endswith('|     2 |')


def test_the_last_checkpoint_is_the_last_that_is_complete(tmp_path):
    assert last_checkpoint(tmp_path / 'nowhere') is None
    for name in ('epoch_2.pth', 'epoch_9.pth', 'epoch_10.pth', 'epoch_11.pth', 'best_mIoU_epoch_12.pth'):
        touch(tmp_path / name)
    complete = (tmp_path / 'epoch_11.pth').read_bytes()
    (tmp_path / 'epoch_11.pth').write_bytes(complete[:-1])
    assert last_checkpoint(tmp_path) == tmp_path / 'epoch_10.pth'


# ---- the numbers


def block(metric: str = 'accuracy/top1', **results: list[dict]):
    """A block whose rows are H->T, L->T, SR4IR, given as h, l, s."""
    names = dict(h='H->T', l='L->T', s='SR4IR')
    by_seed = {
        names[key]: values if isinstance(values, dict) else dict(enumerate(values)) for key, values in results.items()
    }
    return make_block(dict(net='resnet18', sr='edsr', scale=4, data='cars'), metric, by_seed)


@pytest.fixture
def example():
    """Two seeds of L->T, one of H->T, two of SR4IR, of which one lacks LPIPS."""
    top1, psnr, ssim, lpips = 'accuracy/top1', 'sr/PSNR', 'sr/SSIM', 'sr/LPIPS'
    return block(
        h=[{top1: 80.0, psnr: math.inf, ssim: 1.0}],
        l=[{top1: 60.0, psnr: 20.0, ssim: 0.5}, {top1: 61.0, psnr: 20.0, ssim: 0.5}],
        s=[{top1: 70.0, psnr: 22.0, ssim: 0.7, lpips: 0.3}, {top1: 66.0, psnr: 23.0, ssim: 0.6}],
    )


def test_mean_spread_and_gap(example):
    cell = example.rows[2].cells['top-1 (%)']
    assert (cell.mean, cell.std, cell.n) == (68.0, pytest.approx(8**0.5), 2)  # sqrt((2^2 + 2^2) / (2 - 1))
    # over the seed that all three have
    assert [(row.gap.mean, row.gap.n) for row in example.rows] == [(1.0, 1), (0.0, 1), (0.5, 1)]
    assert math.isnan(example.rows[0].cells['top-1 (%)'].std)


def test_markdown(example):
    assert to_markdown([example]).splitlines() == [
        '### resnet18, edsr, x4, cars',
        '',
        '| scheme |    top-1 (%) |    PSNR (dB) |          SSIM |          LPIPS |    gap closed | seeds |',
        '| :------|------------: |------------: |-------------: |--------------: |-------------: |-----: |',
        '| H->T   |        80.00 |            ∞ |         1.000 |              - |          1.00 |     1 |',
        '| L->T   | 60.50 ± 0.71 | 20.00 ± 0.00 | 0.500 ± 0.000 |              - | 0.00 (1 of 2) |     2 |',
        '| SR4IR  | 68.00 ± 2.83 | 22.50 ± 0.71 | 0.650 ± 0.071 | 0.300 (1 of 2) | 0.50 (1 of 2) |     2 |',
    ]


def test_csv(example, tmp_path):
    write_csv([example, block('mIoU', l=[{'mIoU': 40.0}])], tmp_path / 'table.csv')
    with open(tmp_path / 'table.csv', newline='') as file:
        lines = list(csv.DictReader(file))
    assert [line['scheme'] for line in lines] == ['H->T', 'L->T', 'SR4IR', 'L->T']
    sr4ir = lines[2]
    assert [sr4ir[key] for key in ('net', 'sr', 'scale', 'data', 'seeds', 'metric')] == [
        'resnet18', 'edsr', '4', 'cars', '2', 'top-1 (%)',
    ]  # fmt: skip
    assert (float(sr4ir['value']), float(sr4ir['value std'])) == (68.0, pytest.approx(8**0.5))
    assert (float(sr4ir['gap closed']), sr4ir['gap seeds']) == (0.5, '1')
    assert (lines[0]['PSNR (dB)'], lines[0]['LPIPS'], lines[0]['value std']) == ('inf', '', '')
    assert (lines[3]['metric'], lines[3]['value'], lines[3]['gap closed']) == ('mIoU (%)', '40.0', '')


def test_map_is_in_percent_and_an_unknown_metric_as_it_is():
    assert block('coco/bbox_mAP', l=[{'coco/bbox_mAP': 0.25}]).rows[0].cells['mAP (%)'].mean == 25.0
    assert block('f1', l=[{'f1': 0.25}]).rows[0].cells['f1'].mean == 0.25


def test_the_gap_over_other_seeds():
    """Values of a seed that is missing elsewhere do not count: the paired gap is (71 - 60) / (80 - 60)."""
    top1 = 'accuracy/top1'
    rows = block(h={1: {top1: 80.0}, 2: {top1: 90.0}}, l={1: {top1: 60.0}, 3: {top1: 0.0}}, s={1: {top1: 71.0}}).rows
    assert (rows[2].gap.mean, rows[2].gap.n) == (pytest.approx(0.55), 1)
    assert [row.gap for row in block(h={1: {top1: 80.0}}, l={2: {top1: 60.0}}, s={1: {top1: 71.0}}).rows] == [None] * 3
    two = block(
        h={1: {top1: 80.0}, 2: {top1: 60.0}}, l={1: {top1: 60.0}, 2: {top1: 50.0}}, s={1: {top1: 70.0}, 2: {top1: 56.0}}
    )
    assert (two.rows[2].gap.mean, two.rows[2].gap.n) == (pytest.approx(16 / 30), 2)


def test_nothing_to_measure_is_no_number():
    """COCO's -1 is not -100 %, nor a part of a mean; other metrics may be -1."""
    key = 'coco/bbox_mAP'
    table = block(key, l=[{key: -1.0}, {key: 0.25}], s=[{key: -1.0}])
    cell = table.rows[0].cells['mAP (%)']
    assert (cell.mean, cell.n) == (25.0, 1) and table.rows[1].cells['mAP (%)'] is None
    assert '25.00 (1 of 2)' in to_markdown([table]) and '-100' not in to_markdown([table])
    assert block('coco/segm_mAP_s', l=[{'coco/segm_mAP_s': -1}]).rows[0].cells['coco/segm_mAP_s'] is None
    assert block('correlation', l=[{'correlation': -1.0}]).rows[0].cells['correlation'].mean == -1


def test_no_gap_and_no_results():
    same = [{'accuracy/top1': 50.0}]
    assert [row.gap for row in block(h=same, l=same, s=same).rows] == [None] * 3
    assert [row.gap for row in block(h=[], l=same, s=same).rows] == [None] * 3
    assert '| SR4IR  |         - |         - |    - |     - |          - |     0 |' in to_markdown([block(h=[], s=[])])


def test_plot(example, tmp_path):
    plot([example] * 5 + [block(h=[], s=[])], tmp_path / 'table.png')
    with Image.open(tmp_path / 'table.png') as image:
        assert image.size == (4 * 600, 2 * 480)  # four panels in a row
        assert len(image.convert('RGB').getcolors(2**20)) > 20


def test_the_metric_is_that_of_the_best_checkpoint():
    plan = Plan(Path('w'))
    assert task_metric(plan.load(CONFIGS / 'sr4ir/deeplabv3_edsr_x4_voc.py')) == 'mIoU'


# ---- all of it


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_in_training_and_run_again(tmp_path):
    """Real trainings: the first command is killed after an epoch, the next goes on, a third finds no work."""
    make_voc(tmp_path / 'voc')
    config = CONFIGS / 'demo/fcn-tiny_edsr-tiny_x4_demo.py'
    options = ['data_root=voc', 'train_cfg.max_epochs=3', 'train_dataloader.batch_size=2']
    command = [sys.executable, '-W', 'ignore', str(TOOLS / 'make_table.py'), str(config), '--schemes', 'L->T', 'SR4IR']
    command += ['--work-dir', 'w', '--cfg-options', *options]
    env = dict(os.environ, OMP_NUM_THREADS='1')
    first = subprocess.Popen(command, cwd=tmp_path, env=env, start_new_session=True, stdout=subprocess.DEVNULL)
    folder = tmp_path / 'w/fcn-tiny_x4_demo_l2t/seed0'
    try:
        while not last_checkpoint(folder):
            assert first.poll() is None
            time.sleep(0.01)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert json.loads((folder / 'result.json').read_text())['metrics'] is None
    cut = last_checkpoint(folder).stem.partition('_')[2]
    second = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stderr
    assert '1/2 fcn-tiny_x4_demo_l2t seed 0 (resume)' in second.stdout and f'resumed epoch: {cut},' in second.stdout
    assert '2/2 fcn-tiny_edsr-tiny_x4_demo seed 0 (new)' in second.stdout
    for scheme in ('L->T', 'SR4IR'):
        (line,) = [line for line in second.stdout.splitlines() if line.startswith(f'| {scheme} ')]
        assert line.split('|')[2].strip().replace('.', '').isdigit()  # an mIoU
    third = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert third.returncode == 0 and '=====' not in third.stdout
    assert third.stdout[third.stdout.index('###') :] == second.stdout[second.stdout.rindex('###') :]
