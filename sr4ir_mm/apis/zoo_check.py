"""Whether a model of a zoo trains here, alone and with S, and stays what it is in our hands."""

import copy
import math
import traceback
import zlib
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.model import BaseModel, revert_sync_batchnorm
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import set_random_seed
from mmengine.structures import BaseDataElement
from torch import nn

from ..models import SR4IR
from .made_batch import made_batch
from .zoo_models import find_all, load_zoo_config

SR = dict(
    type='mmagic.EDSRNet', in_channels=3, out_channels=3, mid_channels=8, num_blocks=1, upscale_factor=4,
    _scope_='mmagic',
)  # fmt: skip
TOLERANCE = 1e-6  # relative, for models that differ from themselves


class CheckFailed(Exception):
    """A model ran, but not as it has to."""


def check_model(name: str) -> Iterator[dict]:
    """Run all checks of one model, all on the same weights and the same batch.

    Args:
        name (str): A config of a zoo, e.g. 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'.

    Yields:
        dict: After each check 'ok' or 'failed' by its name ('bare', 'sr4ir', 'identity', 'predict'); with a failure
        its ``error`` (a line) and ``traceback``; with 'bare' also ``params`` (millions) and ``size`` (px). Nothing
        comes after a failed 'bare'.
    """
    try:
        case = Case(name)
        yield case.bare()
    except Exception as error:  # a row of the sweep, whatever it is
        yield _failed('bare', error)
        return
    for check in (case.sr4ir, case.identity, case.predict):
        try:
            check()
            yield {check.__name__: 'ok'}
        except Exception as error:
            yield _failed(check.__name__, error)


class Case:
    """One model and one batch; each check runs on a copy of both.

    Args:
        name (str): A config of a zoo.
    """

    def __init__(self, name: str) -> None:
        self.zoo = name.partition('::')[0]
        self.cfg = load_zoo_config(name)
        init_default_scope(self.zoo)
        set_random_seed(0)
        self.net = revert_sync_batchnorm(MODELS.build(dict(self.cfg.model, _scope_=self.zoo)))
        self.net.init_weights()
        self.sr4ir_net: SR4IR | None = None

    def bare(self) -> dict:
        """Find the smallest input with which the model trains a step.

        Raises:
            Exception: The model's own, if it takes none.
        """
        failure = None
        for size in _sizes(self.cfg):
            try:
                self.batch = made_batch(self.cfg, self.zoo, size)
                self.result = self._bare_step()
            except Exception as error:
                # the first one tells more than those of sizes that the model does not take either
                failure = failure or error
                continue
            params = sum(p.numel() for p in self.net.parameters()) / 1e6
            return dict(bare='ok', params=f'{params:.1f}', size=_width(self.batch['inputs']))
        raise failure

    def sr4ir(self) -> None:
        """Train one step with S: finite losses, TDP among them; S and T both change."""
        model = SR4IR(dict(SR), copy.deepcopy(self.net), scale=4, tdp=dict(relative=True))
        before = {part: _marks(getattr(model, part)) for part in ('sr', 'task')}
        log, _ = _step(model, OptimWrapperDict(sr=_wrapper(model.sr), task=_wrapper(model.task)), self.batch)
        _check_finite(log)
        if 'sr.loss_tdp' not in log:
            raise CheckFailed(f'no TDP loss in the log: {sorted(log)}')
        for part, marks in before.items():
            if _marks(getattr(model, part)) == marks:
                raise CheckFailed(f"'{part}' did not change")
        model.zero_grad()
        self.sr4ir_net = model

    def identity(self) -> None:
        """Scheme H->T is the bare model: the same losses and parameters after a step."""
        model = SR4IR(None, copy.deepcopy(self.net), scale=4, scheme='H->T')
        log, marks = _step(model, OptimWrapperDict(task=_wrapper(model.task)), self.batch)
        bare_log, bare_marks = self.result
        expected = {f'task.hr.{key}': value for key, value in bare_log.items()}, bare_log['loss'], bare_marks
        ours = {key: value for key, value in log.items() if key != 'loss'}, log['loss'], marks[len('task.') :]
        _compare(ours, expected, self._bare_step)

    def predict(self) -> None:
        """Scheme H->T predicts what the bare model does, and S with T predicts too."""
        net = copy.deepcopy(self.net).eval()
        ours = SR4IR(None, copy.deepcopy(self.net), scale=4, scheme='H->T').eval()

        def predictions(model: BaseModel) -> list:
            set_random_seed(3)
            return model.test_step(copy.deepcopy(self.batch))

        if problem := difference(predictions(ours), bare := predictions(net)):
            if not difference(predictions(net), bare) or difference(predictions(ours), bare, TOLERANCE):
                raise CheckFailed(f'predictions differ: {problem}')
        if self.sr4ir_net is not None:
            predictions(self.sr4ir_net.eval())
