"""Options of predictions: the command line, else the config."""

import argparse

import pytest
from mmengine.config import Config

from sr4ir_mm.config.loading import override
from sr4ir_mm.config.predict import PredictOptions, add_predict_options, predict_options
from sr4ir_mm.errors import SR4IRError


def config(scope: str = 'mmdet', task: dict | None = None, **predict) -> Config:
    return Config(dict(default_scope=scope, model=dict(task=task or dict(type='RetinaNet')), predict=predict))


def parse(*args: str) -> dict:
    parser = argparse.ArgumentParser()
    add_predict_options(parser, 'drawn')
    return vars(parser.parse_args(args))


def test_the_command_line_comes_first():
    cfg = config(classes=['cat'], score_thr=0.2)
    assert predict_options(cfg, **parse()) == PredictOptions(classes=['cat'], score_thr=0.2)
    given = parse('--tta', '--classes', 'dog', '3', '--score-thr', '0')
    assert predict_options(cfg, **given) == PredictOptions(True, ['dog', '3'], 0.0)


def test_without_options():
    assert predict_options(Config(dict(model=dict(task=dict(type='RetinaNet')))), **parse()) == PredictOptions()


@pytest.mark.parametrize(
    ('cfg', 'message'),
    [
        (config(score_th=0.5), 'Did you mean score_thr?'),
        (config(score_thr=1.5), 'score_thr=1.5'),
        (config('mmseg', score_thr=0.5), '--score-thr is for objects, and networks of mmseg predict none'),
        (Config(dict(model=dict(task=None), predict=dict(tta=True))), 'this scheme has none'),
        (Config(dict(predict=True)), 'The entry predict=True of the config is wrong'),
    ],
)
def test_mistakes(cfg, message):
    with pytest.raises(SR4IRError) as error:
        predict_options(cfg)
    assert message in str(error.value)


def test_cfg_options():
    cfg = override(Config(dict(default_scope='mmdet')), {'predict.score_thr': 0.4})
    assert cfg.predict == dict(score_thr=0.4)
    with pytest.raises(SR4IRError, match=r"Nothing reads the option 'predict\.score'"):
        override(Config(dict(default_scope='mmdet')), {'predict.score': 0.4})
