"""Baselines that are derived from a config of SR4IR: what changes, and names of runs."""

import shlex
from pathlib import Path

import pytest
import torch
from helpers.zoo import run_tool, runner_for
from mmengine.config import Config
from mmengine.registry import init_default_scope

from sr4ir_mm.config import apply_scheme, build_model, check_weights, load_run, mix
from sr4ir_mm.config.building import model_config
from sr4ir_mm.config.mixing import mix_text
from sr4ir_mm.config.schemes import run_name
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models.scheme import ALIASES

CONFIGS = Path(__file__).parents[2] / 'configs'
RESNET = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
YOLOX = 'mmdet::yolox/yolox_tiny_8xb8-300e_coco.py'
#: name of a config -> its folder, and its last epoch
FAMILIES = {
    'deeplabv3_edsr_x4_voc': ('sr4ir', 100),
    'faster-rcnn_swinir_x8_voc': ('sr4ir', 30),
    'resnet18_edsr_x8_cub': ('sr4ir', 200),
    'tv-deeplabv3_swinir_x4_voc': ('paper', 100),
    'tv-faster-rcnn_edsr_x8_voc': ('paper', 30),
    'tv-resnet18_edsr_x4_cars': ('paper', 200),
}


def load(name: str) -> Config:
    (path,) = CONFIGS.rglob(f'{name}.py')
    return Config.fromfile(path)


def start(net: str, name: str, epoch: int, command: str) -> tuple[dict, dict]:
    """The ``init_cfg`` of a network that another run trained, and the entry ``pretraining``."""
    checkpoint = f'work_dirs/{name}/epoch_{epoch}.pth'
    init_cfg = dict(type='Pretrained', prefix=f'{net}.', checkpoint=checkpoint)
    return init_cfg, {checkpoint: f'python tools/train.py {command}'}


@pytest.mark.parametrize('name', FAMILIES)
def test_a_baseline_is_the_sr4ir_config_but_for_its_scheme(name):
    folder, last = FAMILIES[name]
    cfg = load(name)
    before = cfg.to_dict()
    net, _, scale, data = name.split('_')
    names = dict(h2t=f'{net}_{data}_h2t', l2t=f'{net}_{scale}_{data}_l2t', sr4ir=name)
    for alias, scheme in ALIASES.items():
        expected = load(name).to_dict()
        model = expected['model']
        if scheme != 'SR4IR':
            model['scheme'] = scheme
            expected['param_scheduler'] = expected['baseline_scheduler']
        if alias in ('h2t', 'l2t'):
            model['sr'] = None
        elif alias == 's2t':
            command = f'{cfg.filename} --scheme s'
            model['sr']['init_cfg'], expected['pretraining'] = start('sr', f'{name}_s', last, command)
        elif alias == 't2s':
            command = f'{cfg.filename} --scheme h2t'
            model['task']['init_cfg'], expected['pretraining'] = start('task', names['h2t'], last, command)
        elif alias == 's':
            model['data_preprocessor'] = model['task']['data_preprocessor']
            model['task'] = None
            expected['val_evaluator'] = expected['test_evaluator'] = [dict(type='sr4ir_mm.SRQuality')]
            expected['default_hooks']['checkpoint']['save_best'] = 'sr/PSNR'
        derived = apply_scheme(cfg, alias)
        assert derived.to_dict() == apply_scheme(cfg, scheme).to_dict() == expected, scheme
        run = names.get(alias, f'{name}_{alias}')
        assert Path(derived.filename) == CONFIGS / folder / f'{run}.py'
    assert cfg.to_dict() == before and cfg.filename.endswith(f'{name}.py')


def test_a_schedule_without_restart_stays():
    cfg = load('fcn-tiny_edsr-tiny_x4_demo')
    assert apply_scheme(cfg, 'L->T').param_scheduler == cfg.param_scheduler


def test_names_of_runs():
    names = {scheme: run_name('a_b_x4_c', scheme) for scheme in ALIASES.values()}
    assert names == {
        'S': 'a_b_x4_c_s', 'H->T': 'a_c_h2t', 'L->T': 'a_x4_c_l2t', 'S->T': 'a_b_x4_c_s2t', 'T->S': 'a_b_x4_c_t2s',
        'S+T': 'a_b_x4_c_st', 'SR4IR': 'a_b_x4_c',
    }  # fmt: skip
    assert run_name('mine', 'H->T') == 'mine_h2t'  # the name does not tell its parts
    assert run_name('retinanet_x101_1x_coco_edsr_x4', 'L->T') == 'retinanet_x101_1x_coco_x4_l2t'  # a mix


