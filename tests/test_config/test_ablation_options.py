"""The commands of docs/ablations.md: the config takes each, and the model is what the page says."""

import re
from argparse import ArgumentParser
from pathlib import Path

import pytest
from helpers.toy import EDSR, ToyClassifier
from mmengine.config import Config, DictAction

from sr4ir_mm import mix
from sr4ir_mm.config import apply_scheme, load_config
from sr4ir_mm.config.schemes import load_run
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SCHEMES, SR4IR, Scheme

ROOT = Path(__file__).parents[2]
PAGE = ROOT / 'docs/ablations.md'
CONFIG = ROOT / 'configs/mini/efficientnet-lite0_edsr-s_x4_cars-mini.py'
pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason='no docs, as in a source distribution')


def model_of(cfg: Config) -> SR4IR:
    """The model of a config with small networks."""
    cfg.model.pop('type')
    options = dict(cfg.model, sr=dict(EDSR), task=ToyClassifier(), tdp=dict(cfg.model.tdp, layers=dict(backbone=1.0)))
    return SR4IR(**options)


def commands() -> dict[str, list[str]]:
    text = PAGE.read_text()
    found = dict(re.findall(r'^\| ([^|`]+?) \| `(model\.[^`.]+\.?[^`]*=[^`]*[^.`])` \|$', text, re.MULTILINE))
    (shares,) = re.findall(r'^--cfg-options (.*?)\n```', text, re.MULTILINE | re.DOTALL)
    return {name: command.replace('\\\n', ' ').split() for name, command in dict(found, shares=shares).items()}


def loaded(command: list[str]) -> Config:
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return load_config(CONFIG, parser.parse_args(['--cfg-options', *command]).cfg_options)


def test_each_command_of_the_page():
    models = {name: model_of(loaded(command)) for name, command in commands().items()}
    learned, phase_1 = {'sr': 0.34, 'hr': 0.34, 'mix': 0.34}, SCHEMES['SR4IR'].phases[0]
    expected = {
        'no TDP loss': (SCHEMES['SR4IR'], 0, None),
        'no CQMix: T learns from SR and HR': (Scheme('SR4IR', shares=dict(sr=0.5, hr=0.5)), 1, None),
        'joint instead of alternating updates': (Scheme('SR4IR', joint=True), 1, None),
        'TDP loss of T as it was at the start': (SCHEMES['SR4IR'], 1, 0.0),
        'TDP loss of a moving average of T': (SCHEMES['SR4IR'], 1, 0.001),
        'the enlarged LR image with aligned corners, as in the paper': (SCHEMES['SR4IR'], 1, None),
        'shares': (Scheme([phase_1, dict(learn=('task',), task=dict(sr=0.6, hr=0.2, mix=0.2))]), 1, None),
    }
    found = {
        name: (model.scheme, model.tdp.loss_weight, getattr(model.tdp_net, 'momentum', None))
        for name, model in models.items()
    }
    assert found == expected and dict(SCHEMES['SR4IR'].phases[1].task) == learned
    aligned = [name for name, model in models.items() if model.align_corners]
    assert aligned == ['the enlarged LR image with aligned corners, as in the paper']


def test_the_config_of_the_page(tmp_path):
    (block,) = re.findall(r'^```python\n(.*?)^```', PAGE.read_text(), re.DOTALL | re.MULTILINE)
    path = tmp_path / 'config.py'
    path.write_text(block.replace("'../mini/", f"'{ROOT}/configs/mini/"))
    cfg = load_config(path)
    cfg.model.tdp_net.backbone.pop('init_cfg')
    cfg.model.tdp_net.init_cfg = dict(type='Pretrained', checkpoint='x.pth')
    cfg.model.scale, cfg.model.tdp = 4, dict(relative=True)
    model = SR4IR(dict(EDSR), ToyClassifier(), 4, tdp=dict(relative=True), tdp_net=cfg.model.tdp_net)
    assert model.tdp.layers == {'backbone[map]': 1.0}
    assert model.tdp_net.preprocessor.flip_channels is False


def test_options_of_the_scheme_are_for_mixed_configs_too_and_baselines_leave_them_out():
    zoo, options = 'mmpretrain::resnet/resnet18_8xb32_in1k.py', {'model.scheme.joint': True}
    assert Scheme(**mix(zoo, 'edsr', 4, **options).model.scheme) == Scheme('SR4IR', joint=True)
    assert mix(zoo, 'edsr', 4).model.align_corners is False  # our default, not the paper's
    cfg = load_run(CONFIG, 'sr4ir', options)
    assert cfg.model.scheme == dict(phases='SR4IR', joint=True)
    assert apply_scheme(cfg, 's2t').model.scheme == 'S->T'
    asked = load_run(CONFIG, 's2t', options).model.scheme  # of this command, so nobody drops it without a word
    with pytest.raises(SR4IRError, match='joint of the scheme takes two phases'):
        Scheme(**asked)
    with pytest.raises(SR4IRError, match=r"'jiont' is unknown in model\.scheme. Did you mean model\.scheme\.joint\?"):
        load_config(CONFIG, {'model.scheme.jiont': True})


def test_the_papers_configs_keep_its_way():
    for path in sorted(ROOT.glob('configs/[!_]*/*.py')):
        model = Config.fromfile(path).model
        if path.parent.name in ('sr4ir', 'paper'):
            assert 'align_corners' not in model, path.name
        elif path.parent.name in ('zoo', 'mini') and model.task:
            assert model.align_corners is False, path.name
