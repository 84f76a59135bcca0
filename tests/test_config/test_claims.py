"""A training is not overwritten by another one, and is resumed only from a state of the same kind."""

import copy
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from sr4ir_mm.config.claims import claim_work_dir, set_resume
from sr4ir_mm.errors import SR4IRError


def config(folder: Path, **entries) -> Config:
    return Config(dict(dict(work_dir=str(folder), launcher='none', model=dict(scheme='SR4IR')), **entries))


def save(path: Path, scheme: str = 'SR4IR', without: str = '') -> Path:
    text = config(path.parent, model=dict(scheme=scheme)).pretty_text
    state = dict(meta=dict(epoch=1, iter=2, cfg=text), state_dict=dict(a=torch.ones(1)), optimizer={}, message_hub={})
    state.pop(without, None)
    path.parent.mkdir(exist_ok=True)
    torch.save(state, path)
    return path


def test_a_folder_without_checkpoints_can_be_used_again(tmp_path):
    claim_work_dir(config(tmp_path / 'new'))
    claim_work_dir(config(tmp_path / 'new'))
    (tmp_path / 'new/run.py').write_text('a = 1')  # of a training that failed
    claim_work_dir(config(tmp_path / 'new'))


@pytest.mark.parametrize('name', ['epoch_1.pth', 'best_mIoU_epoch_1.pth', 'last_checkpoint'])
def test_a_second_training(name, tmp_path):
    (tmp_path / name).write_text('cut off')
    with pytest.raises(SR4IRError, match='holds a training, which this one would overwrite: continue it with --resume'):
        claim_work_dir(config(tmp_path))
    with pytest.raises(SR4IRError, match='holds a training'):
        claim_work_dir(config(tmp_path), resume=str(save(tmp_path / 'other/epoch_1.pth')))
    assert not (tmp_path / '.training').exists()
    claim_work_dir(config(tmp_path), resume='auto')


def test_from_an_earlier_checkpoint_of_the_same_training(tmp_path, monkeypatch):
    path = save(tmp_path / 'run/epoch_1.pth')
    monkeypatch.chdir(tmp_path)
    claim_work_dir(config(tmp_path / 'run'), resume='run/epoch_1.pth')
    claim_work_dir(config(Path('run')), resume=str(path))


def test_a_training_that_is_running(tmp_path):
    """In another process; when it ends, however it ends, the folder is free."""
    code = (
        'import sys; from mmengine.config import Config; from sr4ir_mm.config.claims import claim_work_dir; '
        f'claim_work_dir(Config(dict(work_dir={str(tmp_path)!r}))); print("claimed", flush=True); sys.stdin.read()'
    )
    command = [sys.executable, '-W', 'ignore', '-c', code]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == 'claimed\n'
        for resume in (None, 'auto'):
            with pytest.raises(SR4IRError, match=f"Another training is running in '{tmp_path}': wait for it"):
                claim_work_dir(config(tmp_path), resume)
    finally:
        process.kill()
        process.wait()
    claim_work_dir(config(tmp_path))


@pytest.mark.parametrize(('launcher', 'rank'), [('pytorch', 'RANK'), ('slurm', 'SLURM_PROCID')])
def test_one_process_of_several_claims(launcher, rank, tmp_path, monkeypatch):
    monkeypatch.setenv(rank, '1')
    claim_work_dir(config(tmp_path / 'run', launcher=launcher))
    assert not (tmp_path / 'run').exists()
    monkeypatch.setenv(rank, '0')
    claim_work_dir(config(tmp_path / 'run', launcher=launcher))
    assert (tmp_path / 'run/.training').exists()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(SR4IRError, match=r"file/run' cannot be written .*--work-dir"):
        claim_work_dir(config(tmp_path / 'file/run'))


def test_where_the_file_system_has_no_locks(tmp_path, monkeypatch):
    import fcntl

    def lockf(*args):
        raise OSError(os.strerror(37))

    monkeypatch.setattr(fcntl, 'lockf', lockf)
    claim_work_dir(config(tmp_path))


def test_resume_without_a_checkpoint_starts_as_the_config_says(tmp_path):
    """As after the first start of a job that is requeued."""
    cfg = config(tmp_path, load_from='start.pth', resume=True)
    set_resume(cfg, 'auto')
    assert cfg.resume is False and cfg.load_from == 'start.pth'


def test_resume_from_the_last_complete_checkpoint(tmp_path):
    path = save(tmp_path / 'epoch_1.pth')
    (tmp_path / 'epoch_2.pth').write_bytes(path.read_bytes()[:-9])
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_2.pth'))
    cfg = config(tmp_path, load_from='start.pth')
    set_resume(cfg, 'auto')
    assert cfg.resume is True and cfg.load_from == str(path)


