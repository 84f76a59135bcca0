"""A training is not overwritten by another one, and is resumed only from a state of the same kind."""

import os
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


def test_a_training_with_another_scheme_cannot_be_resumed(tmp_path):
    path = save(tmp_path / 'epoch_1.pth', 'S+T')
    with pytest.raises(SR4IRError, match=r'is of the scheme S\+T, but the config says SR4IR: resume with the same'):
        set_resume(config(tmp_path), str(path))
    cfg = config(tmp_path, model=dict(scheme='st'))  # an alias
    set_resume(cfg, str(path))
    assert cfg.resume
