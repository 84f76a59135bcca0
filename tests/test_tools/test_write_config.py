"""tools/train.py --write-config: the file is the run that the command line describes, or the command is refused."""

from pathlib import Path

import pytest
from helpers.zoo import run_tool, tiny_config

from sr4ir_mm.config import enable_amp, load_config
from sr4ir_mm.config.mixing import load_mix

RETINANET = 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'


@pytest.fixture
def user(tmp_path, monkeypatch) -> str:
    """A user's file that inherits from a zoo's config."""
    monkeypatch.chdir(tmp_path)
    Path('user.py').write_text(f'_base_ = {RETINANET!r}')
    return 'user.py'


def test_every_option_is_in_the_file(user):
    options = ('model.tdp.loss_weight=0.25', 'train_cfg.max_epochs=2')
    train = ('train', user, '--sr', 'edsr', '--scheme', 's2t', '--amp', '--auto-scale-lr', '--work-dir', 'mine')
    assert run_tool(*train, '--write-config', 'new/written.py', '--cfg-options', *options, cwd=Path()) == 0
    written = load_config('new/written.py')
    expected = load_mix(user, 'edsr', 4, 'S->T', False, {'model.tdp.loss_weight': 0.25, 'train_cfg.max_epochs': 2})
    enable_amp(expected)
    expected.auto_scale_lr.enable = True
    expected.work_dir = 'mine'
    assert written.to_dict() == expected.to_dict()
    assert written.model.tdp.loss_weight == 0.25 and written.model.scheme == 'S->T'
    assert written.model.sr.init_cfg.checkpoint.endswith('epoch_2.pth')
    assert 'Amp' in written.optim_wrapper.task.type


def test_a_mix_without_options_is_a_few_lines(user):
    assert run_tool('train', user, '--sr', 'edsr', '--write-config', 'short.py', cwd=Path()) == 0
    assert len(Path('short.py').read_text().splitlines()) < 10
    assert load_config('short.py').model.to_dict() == load_mix(user, 'edsr', 4, 'SR4IR', False, None).model.to_dict()


@pytest.mark.parametrize('action', [[], ['--write-config', 'new.py']])
@pytest.mark.parametrize('config', [RETINANET, 'user.py', 'new_style.py'])
def test_the_task_network_is_not_trained_alone(config, action, user, fails):
    Path('new_style.py').write_text('from mmdet.models import RetinaNet\nmodel = dict(type=RetinaNet)\n')
    message = fails('train', config, *action)
    assert message == f"'{config}' is a config without a super-resolution network: add --sr edsr --scale 4."
    assert not Path('new.py').exists() and not Path('work_dirs').exists()


@pytest.mark.parametrize(
    'arguments, words',
    [
        (['--sr', 'edsr', '--write-config', 'user.py'], "'user.py' exists. Choose another name, or delete it"),
        (['--sr', 'edsr', '--write-config', 'new.yaml'], 'give a name that ends in .py'),
        (['--sr', 'edsr', '--write-config', 'new.py', '--resume'], 'writes no --resume'),
        (['--sr', 'edsr', '--write-config', 'user.py/new.py'], "'user.py/new.py' cannot be written"),
        (['--sr', 'edsr', '--pretrained', '--write-config', 'new.py'], "'user.py' has no published weights"),
        (
            ['--scheme', 's2t', '--write-config', 'new.py'],
            "The scheme 'S->T' needs a super-resolution network",
        ),
        (['--sr', 'edsr', '--cfg-options', 'model.tdp.wait=1', '--write-config', 'new.py'], "'wait' is unknown"),
    ],
)
def test_what_is_refused(arguments, words, user, fails):
    before = Path('user.py').read_text()
    assert words in fails('train', user, *arguments)
    assert not Path('new.py').exists() and Path('user.py').read_text() == before


def test_options_of_a_mix_for_a_config_that_has_the_network(tmp_path, fails):
    tiny_config(tmp_path)
    for option in (['--sr', 'edsr'], ['--scale', '4'], ['--pretrained']):
        assert 'leave out --sr, --scale and --pretrained' in fails('train', 'tiny.py', *option)