def test_what_is_refused(tmp_path):
    cfg = load('resnet18_edsr_x4_cub')
    with pytest.raises(SR4IRError, match=r"Unknown scheme 'S4T'; choose one of .*S->T \(s2t\)"):
        apply_scheme(cfg, 'S4T')
    for scheme in ('SR4IR', 'L->T'):
        with pytest.raises(SR4IRError, match=r"resnet18_edsr_x4_cub_st.py' already has the scheme S\+T"):
            apply_scheme(apply_scheme(cfg, 'S+T'), scheme)
    cfg.model.scheme = [dict(learn=('sr',), pixel=1.0)]
    with pytest.raises(SR4IRError, match='already has the scheme'):
        apply_scheme(cfg, 'S')
    with pytest.raises(SR4IRError, match="'None' has no super-resolution network: add one with --sr"):
        apply_scheme(Config(dict(model=dict(type='EncoderDecoder'))), 'S+T')


def test_the_work_dir_of_sr4ir_is_not_used_again():
    cfg = load('resnet18_edsr_x4_cub')
    cfg.work_dir = 'mine'
    assert 'work_dir' not in apply_scheme(cfg, 'S+T') and apply_scheme(cfg, 'SR4IR').work_dir == 'mine'


# ---- with options


def test_the_scheme_follows_options_and_options_win():
    path = CONFIGS / 'sr4ir/resnet18_edsr_x4_cub.py'
    assert load_run(path, 't2s', {'train_cfg.max_epochs': 3}).model.task.init_cfg.checkpoint.endswith('h2t/epoch_3.pth')
    for options in (
        {'model.task.init_cfg.checkpoint': 'mine.pth'},
        {'model.task.init_cfg': dict(checkpoint='mine.pth')},
    ):
        cfg = load_run(path, 't2s', options)
        assert cfg.model.task.init_cfg == dict(type='Pretrained', prefix='task.', checkpoint='mine.pth')
    cfg = load_run(path, 's', {'data_root': 'birds', 'default_hooks.checkpoint.save_best': None})
    assert cfg.train_dataloader.dataset.data_root == 'birds' and cfg.default_hooks.checkpoint.save_best is None
    with pytest.raises(SR4IRError, match=r"resnet18_cub_h2t.py' does not take the --cfg-options"):
        load_run(path, 'h2t', {'model.sr.mid_channels': 8})


def test_a_missing_start_is_named_with_the_command_that_makes_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = load_run(CONFIGS / 'sr4ir/resnet18_edsr_x4_cub.py', 's2t')
    words = r"resnet18_edsr_x4_cub_s/epoch_200.pth' is missing.* python tools/train.py .*x4_cub.py --scheme s\n"
    with pytest.raises(SR4IRError, match=words):
        check_weights(cfg)


def test_write_config(tmp_path):
    """A complete file, which is the run's config."""
    config = CONFIGS / 'sr4ir/resnet18_edsr_x4_cub.py'
    arguments = ('--scheme', 's2t', '--write-config', 'mine.py', '--cfg-options', 'data_root=birds')
    assert run_tool('train', config, *arguments, cwd=tmp_path) == 0
    written = Config.fromfile(tmp_path / 'mine.py')
    assert written.to_dict() == load_run(config, 'S->T', {'data_root': 'birds'}).to_dict()
    assert run_tool('train', config, '--write-config', 'mine.json', cwd=tmp_path) == 2


@pytest.mark.parametrize(
    'arguments, words',
    [
        (['--scheme', 's3t'], "Unknown scheme 's3t'"),
        (['--sr', 'edsr'], 'already has a super-resolution network'),
        (['--scheme', 'h2t', '--scale', '8'], 'leave out --sr, --scale and --pretrained'),
    ],
)
def test_arguments_of_train_that_do_not_fit(arguments, words, tmp_path, capsys):
    assert run_tool('train', CONFIGS / 'sr4ir/resnet18_edsr_x4_cub.py', *arguments, cwd=tmp_path) == 2
    assert words in capsys.readouterr().err


# ---- mixes


def test_baselines_of_a_mix():
    sr = dict(type='mmagic.EDSRNet')
    name, command = 'resnet18_8xb32_in1k_edsr_x4', f'{RESNET} --sr edsr --scale 4'
    assert Path(mix(RESNET).filename).stem == name
    s2t, t2s = mix(RESNET, scheme='S->T'), mix(RESNET, scheme='t2s')
    assert (s2t.model.sr.init_cfg, s2t.pretraining) == start('sr', f'{name}_s', 100, f'{command} --scheme s')
    expected = start('task', 'resnet18_8xb32_in1k_h2t', 100, f'{command} --scheme h2t')
    assert (t2s.model.task.init_cfg, t2s.pretraining) == expected
    l2t = mix(RESNET, sr=sr, scheme='L->T')
    assert l2t.model.sr is None and Path(l2t.filename).stem == 'resnet18_8xb32_in1k_x4_l2t'
    assert Path(mix(RESNET, sr=sr, scheme='S+T').filename).stem == 'resnet18_8xb32_in1k_EDSRNet_x4_st'
    with pytest.raises(SR4IRError, match="scheme 'S->T' needs a super-resolution network: add --sr edsr"):
        mix(RESNET, sr=None, scheme='s2t')


