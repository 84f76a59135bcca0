"""SR4IR: one model for every recognition task and every training scheme."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.dist import is_distributed
from mmengine.model import BaseModel, initialize, revert_sync_batchnorm
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from ..engine.accumulate import accumulate, update
from ..errors import SR4IRError
from ..registry import MODELS
from ..utils import unwrap
from .feature_recorder import FeatureRecorder
from .modes import frozen
from .schemes import Phase, resolve_scheme
from .sr_net import build_sr
from .tdp_layers import default_layers


@MODELS.register_module()
class SR4IR(BaseModel):
    """A super-resolution net S and a task net T, trained together or apart (CVPR 2024, arXiv 2404.01692).

    T is any model that speaks MMEngine (``forward`` in the modes 'loss', 'predict', 'tensor', and a data
    preprocessor); S maps N x 3 x h x w in [0, 1] RGB to N x 3 x (scale h) x (scale w).

    Args:
        sr (dict or nn.Module, optional): S, e.g. ``dict(type='mmagic.EDSRNet', ...)``; a dict may hold an ``init_cfg``
            for any S. None for the schemes without S, 'H->T' and 'L->T'.
        task (dict or nn.Module): T, e.g. the ``model`` of a zoo config.
        scale (int): Up-sampling factor of S.
        scheme (str or list[dict]): 'SR4IR', 'H->T', 'L->T', 'S->T', 'T->S', 'S+T', 'S' (S alone, to pre-train it), or
            a list of :class:`Phase` arguments.
        tdp (dict): Arguments of :class:`TDPLoss`. Without ``layers``, those of :func:`default_layers`.
        cqmix (dict): Patch mix.
        degradation (dict, optional): ``hr -> lr``. Defaults to bicubic.
        channel_order (str, optional): See :class:`SRDataPreprocessor`.
        data_preprocessor (dict, optional): T's, if it has none in its own config: MMEngine's Runner hands over what a
            zoo's config has beside the model.
        init_cfg (dict, optional): As in MMEngine.

    Raises:
        SR4IRError: If S does not enlarge by ``scale``, the scheme is unknown, or T lacks a TDP layer.
    """

    def __init__(
        self,
        sr: dict | nn.Module | None,
        task: dict | nn.Module,
        scale: int,
        scheme: str | Sequence[dict] = 'SR4IR',
        tdp: dict | None = None,
        cqmix: dict | None = None,
        degradation: dict | None = None,
        channel_order: str | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        if data_preprocessor and isinstance(task, dict):
            task = dict(data_preprocessor=data_preprocessor) | task
        task = MODELS.build(task) if isinstance(task, dict) else task
        # SyncBN needs a process group and, in PyTorch, a GPU
        task = task if is_distributed() else revert_sync_batchnorm(task)
        degradation = degradation or dict(type='sr4ir_mm.BicubicDegradation', scale=scale)
        super().__init__(
            dict(
                type='sr4ir_mm.SRDataPreprocessor',
                task=task.data_preprocessor,
                degradation=degradation,
                channel_order=channel_order,
            ),
            init_cfg,
        )
        self.scale = scale
        self.phases = resolve_scheme(scheme)
        self.sr, self.sr_init_cfg = build_sr(sr, scale)
        self.task = task
        uses_tdp = any(phase.tdp for phase in self.phases)
        layers = default_layers(task) if uses_tdp and 'layers' not in (tdp or {}) else {}
        self.tdp = MODELS.build({'type': 'sr4ir_mm.TDPLoss', 'layers': layers, **(tdp or {})})
        self.cqmix = MODELS.build(dict(type='sr4ir_mm.CQMix', **(cqmix or {})))
        #: False during the warm-up; :class:`AlternatingUpdateHook` sets it from the runner's counters.
        self.tdp_active = True
        if self.sr is None and self.source == 'sr':
            raise SR4IRError(f"scheme '{scheme}' needs a super-resolution net: set model.sr.")
        self.recorder = FeatureRecorder(task, self.tdp.layers) if uses_tdp else None
        for name in self.still:
            getattr(self, name).requires_grad_(False)

    def __getattr__(self, name: str) -> Any:
        """T's attributes are ours too: hooks of the zoos reach into ``runner.model``, e.g. for its ``bbox_head``."""
        try:
            return super().__getattr__(name)
        except AttributeError:
            if 'task' not in self.__dict__.get('_modules', ()):
                raise
            return getattr(unwrap(self.task), name)

    @property
    def learning(self) -> tuple[str, ...]:
        """The nets that the scheme trains: 'sr', 'task' or both."""
        return tuple(name for name in ('sr', 'task') if any(name in phase.learn for phase in self.phases))

    @property
    def still(self) -> tuple[str, ...]:
        """The nets that the scheme never trains."""
        return tuple(name for name in ('sr', 'task') if name not in self.learning and getattr(self, name) is not None)

    @property
    def source(self) -> str:
        """What T sees at test time: 'hr', 'lr' (bilinear up-sampling) or 'sr'."""
        images = [image for phase in self.phases for image in phase.task]
        return images[0] if images in (['hr'], ['lr']) else 'sr'

    @property
    def recognises(self) -> bool:
        """Whether T takes part; under the scheme 'S' it knows nothing."""
        return any(phase.task for phase in self.phases)

    def init_weights(self) -> None:
        """Initialise as usual, then S by its own ``init_cfg``: most SR nets of mmagic do not take one."""
        super().init_weights()
        if self.sr_init_cfg:
            initialize(self.sr, self.sr_init_cfg)

    def train(self, mode: bool = True) -> 'SR4IR':
        """Set the mode; nets that the scheme never trains stay in eval mode."""
        super().train(mode)
        for name in self.still:
            getattr(self, name).eval()
        return self

    def to(self, *args: Any, **kwargs: Any) -> 'SR4IR':
        """Move T by its own ``to`` first: the teacher of mmdet's distilling detectors is no submodule of them."""
        self.task.to(*args, **kwargs)
        return super().to(*args, **kwargs)

    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """One iteration: every phase of the scheme in turn.

        Args:
            data (dict): A batch of the data loader.
            optim_wrapper (OptimWrapperDict): Wrappers named 'sr' and 'task', as far as these nets learn.

        Returns:
            dict[str, Tensor]: Weighted losses, not synchronised: 'sr.loss_pix', 'sr.loss_tdp',
            'task.<image>.<name in T>', and the sum over all phases, 'loss'.
        """
        batch = self.data_preprocessor(data, True)
        logs: dict[str, Any] = dict(loss=0)
        for phase in self.phases:
            self._run_phase(phase, batch['inputs'], batch['data_samples'], optim_wrapper, logs)
        logs['loss'] = logs.pop('loss')  # last, so that a loss that is not finite is named by its part
        return logs

    def forward(self, inputs: Tensor | dict, data_samples: list | None = None, mode: str = 'tensor') -> Any:
        """Run T on the image that the scheme shows it at test time.

        Args:
            inputs (Tensor or dict): LR images, N x 3 x h x w, [0, 1], RGB; or ``inputs`` of
                :class:`SRDataPreprocessor`.
            data_samples (list, optional): T's data samples.
            mode (str): 'tensor', 'predict' or 'loss', as in T.

        Returns:
            What T returns. In mode 'predict' of preprocessed batches each data sample also holds ``lr``, ``sr`` (what
            T saw) and ``hr``, each 3 x H x W in [0, 1].
        """
        images = {} if isinstance(inputs, Tensor) else dict(inputs)
        if images:
            if self.source == 'sr':
                images['sr'] = self._super_resolve(images)
            normalised, seen = self.show(self.source, images)
        else:
            normalised = self.data_preprocessor.normalise(self.enhance(inputs))
        if mode == 'predict' and not self.recognises:
            outputs = data_samples
        else:
            outputs = self.task(normalised, data_samples, mode=mode)
        if mode == 'predict' and images:
            for i, sample in enumerate(outputs):
                sample.set_data(dict(lr=images['lr'][i], sr=seen[i], hr=images['hr'][i]))
        return outputs

    def enhance(self, lr: Tensor) -> Tensor:
        """What T sees of LR images at test time.

        Args:
            lr (Tensor): N x 3 x h x w, [0, 1], RGB.

        Returns:
            Tensor: N x 3 x (scale h) x (scale w), about [0, 1]; the image itself under 'H->T'.
        """
        if self.source == 'hr':
            return lr
        return self.sr(lr) if self.source == 'sr' else self._bilinear(lr)

    def _run_phase(
        self, phase: Phase, images: dict, samples: list, optim_wrapper: OptimWrapperDict, logs: dict
    ) -> None:
        wrappers = {name: optim_wrapper[name] for name in phase.learn}
        images = dict(images)
        branches = phase.branches()
        with nullcontext() if 'task' in phase.learn else frozen(unwrap(self.task)):
            for branch in branches:
                last = branch is branches[-1]
                with self._optim_context(wrappers, sync=last):
                    if phase.needs_sr and 'sr' not in images:
                        with torch.set_grad_enabled('sr' in phase.learn):
                            images['sr'] = self._super_resolve(images)
                    loss, log = self._losses(branch, images, samples)
                accumulate(wrappers.values(), loss, last)
                logs.update(log, loss=logs['loss'] + loss.detach())
        update(wrappers.values())

    @contextmanager
    def _optim_context(self, wrappers: dict[str, OptimWrapper], sync: bool) -> Iterator[None]:
        """Mixed precision, and no exchange of gradients between GPUs before the last branch."""
        with ExitStack() as stack:
            for name, wrapper in wrappers.items():
                net = getattr(self, name)
                stack.enter_context(wrapper.optim_context(net))
                if not sync and hasattr(net, 'no_sync'):
                    stack.enter_context(net.no_sync())
            yield

    def _losses(self, branch: Phase, images: dict, samples: list) -> tuple[Tensor, dict]:
        losses = {}
        if branch.pixel:
            losses['sr.loss_pix'] = branch.pixel * F.l1_loss(images['sr'], images['hr'])
        if branch.tdp and self.tdp_active:
            losses['sr.loss_tdp'] = branch.tdp * self._tdp_loss(images, samples)
        total, logs = sum(losses.values()), dict(losses)
        for name, weight in branch.task.items():
            outputs = self.task(self.show(name, images)[0], self._own(samples), mode='loss')
            loss, log = unwrap(self.task).parse_losses(outputs)
            total = total + weight * loss
            logs.update(
                {f'task.{name}.{key}': weight * value if 'loss' in key else value for key, value in log.items()}
            )
        return total, {key: value.detach() for key, value in logs.items()}

    def _own(self, samples: list) -> list:
        """Samples for one forward pass: some models of the zoos change them in it."""
        once = sum(len(phase.task) for phase in self.phases) == 1
        return samples if once else copy.deepcopy(samples)

    def _tdp_loss(self, images: dict, samples: list) -> Tensor:
        with torch.no_grad():
            hr_feats = self.recorder(images['task'], samples)
        return self.tdp(self.recorder(self.show('sr', images)[0], samples), hr_feats)

    def show(self, name: str, images: dict) -> tuple[Tensor, Tensor]:
        """One image of a batch, e.g. bilinear up-sampling for a picture of what a baseline sees.

        Args:
            name (str): 'hr', 'lr' (bilinear up-sampling), 'sr' or 'mix'.
            images (dict[str, Tensor]): ``lr`` and ``hr`` of :class:`SRDataPreprocessor`, ``task`` too for 'hr', and
                ``sr`` for 'sr' and 'mix'.

        Returns:
            tuple[Tensor, Tensor]: N x 3 x H x W, as T sees it, and in [0, 1], RGB.
        """
        if name == 'hr':
            return images['task'], images['hr']
        if name == 'lr':
            image = _crop(self._bilinear(images['lr']), images)
        elif name == 'mix':
            image = self.cqmix(images['sr'], images['hr'])
        else:
            image = images['sr']
        return self.data_preprocessor.normalise(image), image

    def _bilinear(self, lr: Tensor) -> Tensor:
        return F.interpolate(lr, scale_factor=self.scale, mode='bilinear', align_corners=True)

    def _super_resolve(self, images: dict) -> Tensor:
        return _crop(self.sr(images['lr']), images)


def _crop(image: Tensor, images: dict) -> Tensor:
    """Remove what the degradation padded."""
    height, width = images['hr'].shape[-2:]
    return image[..., :height, :width]
