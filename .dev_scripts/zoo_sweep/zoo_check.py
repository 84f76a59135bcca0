"""Checks of one zoo model: does it train alone and with an SR network, and does our wrapper leave it unchanged?"""

import copy
import math
import tempfile
import traceback
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.model import BaseModel, revert_sync_batchnorm
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import set_random_seed
from mmengine.structures import BaseDataElement
from pipeline_batch import pipeline_batch
from torch import nn
from zoo_models import load_untrained, numbers

from sr4ir_mm.config.zoo import started_from
from sr4ir_mm.models import SR4IR

SR = dict(
    type='mmagic.EDSRNet', in_channels=3, out_channels=3, mid_channels=8, num_blocks=1, upscale_factor=4,
    _scope_='mmagic',
)  # fmt: skip
TOLERANCE = 1e-6  # relative, for models whose own results differ between two runs


class CheckFailed(Exception):
    """The model ran, but its result is wrong."""


class NotApplicable(Exception):
    """The bare model cannot do what the check needs."""


class NoSizeFits(Exception):
    """The bare model failed with every input size.

    Args:
        errors (list[Exception]): Error of the model for each size.
    """

    def __init__(self, errors: list[Exception]) -> None:
        super().__init__(' / '.join(dict.fromkeys(map(_line, errors))))
        self.errors = errors


def check_model(name: str, done: Collection[str] = ()) -> Iterator[dict]:
    """Run the checks of one model on the same weights and the same batch.

    Args:
        name (str): Config of a zoo, e.g. 'mmdet::retinanet/retinanet_r50_fpn_1x_coco.py'.
        done (Collection[str]): Checks that are left out, since they have a result. 'bare' is always made.

    Yields:
        dict: Result of a check by its name ('bare', 'sr4ir', 'identity', 'predict', 't2s' or 'load_from'): 'ok',
        'failed', or '-' if the bare model cannot do it. A failure has an ``error`` (one line) and a ``traceback``.
        'bare' also has ``params`` (millions) and ``size`` (px); if it fails, it is the last one.
    """
    try:
        case = Case(name)
        yield case.bare()
    except Exception as error:  # every error becomes a row of the sweep
        yield _failed('bare', error)
        return
    for check in (case.sr4ir, case.identity, case.predict, case.t2s, case.load_from):
        if check.__name__ in done:
            continue
        try:
            check()
            yield {check.__name__: 'ok'}
        except NotApplicable as error:
            yield _failed(check.__name__, error.__cause__) | {check.__name__: '-'}
        except Exception as error:
            yield _failed(check.__name__, error)