@pytest.mark.parametrize('without', ['optimizer', 'message_hub', 'meta'])
def test_a_file_of_weights_cannot_be_resumed(without, tmp_path):
    path = save(tmp_path / 'epoch_1-1a2b3c4d.pth', without=without)
    for name in ('auto', str(path)):
        with pytest.raises(SR4IRError, match=rf'has no (epoch|{without}): .*leave out --resume: .*load_from={path}'):
            set_resume(config(tmp_path), name)


NET = dict(type='EncoderDecoder', backbone=dict(type='ResNet', depth=18, norm_cfg=dict(type='BN')),
           decode_head=dict(type='FCNHead', num_classes=2, loss_decode=dict(type='CrossEntropyLoss')))  # fmt: skip
SETS = dict(type='BaseSegDataset', data_root='data/a', ann_file='train.txt', data_prefix=dict(img_path='img'),
            metainfo=dict(classes=('a', 'b')), pipeline=[dict(type='Resize', scale=(8, 8))])  # fmt: skip
RUN = dict(
    model=dict(scheme='SR4IR', scale=4, task=NET, sr=dict(type='EDSRNet', mid_channels=8)),
    train_dataloader=dict(batch_size=4, num_workers=2, dataset=SETS),
    val_dataloader=dict(dataset=dict(SETS, ann_file='val.txt')), train_cfg=dict(max_epochs=10),
    default_hooks=dict(logger=dict(interval=50)), optim_wrapper=dict(sr=dict(optimizer=dict(type='Adam', lr=1e-3))),
)  # fmt: skip


def resumed(folder: Path, options: dict, base: dict = RUN, allow: bool = False, seed: int | None = None) -> Config:
    """Resume a run with other options of its config."""
    path = save(folder / 'epoch_1.pth')
    state = torch.load(path, weights_only=False)
    then, now = (Config(copy.deepcopy(dict(base, work_dir=str(folder)))) for _ in range(2))
    torch.save(dict(state, meta=dict(state['meta'], cfg=then.pretty_text, seed=seed)), path)
    now.merge_from_dict(options)
    set_resume(now, str(path), allow)
    return now


@pytest.fixture
def notes(monkeypatch) -> list[str]:
    """What is logged."""
    found = []
    for module in ('claims', 'resuming'):
        monkeypatch.setattr(f'sr4ir_mm.config.{module}.print_log', lambda text, *args: found.append(text))
    return found


@pytest.mark.parametrize('then, now', [('S+T', 'SR4IR'), ('SR4IR', 'l2t'), ('SR4IR', 's')])
def test_a_training_with_another_scheme_cannot_be_resumed(then, now, tmp_path):
    path = save(tmp_path / 'epoch_1.pth', then)
    words = f'is of another scheme: model.scheme is {now}, and was {then}. Resume with the config of its'
    with pytest.raises(SR4IRError, match=re.escape(words)):
        set_resume(config(tmp_path, model=dict(scheme=now)), str(path))
    cfg = config(tmp_path, model=dict(scheme=now))
    set_resume(cfg, str(path), allow_changes=True)
    assert cfg.resume


def test_another_name_of_the_same_scheme(tmp_path):
    cfg = config(tmp_path, model=dict(scheme='st'))
    set_resume(cfg, str(save(tmp_path / 'epoch_1.pth', 'S+T')))
    assert cfg.resume


@pytest.mark.parametrize(
    'options, what, text',
    [
        ({'model.task.type': 'CascadeEncoderDecoder'}, 'another task network', "model.task.type is 'Cascade"),
        ({'model.task.backbone.depth': 50}, 'another task network', 'model.task.backbone.depth is 50, and was 18'),
        ({'model.task.decode_head.num_classes': 3}, 'another task network', 'num_classes is 3, and was 2'),
        ({'model.task.neck.type': 'FPN'}, 'another task network', "model.task.neck.type is 'FPN', and was missing"),
        ({'model.sr.mid_channels': 16}, 'another super-resolution network', 'model.sr.mid_channels is 16, and was 8'),
        ({'model.scale': 2}, 'another super-resolution network', 'model.scale is 2, and was 4'),
        ({'train_dataloader.dataset.type': 'ADE20KDataset'}, 'other training data', "is 'ADE20KDataset', and was"),
        ({'train_dataloader.dataset.ann_file': 'all.txt'}, 'other training data', "is 'all.txt', and was 'train.txt'"),
        ({'train_dataloader.dataset.data_prefix.img_path': 'x'}, 'other training data', "is 'x', and was 'img'"),
        (
            {'train_dataloader.dataset.metainfo.classes': ('b', 'a')},
            'other training data',
            "classes is ['b', 'a'], and",
        ),
        ({'train_dataloader.dataset.indices': 10}, 'other training data', 'dataset.indices is 10, and was missing'),
        ({'val_dataloader.dataset.ann_file': 'test.txt'}, 'other validation data', "is 'test.txt', and was 'val.txt'"),
    ],
)
def test_another_network_or_other_data(options, what, text, tmp_path, notes):
    with pytest.raises(SR4IRError, match=f'is of {what}: ') as error:
        resumed(tmp_path, options)
    assert text in str(error.value) and '--allow-changes' in str(error.value)
    assert f'load_from={tmp_path}/epoch_1.pth' in str(error.value)
    assert not notes and resumed(tmp_path, options, allow=True).resume
    assert text in notes[0]


