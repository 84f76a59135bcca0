"""Inferencers of the zoos that are given weights alone read the config in them as data."""

import pytest
import torch
from mmengine.config import Config
from mmseg.apis import MMSegInferencer

from sr4ir_mm.errors import SR4IRError

SEGMENTOR = dict(
    type='EncoderDecoder', data_preprocessor=dict(type='SegDataPreProcessor'),
    backbone=dict(type='FastSCNN'), decode_head=dict(type='FCNHead', in_channels=128, channels=8, num_classes=2),
    test_cfg=dict(mode='whole'), train_cfg={},
)  # fmt: skip
LOADER = dict(dataset=dict(pipeline=[dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]))
HOSTILE = ('open({path!r}, "w")', 'model = dict(type="os.system", command="touch {path}")', 'import os')


def save(path, text: str, hub: bool = False, state: dict | None = None) -> str:
    meta, other = (dict(), dict(cfg=text)) if hub else (dict(cfg=text), {})
    checkpoint = dict(meta=meta, message_hub=dict(runtime_info=other), state_dict=state or {'a': torch.ones(1)})
    torch.save(checkpoint, path)
    return str(path)


@pytest.mark.parametrize('hub', [False, True])
@pytest.mark.parametrize('text', HOSTILE)
def test_the_config_of_the_weights_is_not_run(text, hub, tmp_path):
    path = save(tmp_path / 'a.pth', text.format(path=str(tmp_path / 'ran')), hub)
    with pytest.raises(SR4IRError, match=r"The config in '.*a\.pth' (cannot be read as data|has type='os.system')"):
        MMSegInferencer(None, weights=path, device='cpu')
    assert not (tmp_path / 'ran').exists()


def test_weights_without_a_config(tmp_path):
    torch.save(dict(state_dict={'a': torch.ones(1)}), tmp_path / 'a.pth')
    with pytest.raises(SR4IRError, match=r"a\.pth' holds no config: name the config of its training"):
        MMSegInferencer(None, weights=str(tmp_path / 'a.pth'), device='cpu')


def test_weights_alone_are_enough(tmp_path):
    from mmengine.registry import DefaultScope
    from mmseg.registry import MODELS
    from mmseg.utils import register_all_modules

    register_all_modules(init_default_scope=False)
    with DefaultScope.overwrite_default_scope('mmseg'):
        state = MODELS.build(SEGMENTOR).state_dict()
    cfg = Config(
        dict(model=SEGMENTOR, test_dataloader=LOADER, default_scope='mmseg', visualizer=dict(type='SegLocalVisualizer'))
    )
    path = save(tmp_path / 'a.pth', cfg.pretty_text, state=state)
    model = MMSegInferencer(None, weights=path, device='cpu', classes=['a', 'b'], palette=[[0, 0, 0], [1, 1, 1]]).model
    assert all(value.equal(state[key]) for key, value in model.state_dict().items())