class Case:
    """One model and one batch; each check runs on a copy of both.

    Args:
        name (str): Config of a zoo.

    Example:
        >>> case = Case('mmdet::retinanet/retinanet_r18_fpn_1x_coco.py')
        >>> case.bare(), case.identity()
    """

    def __init__(self, name: str) -> None:
        self.cfg = load_untrained(name)
        # not always the package of the config: mmdet has a few classifiers of mmpretrain
        self.zoo = self.cfg.get('default_scope', name.partition('::')[0])
        init_default_scope(self.zoo)
        set_random_seed(0)
        self.net = revert_sync_batchnorm(MODELS.build(dict(copy.deepcopy(self.cfg.model), _scope_=self.zoo)))
        self.net.init_weights()
        self.sr4ir_net: SR4IR | None = None

    def bare(self) -> dict:
        """Find the smallest input with which the model trains a step.

        Raises:
            NoSizeFits: If it accepts none.
        """
        errors = []
        for size in _sizes(self.cfg):
            try:
                self.batch = pipeline_batch(self.cfg, self.zoo, size)
                _pad_to(self.net.data_preprocessor, size)
                self.bare_step = self._bare_step()
            except Exception as error:
                traceback.clear_frames(error.__traceback__)  # they keep a copy of the network in memory
                errors.append(error)
                continue
            self.size = size
            params = sum(p.numel() for p in self.net.parameters()) / 1e6
            return dict(bare='ok', params=f'{params:.1f}', size=_width(self.batch['inputs']))
        raise NoSizeFits(errors)

    def sr4ir(self) -> None:
        """Check that a step with an SR network changes both networks, with finite losses that include TDP."""
        model = SR4IR(dict(SR), copy.deepcopy(self.net), scale=4, tdp=dict(relative=True))
        before = _checksums(model.sr)
        # a deep T with random weights and frozen norms can make S diverge, and T receives the output of the new S
        wrappers = OptimWrapperDict(sr=_wrapper(model.sr, dict(max_norm=1.0)), task=_wrapper(model.task))
        step = _step(model, model.task, wrappers, self.batch)
        if 'sr.loss_tdp' not in step.log:
            raise CheckFailed(f'no TDP loss in the log: {sorted(step.log)}')
        if _checksums(model.sr) == before:
            raise CheckFailed('the SR network did not change')
        self.sr4ir_net = model

    def identity(self) -> None:
        """Check that scheme H->T is the bare model: the same losses and parameters after a step."""
        self._compare_step(SR4IR(None, copy.deepcopy(self.net), scale=4, scheme='H->T'))

    def _compare_step(self, model: SR4IR) -> None:
        ours = _step(model, model.task, OptimWrapperDict(task=_wrapper(model.task)), self.batch)
        bare, loss = self.bare_step, self.bare_step.log['loss']
        expected = replace(bare, log=dict({f'task.hr.{key}': value for key, value in bare.log.items()}, loss=loss))
        if not (problem := ours.differs(expected)):
            return
        del model
        if not self._bare_step().differs(bare) or ours.differs(expected, TOLERANCE):
            raise CheckFailed(f'a step differs: {problem}')

    def predict(self) -> None:
        """Check that scheme H->T predicts the same as the bare model, and that SR4IR predicts too."""
        batch = pipeline_batch(self.cfg, self.zoo, self.size, 'test_dataloader')
        bare = copy.deepcopy(self.net)
        ours = SR4IR(None, copy.deepcopy(self.net), scale=4, scheme='H->T')
        try:
            expected = self._predictions(bare, batch)
        except Exception as error:
            raise NotApplicable('the bare model does not predict') from error
        if problem := difference(self._predictions(ours, batch), expected):
            same = not difference(self._predictions(bare, batch), expected)
            if same or difference(self._predictions(ours, batch), expected, TOLERANCE):
                raise CheckFailed(f'predictions differ: {problem}')
        if self.sr4ir_net is not None:
            self._predictions(self.sr4ir_net, batch)
            self.sr4ir_net = None

    def t2s(self) -> None:
        """Check that a step under T->S changes S and nothing of T, and that T gives all its losses."""
        model = SR4IR(dict(SR), copy.deepcopy(self.net), scale=4, scheme='T->S')
        before = _checksums(model.task, buffers=True)
        step = _step(model, model.sr, OptimWrapperDict(sr=_wrapper(model.sr, dict(max_norm=1.0))), self.batch)
        if missing := {f'task.sr.{name}' for name in self.bare_step.log} - step.log.keys():
            raise CheckFailed(f'no {", ".join(sorted(missing))} in the log')
        after = _checksums(model.task, buffers=True)  # DDQ shares branches under new names in its first iteration
        if changed := [key for key, value in before.items() if after.get(key) != value]:
            raise CheckFailed(f'{changed[0]} of the frozen T changed')

    def load_from(self) -> None:
        """Check that T starts from a file as load_from does: equal weights, and the same step as the bare model."""
        cfg = dict(copy.deepcopy(self.cfg.model), _scope_=self.zoo)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / 'weights.pth'
            torch.save(dict(state_dict=self.net.state_dict()), file)
            cfg['init_cfg'] = started_from(str(file), cfg.get('init_cfg'))
            set_random_seed(0)  # a teacher is no part of the weights
            model = SR4IR(None, cfg, scale=4, scheme='H->T')
            _erase(model.task)
            set_random_seed(1)
            model.init_weights()
        given = _checksums(self.net, buffers=True)
        if other := [k for k, v in _checksums(model.task, buffers=True).items() if v != given[k]]:
            raise CheckFailed(f'{len(other)} of {len(given)} weights are not those of the file: {other[0]}')
        _pad_to(model.task.data_preprocessor, self.size)
        self._compare_step(model)

    def _bare_step(self) -> 'Step':
        net = copy.deepcopy(self.net)
        return _step(net, net, _wrapper(net), self.batch)

    def _predictions(self, model: BaseModel, batch: dict) -> list:
        model.eval()
        set_random_seed(3)
        with torch.no_grad():
            return model.test_step(copy.deepcopy(batch))


@dataclass
class Step:
    """Result of a training step: the log, and a checksum and a norm of each parameter."""

    log: dict[str, float]
    checksums: dict[str, int]
    norms: dict[str, float]

    def differs(self, other: 'Step', tolerance: float = 0.0) -> str:
        """Say where two steps differ; '' if nowhere. With a tolerance, norms are compared instead of parameters."""
        values = 'norms' if tolerance else 'checksums'
        return difference(self.log, other.log, tolerance) or difference(
            getattr(self, values), getattr(other, values), tolerance
        )