@pytest.mark.parametrize(
    'options',
    [
        {},
        {'default_hooks.logger.interval': 1},
        {'model.task.backbone.norm_cfg.type': 'SyncBN'},
        {'model.task.type': 'mmseg.EncoderDecoder'},
        {'test_dataloader': dict(dataset=dict(ann_file='x'))},
        {'launcher': 'pytorch'},
        {'my_own_variable': 1},
    ],
)
def test_what_may_change_without_a_word(options, tmp_path, notes):
    assert resumed(tmp_path, options).resume and not notes


@pytest.mark.parametrize(
    'options, text',
    [
        ({'train_cfg.max_epochs': 20}, 'train_cfg.max_epochs is 20, and was 10'),
        ({'train_dataloader.batch_size': 2}, 'train_dataloader.batch_size is 2, and was 4'),
        ({'train_dataloader.num_workers': 0}, 'train_dataloader.num_workers is 0, and was 2'),
        ({'optim_wrapper.sr.optimizer.lr': 1e-4}, 'optim_wrapper.sr.optimizer.lr is 0.0001, and was 0.001'),
        ({'train_dataloader.dataset.data_root': 'data/b'}, "data_root is 'data/b', and was 'data/a'"),
        ({'train_dataloader.dataset.pipeline.0.scale': (9, 9)}, 'dataset.pipeline.0.scale is [9, 9], and was [8, 8]'),
        ({'model.task.decode_head.loss_decode.loss_weight': 0.4}, 'loss_weight is 0.4, and was missing'),
        ({'model.task.decode_head.dropout_ratio': 0.5}, 'dropout_ratio is 0.5, and was missing'),
        ({'model.task.backbone.with_cp': True}, 'with_cp is True, and was missing'),
        ({'model.tdp.relative': True}, 'model.tdp.relative is True, and was missing'),
        ({'model.channels_last': True}, 'model.channels_last is True, and was missing'),
        ({'compile': True}, 'compile is True, and was missing'),
    ],
)
def test_what_may_change_with_a_note(options, text, tmp_path, notes):
    assert resumed(tmp_path, options).resume
    (note,) = notes
    assert note.startswith('Resumed with other entries: ') and note.endswith(text)


def test_paths_below_a_root_that_has_moved(tmp_path):
    base = copy.deepcopy(RUN)
    base['train_dataloader']['dataset'].update(ann_file='data/a/train.txt', data_prefix=dict(img_path='data/a/img'))
    moved = {'data_root': '/disk/a', 'ann_file': '/disk/a/train.txt', 'data_prefix.img_path': '/disk/a/img'}
    options = {f'train_dataloader.dataset.{key}': value for key, value in moved.items()}
    assert resumed(tmp_path, options, base).resume
    options['train_dataloader.dataset.ann_file'] = '/disk/a/other.txt'
    with pytest.raises(SR4IRError, match=r"ann_file is 'other\.txt', and was 'train\.txt'"):
        resumed(tmp_path, options, base)


def test_a_training_without_a_seed_goes_on_with_its_own(tmp_path):
    """MMEngine draws one, and gives that of the checkpoint back when the samplers have taken another one."""
    path = save(tmp_path / 'epoch_1.pth')
    torch.save(dict(torch.load(path), meta=dict(torch.load(path)['meta'], seed=123456)), path)
    cfg = config(tmp_path)
    set_resume(cfg, 'auto')
    assert cfg.randomness == dict(seed=123456)


@pytest.mark.parametrize('stored', [{}, dict(seed=123456)])  # with it after the first time that it was resumed
@pytest.mark.parametrize('given', [{}, dict(seed=123456), dict(seed=1)])
def test_the_log_names_the_seed_that_counts(given, stored, tmp_path, notes):
    base = dict(RUN, randomness=dict(stored, deterministic=True))
    cfg = resumed(tmp_path, dict(randomness=dict(given, _delete_=True, deterministic=True)), base, seed=123456)
    assert cfg.randomness == dict(seed=123456, deterministic=True)
    text = 'randomness.seed=1 has no effect: a resumed training keeps its seed, which is 123456.'
    assert notes == ([text] if given.get('seed') == 1 else [])