def test_a_command_can_be_copied_to_a_shell(tmp_path):
    file = tmp_path / 'my net.py'
    file.write_text("scale = 4\nsr = dict(type='mmagic.EDSRNet')\n")
    (command,) = mix(RESNET, sr=str(file), scheme='S->T').pretraining.values()
    assert shlex.split(command)[2:] == [RESNET, '--sr', str(file), '--scale', '4', '--scheme', 's']
    (command,) = mix(RESNET, sr=dict(type='mmagic.EDSRNet'), scheme='S->T').pretraining.values()
    assert shlex.split(command)[3:5] == ['--sr', 'SR_FILE.py']  # a class is no name of a network
    (tmp_path / 'my config.py').write_text(mix_text(RESNET))
    (command,) = load_run(tmp_path / 'my config.py', 's2t').pretraining.values()
    assert shlex.split(command)[2:] == [str(tmp_path / 'my config.py'), '--scheme', 's']


def test_a_task_network_with_weights_of_its_own_keeps_them():
    cfg = mix(RESNET, scheme='T->S', pretrained=True)
    assert 'resnet18_8xb32_in1k' in cfg.model.task.init_cfg.checkpoint and 'pretraining' not in cfg


def test_the_start_of_a_mix_in_iterations():
    task = 'mmseg::segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py'
    assert mix(task, scheme='s2t', **{'train_cfg.max_iters': 7}).model.sr.init_cfg.checkpoint.endswith('_s/iter_7.pth')


def test_pretraining_with_the_data_of_a_mix():
    """The images are prepared as by the zoo's model: by its class of preprocessor, with its augmentation."""
    mixed = mix('mmpretrain::convnext/convnext-tiny_32xb128_in1k.py', scheme='S')
    model = model_config(mixed)
    assert model.task is None and mixed.data_preprocessor == model.data_preprocessor
    zoo = mix('mmpretrain::convnext/convnext-tiny_32xb128_in1k.py').model.task
    assert model.data_preprocessor.batch_augments == zoo.train_cfg
    cfg = mix(RESNET, sr=dict(type='mmagic.EDSRNet', in_channels=3, out_channels=3, upscale_factor=4), scheme='S')
    preprocessor = build_model(cfg).data_preprocessor.task_preprocessor
    assert type(preprocessor).__name__ == 'ClsDataPreprocessor' and preprocessor.batch_augments is None
    assert preprocessor.mean.flatten().tolist() == pytest.approx(cfg.data_preprocessor.mean)


def test_hooks_that_change_the_task_network_are_left_out():
    hooks = {scheme: [hook.type for hook in mix(YOLOX, scheme=scheme).custom_hooks] for scheme in ('SR4IR', 'S')}
    assert 'YOLOXModeSwitchHook' in hooks['SR4IR']
    assert hooks['S'] == [name for name in hooks['SR4IR'] if name != 'YOLOXModeSwitchHook']


# ---- training


class Images(torch.utils.data.Dataset):
    """Two images of different sizes, as the zoos load them."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> dict:
        from mmseg.structures import SegDataSample

        image = torch.randint(0, 256, (3, 120 + 8 * index, 128), dtype=torch.uint8)
        return dict(inputs=image, data_samples=SegDataSample())


def test_the_sr_network_is_trained_without_a_task_network(tmp_path):
    cfg = load('edsr-s_x4_bsds')
    cfg.model.sr.net.update(mid_channels=8, num_blocks=1)
    init_default_scope(cfg.default_scope)
    model = build_model(cfg)
    before = {name: p.clone() for name, p in model.named_parameters()}
    assert model.task is None and all(name.startswith('sr.') for name in before)
    runner = runner_for(
        model, Images(), tmp_path / 'work', train_cfg=dict(by_epoch=True, max_epochs=2), custom_hooks=[],
        default_hooks=dict(cfg.default_hooks, checkpoint=None), optim_wrapper=cfg.optim_wrapper,
    )  # fmt: skip
    runner.train()
    assert runner.iter == 2 and all(not torch.equal(p, before[name]) for name, p in model.named_parameters())
    assert runner.message_hub.get_scalar('train/sr.loss_pix').current() > 0
    batch = model.data_preprocessor(runner.train_dataloader.collate_fn([Images()[0], Images()[1]]), True)
    assert batch['inputs']['hr'].shape == (2, 3, 128, 128)


def test_s_of_a_config_without_validation(tmp_path):
    cfg = load('resnet18_edsr_x4_cub')
    cfg = Config(
        {**cfg.to_dict(), 'val_dataloader': None, 'val_evaluator': None, 'val_cfg': None}, filename=cfg.filename
    )
    derived = apply_scheme(cfg, 'S')
    assert derived.val_evaluator is None and derived.test_evaluator == [dict(type='sr4ir_mm.SRQuality')]
    assert derived.default_hooks.checkpoint.save_best == cfg.default_hooks.checkpoint.save_best