def difference(ours: Any, bare: Any, tolerance: float = 0.0, path: str = '') -> str:
    """Say where nested outputs differ by more than a relative tolerance; '' if nowhere.

    Our data samples may have the images 'lr', 'task_input' and 'hr' in addition.
    """
    if isinstance(bare, BaseDataElement):
        bare, ours = ({k: v for k, v in s.all_items() if k not in ('lr', 'task_input', 'hr')} for s in (bare, ours))
    if hasattr(bare, 'to_ndarray'):  # mmdet's masks
        bare, ours = bare.to_ndarray(), ours.to_ndarray()
    if isinstance(bare, dict):
        if missing := bare.keys() ^ ours.keys():
            return f'{path}: only one has {", ".join(sorted(map(str, missing)))}'
        return next(filter(None, (difference(ours[k], bare[k], tolerance, f'{path}.{k}') for k in bare)), '')
    if isinstance(bare, (list, tuple)):
        pairs = enumerate(zip(ours, bare, strict=True))
        return next(filter(None, (difference(a, b, tolerance, f'{path}[{i}]') for i, (a, b) in pairs)), '')
    if isinstance(bare, (torch.Tensor, np.ndarray, float)):
        a, b = (torch.as_tensor(v, dtype=torch.float64) for v in (ours, bare))
        same = a.shape == b.shape and torch.allclose(a, b, rtol=tolerance, atol=0, equal_nan=True)
        return '' if same else f'{path}: {_short(a)} for {_short(b)}'
    return '' if ours == bare else f'{path}: {ours} for {bare}'


def _short(value: torch.Tensor) -> str:
    return f'{value.item():.9g}' if value.numel() == 1 else f'{tuple(value.shape)}'


def _sizes(cfg: Config) -> list[int]:
    own = {n for key in ('img_size', 'input_size') for n in numbers(cfg.model, key) if 64 < n <= 640}
    return sorted({64, 128, 224, 512} | own)


def _pad_to(preprocessor: nn.Module, size: int) -> None:
    """Let a preprocessor that pads to the crop size of the config pad to the size of the synthetic images."""
    for part in preprocessor.modules():
        if isinstance(getattr(part, 'size', None), (tuple, list)):
            part.size = (size, size)


def _width(inputs: Any) -> int:
    return _width(inputs[0]) if isinstance(inputs, (list, tuple)) else inputs.shape[-1]


def _wrapper(net: nn.Module, clip_grad: dict | None = None) -> OptimWrapper:
    # without momentum, which needs as much memory as the parameters
    return OptimWrapper(torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=1e-3), clip_grad=clip_grad)


def _step(model: BaseModel, net: nn.Module, wrapper: OptimWrapper | OptimWrapperDict, batch: dict) -> Step:
    """Train a model for one seeded step, and record the effect on one of its networks."""
    hub = MessageHub.get_current_instance()
    for key, value in dict(iter=0, epoch=0, max_iters=1000, max_epochs=12).items():  # as the runner's hooks do
        hub.update_info(key, value)
    before = _checksums(net)
    set_random_seed(3)
    model.train()  # some models return None here
    log = model.train_step(copy.deepcopy(batch), wrapper)
    model.zero_grad()
    log = {key: float(torch.as_tensor(value).detach()) for key, value in log.items()}
    for key, value in log.items():
        if 'loss' in key and not math.isfinite(value):
            raise CheckFailed(f'{key} is {value}')
    step = Step(log, _checksums(net), {k: v.norm(dtype=torch.float64).item() for k, v in net.named_parameters()})
    if step.checksums == before:
        raise CheckFailed('no parameter changed')
    return step


def _checksums(net: nn.Module, buffers: bool = False) -> dict[str, int]:
    values = net.state_dict().items() if buffers else net.named_parameters()
    return {name: zlib.crc32(value.detach().contiguous().numpy()) for name, value in values}


def _erase(net: nn.Module) -> None:
    """Make all weights and statistics of norms NaN, so that none is right by chance."""
    for name, value in net.state_dict(keep_vars=True).items():  # not what LoRA leaves out
        if isinstance(value, nn.Parameter) or '.running_' in name:
            value.data.fill_(math.nan)


def _line(error: Exception) -> str:
    return ' '.join(f'{type(error).__name__}: {error}'.split())[:300]


def _failed(check: str, error: Exception) -> dict:
    errors = getattr(error, 'errors', [error])
    text = '\n'.join(''.join(traceback.format_exception(e)) for e in errors)
    return {check: 'failed', 'error': f'{check}: {error if len(errors) > 1 else _line(error)}', 'traceback': text}
