"""SR4IR: one model for every recognition task and every training scheme."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from ..errors import SR4IRError
from ..registry import MODELS
from ..utils import check_number, is_mixed, leave_wrappers_out, unwrap
from .batch_norm import explain_single_values, kept_statistics
from .feature_recorder import FeatureRecorder
from .freeze import frozen
from .full_outputs import full_outputs, to_float32
from .memory_format import explain_views
from .proxy import Proxy
from .sample_images import add_images
from .scheme import Phase, Scheme, build_scheme
from .sr_net import build_sr
from .starts import as_list, start, take_files
from .task_net import IMAGES_ONLY, build_task
from .tdp_layers import default_layers
from .tdp_net import OtherNet, build_tdp_net
from .unused import explain_unused
from .updates import accumulate, optim_contexts, update
from .weights import NAMES, LoadWatch, check_model, checked_init


@MODELS.register_module()
class SR4IR(Proxy, BaseModel):
    """A super-resolution network S and a task network T, trained together or alone (CVPR 2024, arXiv 2404.01692).

    T is any model that follows MMEngine (``forward`` in the modes 'loss', 'predict', 'tensor', and a data
    preprocessor). S maps N x 3 x h x w in [0, 1] RGB to N x 3 x (scale h) x (scale w).

    Args:
        sr (dict or nn.Module, optional): S, e.g. ``dict(type='mmagic.EDSRNet', ...)``; a dict may hold for any S an
            ``init_cfg``, and ``with_cp=True``, which saves memory and costs time, see ``recompute_blocks``. None
            for the schemes without S, 'H->T' and 'L->T'.
        task (dict or nn.Module, optional): T, e.g. the ``model`` of a zoo config. None for the scheme 'S'.
        scale (int): Up-sampling factor of S.
        scheme (str, list[dict], dict or Scheme): 'SR4IR', 'H->T', 'L->T', 'S->T', 'T->S', 'S+T', 'S' (S alone, to
            pre-train it), a list of :class:`Phase` arguments, or the arguments of :class:`Scheme`.
        tdp (dict, optional): Arguments of :class:`TDPLoss`. Without ``layers``, those of :func:`default_layers`.
        cqmix (dict, optional): Arguments of :class:`CQMix`.
        degradation (dict, optional): Module ``hr -> lr``. Defaults to :class:`BicubicDegradation`.
        channel_order (str, optional): Channel order of T, see :class:`SRDataPreprocessor`.
        data_preprocessor (dict, optional): Data preprocessor of T, if its own config has none: MMEngine's Runner
            passes on what a zoo config has next to the model. Without T, that of the images.
        init_cfg (dict, optional): As in MMEngine.
        may_differ (str or Sequence[str]): Parts that the file of ``load_from`` or of an ``init_cfg`` may lack or have
            in other shapes, and that start from random weights: ``['task.decode_head.conv_seg']`` for other classes.
            All other weights of the networks that the scheme uses must be in the file.
        channels_last (bool): Whether weights, and so the activations, are in ``torch.channels_last``, in which
            convolutions are fastest. The results are the same up to the order of sums.
        align_corners (bool): Whether 'bilinear' puts the corner pixels of LR and HR on each other, as the paper's code
            does. Then points move, by up to ``(scale - 1) / 2`` pixels; with False they stay where they are.
        tdp_net (str or dict, optional): Network whose features the TDP loss compares: 'start' for T as it is when the
            training starts, ``dict(momentum=0.001)`` for a moving average of T, or the config of another network with
            weights, which is frozen. By default T itself.
        statistics_from (str): Images that the running statistics of T's BatchNorms count in training: 'all' that T
            receives, or only those of the kind that it receives at test time, 'test_input'.

    Raises:
        SR4IRError: If S does not enlarge by ``scale``, the scheme is unknown or wrong, a network that the scheme uses
            is missing, T has no TDP layer of a given name, or no image of a phase is what ``statistics_from`` counts;
            later, if weights are loaded that do not fit.

    Example:
        >>> model = SR4IR(dict(type='mmagic.EDSRNet', in_channels=3, out_channels=3), task=zoo_config.model, scale=4)
        >>> losses = model.train_step(batch, optim_wrapper)  # one iteration: S, then T
    """

    def __init__(
        self,
        sr: dict | nn.Module | None,
        task: dict | nn.Module | None,
        scale: int,
        scheme: str | Scheme | Mapping | Sequence[Mapping] = 'SR4IR',
        tdp: dict | None = None,
        cqmix: dict | None = None,
        degradation: dict | None = None,
        channel_order: str | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
        may_differ: str | Sequence[str] = (),
        channels_last: bool = False,
        align_corners: bool = True,
        tdp_net: str | dict | None = None,
        statistics_from: str = 'all',
    ) -> None:
        check_number('SR4IR', low=1, whole=True, scale=scale)
        scheme = build_scheme(scheme)
        task, task_files = build_task(task, data_preprocessor, scheme.task_losses)
        task_preprocessor = (data_preprocessor or IMAGES_ONLY) if task is None else task.data_preprocessor
        degradation = degradation or dict(type='sr4ir_mm.BicubicDegradation', scale=scale)
        preprocessor = dict(
            type='sr4ir_mm.SRDataPreprocessor',
            task_preprocessor=task_preprocessor,
            degradation=degradation,
            channel_order=channel_order,
        )
        super().__init__(preprocessor, init_cfg)
        if (other := self.data_preprocessor.degradation.scale) != scale:
            raise SR4IRError(f'The degradation has scale={other}, but the model has scale={scale}: set the same one.')
        self.scale = scale
        self.align_corners = align_corners
        self.scheme = scheme
        self.statistics_from = statistics_from
        self.sr, sr_init_cfg = build_sr(sr, scale)
        self.task = task
        #: files from which the two networks start, in addition to those in their own init_cfg
        self.starts = dict(sr=as_list(sr_init_cfg), task=task_files)
        self._check_nets()
        self.tdp_net = build_tdp_net(tdp_net, task) if self.scheme.uses_tdp else None
        compared = task if self.tdp_net is None else self.tdp_net.net
        layers = default_layers(compared) if self.scheme.uses_tdp and 'layers' not in (tdp or {}) else {}
        self.tdp = MODELS.build({'type': 'sr4ir_mm.TDPLoss', 'layers': layers, **(tdp or {})})
        self.cqmix = MODELS.build(dict(type='sr4ir_mm.CQMix', **(cqmix or {})))
        #: False during the warm-up; :class:`AlternatingUpdateHook` sets it from the runner's counters.
        self.tdp_active = True
        #: whether an :class:`AlternatingUpdateHook` is part of the run
        self.updates_are_prepared = False
        self.recorder = FeatureRecorder(compared, self.tdp.layers) if self.scheme.uses_tdp else None
        for net in self._frozen_nets():
            net.requires_grad_(False)
        self.may_differ = [may_differ] if isinstance(may_differ, str) else list(may_differ)
        #: networks and weights that are neither loaded nor trained: a test of them would mean nothing
        self.random_parts = list(self.used_nets)
        self.channels_last = channels_last
        if channels_last:  # before DistributedDataParallel takes the layout for its buffers
            self.to(memory_format=torch.channels_last)
        leave_wrappers_out(self, NAMES)
        LoadWatch(self, check_model)
        self._part = 'task'  # hooks of the zoos read and set e.g. ``runner.model.bbox_head``

    @property
    def used_nets(self) -> list[str]:
        """Names of the networks that the scheme uses, 'sr' and 'task'."""
        uses = dict(sr=self.scheme.uses_sr_net, task=self.scheme.uses_task_net or self.scheme.uses_tdp)
        return [name for name, is_used in uses.items() if is_used]

    def init_weights(self) -> None:
        """Initialize as usual, then load files: ``init_weights`` of e.g. DETR would overwrite what it has loaded."""
        if self.is_init:
            return super().init_weights()  # logs that it was done
        nets = dict(sr=unwrap(self.sr), task=unwrap(self.task))
        files = {name: [*self.starts[name], *take_files(net)] for name, net in nets.items()}
        whole = take_files(self)
        with checked_init(self):
            super().init_weights()
            for name, net in nets.items():
                start(net, files[name])
        start(self, whole)

    def forget_files(self) -> None:
        """Start from no file, because a checkpoint will replace all weights."""
        self.starts = {name: [] for name in self.starts}
        if self.tdp_net is not None:
            self.tdp_net.files = []
        for part in self.modules():
            take_files(part)

    def load_state_dict(self, state_dict: Mapping, strict: bool = True, **kwargs: Any) -> Any:
        """Load weights as in PyTorch; ``strict=False`` asks for a load of any part, see ``may_differ``."""
        asked = self.may_differ
        self.may_differ = asked if strict else list(NAMES)
        try:
            return super().load_state_dict(state_dict, strict, **kwargs)
        finally:
            self.may_differ = asked

    def train(self, mode: bool = True) -> 'SR4IR':
        """Set the mode; networks that the scheme never trains stay in eval mode."""
        super().train(mode)
        for net in self._frozen_nets():
            net.eval()
        return self

    def to(self, *args: Any, **kwargs: Any) -> 'SR4IR':
        """Move T with its own ``to`` first: mmdet's distillation detectors keep a teacher that is no submodule."""
        device = torch._C._nn._parse_to(*args, **kwargs)[0]
        if self.task is not None and device is not None:
            self.task.to(device)
        return super().to(*args, **kwargs)

    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """Run one iteration: each phase of the scheme in turn.

        Args:
            data (dict): Batch of the data loader.
            optim_wrapper (OptimWrapperDict): Wrappers named 'sr' and 'task', for the networks that are trained.

        Returns:
            dict[str, Tensor]: Weighted losses, not synchronized: 'sr.loss_pix', 'sr.loss_tdp',
            'task.<image>.<name in T>', and the sum over all phases, 'loss'.
        """
        batch = self.data_preprocessor(data, True)
        logs: dict[str, Any] = dict(loss=0)
        if self.tdp_net is not None:
            self.tdp_net.follow(unwrap(self.task))
        updates = []
        for phase in self.scheme.phases:
            if phase.has_loss(self._has_tdp):
                with explain_single_values(), explain_unused(), explain_views(self.channels_last):
                    updates.append(self._run_phase(phase, batch['inputs'], batch['data_samples'], optim_wrapper, logs))
                    if not self.scheme.joint:
                        update(updates.pop())
        for wrappers in updates:
            update(wrappers)
        self.random_parts = []
        logs['loss'] = logs.pop('loss')  # last, so that a loss that is not finite is named by its part
        return logs

    def forward(self, inputs: Tensor | dict, data_samples: list | None = None, mode: str = 'tensor') -> Any:
        """Run T on what it receives at test time.

        Args:
            inputs (Tensor or dict): LR images, N x 3 x h x w, [0, 1], RGB; or ``inputs`` of
                :class:`SRDataPreprocessor`.
            data_samples (list, optional): Data samples of T.
            mode (str): 'tensor', 'predict' or 'loss', as in T.

        Returns:
            What T returns. In mode 'predict' of preprocessed batches each data sample also holds ``lr``,
            ``task_input`` (what T received) and ``hr``, each 3 x H x W in [0, 1].
        """
        if isinstance(inputs, Tensor):
            return self.run_task(self.data_preprocessor.normalize(self.upsample(inputs)), data_samples, mode)
        return self._forward_batch(inputs, data_samples, mode)

    def upsample(self, lr: Tensor) -> Tensor:
        """Return T's input at test time, made from LR images.

        Args:
            lr (Tensor): N x 3 x h x w, [0, 1], RGB.

        Returns:
            Tensor: N x 3 x (scale h) x (scale w), about [0, 1]; the image itself under 'H->T'.
        """
        if self.scheme.test_input == 'hr':
            return lr
        return self._run_sr(lr) if self.scheme.test_input == 'sr' else self.bilinear(lr)

    def bilinear(self, lr: Tensor) -> Tensor:
        """Enlarge N x 3 x h x w by ``scale``, bilinearly, see ``align_corners``."""
        return F.interpolate(lr, scale_factor=self.scale, mode='bilinear', align_corners=self.align_corners)

    def select_input(self, name: str, images: dict[str, Tensor]) -> Tensor:
        """Return one of the images that T can receive.

        Args:
            name (str): 'hr', 'bilinear', 'sr' or 'mix'.
            images (dict[str, Tensor]): ``lr`` and ``hr`` of :class:`SRDataPreprocessor`, and ``sr`` for 'sr' and 'mix'.

        Returns:
            Tensor: N x 3 x H x W, [0, 1], RGB.
        """
        if name == 'bilinear':
            return _crop(self.bilinear(images['lr']), images['hr'])
        return self.cqmix(images['sr'], images['hr']) if name == 'mix' else images[name]

    def normalized_input(self, name: str, images: dict[str, Tensor]) -> Tensor:
        """Return the same image, normalized as T receives it; for 'hr', the unchanged output of T's preprocessor."""
        if name == 'hr':
            return images['hr_inputs']
        return self.data_preprocessor.normalize(self.select_input(name, images))

    @property
    def _has_tdp(self) -> bool:
        """Whether the TDP loss counts in this iteration."""
        return self.tdp_active and self.tdp.loss_weight > 0

    def _counted_images(self, images: Iterable[str]) -> AbstractContextManager:
        """Return a context in which T's BatchNorms count these images, if they are what ``statistics_from`` says."""
        counts = self.statistics_from == 'all' or set(images) <= {self.scheme.test_input}
        return nullcontext() if counts else kept_statistics(unwrap(self.task))

    def _check_nets(self) -> None:
        if self.sr is None and self.scheme.uses_sr_net:
            raise SR4IRError('The scheme needs a super-resolution network: set model.sr.')
        if self.task is None and (self.scheme.uses_task_net or self.scheme.uses_tdp):
            raise SR4IRError('The scheme needs a task network: set model.task.')
        if self.statistics_from not in ('all', 'test_input'):
            raise SR4IRError(f"model.statistics_from='{self.statistics_from}' must be 'all' or 'test_input'.")
        learned = {image for phase in self.scheme.phases if 'task' in phase.learn for image in phase.task}
        if self.statistics_from != 'all' and learned and self.scheme.test_input not in learned:
            raise SR4IRError(
                f"model.statistics_from='test_input' counts '{self.scheme.test_input}' images, which the task network "
                "never receives while it learns: add them to task=dict(...) of the phase, or set 'all'."
            )

    def _frozen_nets(self) -> list[nn.Module]:
        nets = (getattr(self, name) for name in self.scheme.frozen_nets)
        return [net for net in nets if net is not None]

    def _forward_batch(self, images: dict, data_samples: list | None, mode: str) -> Any:
        images, name = dict(images), self.scheme.test_input
        if name == 'sr':
            images['sr'] = self._super_resolve(images)
        outputs = self.run_task(self.normalized_input(name, images), data_samples, mode)
        if mode == 'predict':
            add_images(outputs, images | dict(task_input=self.select_input(name, images)))
        return outputs

    def run_task(self, inputs: Tensor, data_samples: list | None, mode: str) -> Any:
        """Run T on N x 3 x H x W normalized images; its predictions are in float32 under mixed precision too."""
        if mode == 'predict' and not self.scheme.uses_task_net:
            return data_samples
        with explain_views(self.channels_last):
            if mode != 'predict' or not is_mixed(inputs.device):
                return self.task(inputs, data_samples, mode=mode)
            with full_outputs(unwrap(self.task)):
                return to_float32(self.task(inputs, data_samples, mode=mode))

    def _run_phase(
        self, phase: Phase, images: dict, samples: list, optim_wrapper: OptimWrapperDict, logs: dict
    ) -> list[OptimWrapper]:
        """Compute the gradients of a phase, and return the wrappers of the networks that are to be updated."""
        wrappers = {name: optim_wrapper[name] for name in phase.learn}
        given, images = images, dict(images)
        branches = phase.branches()
        with self._frozen_task(phase):
            for branch in branches:
                last = branch is branches[-1]
                with optim_contexts({getattr(self, name): wrapper for name, wrapper in wrappers.items()}, last):
                    if phase.needs_sr and ('sr' in phase.learn or 'sr' not in images):
                        with torch.set_grad_enabled('sr' in phase.learn):
                            images['sr'] = self._super_resolve(images)
                    loss, log = self._losses(branch, images, samples)
                with self._counted_images(branch.task):  # blocks that save memory run again in the backward pass
                    accumulate(wrappers.values(), loss, last)
                for key, value in (log | dict(loss=loss.detach())).items():
                    logs[key] = logs[key] + value if key in logs and 'loss' in key else value
        if self.scheme.reuse_sr and 'sr' in images:
            given['sr'] = images['sr'].detach()
        return list(wrappers.values())

    def _frozen_task(self, phase: Phase) -> AbstractContextManager:
        if 'task' in phase.learn or self.task is None:
            return nullcontext()
        if self.tdp_net is not None and not phase.task:
            return frozen(self.tdp_net.net)
        return frozen(unwrap(self.task), gives_losses=bool(phase.task))

    def _losses(self, branch: Phase, images: dict, samples: list) -> tuple[Tensor, dict]:
        losses = {}
        if branch.pixel:
            losses['sr.loss_pix'] = branch.pixel * F.l1_loss(images['sr'], images['hr'])
        if branch.tdp and self._has_tdp:
            losses['sr.loss_tdp'] = branch.tdp * self._tdp_loss(branch, images, samples)
        total, logs = sum(losses.values()), dict(losses)
        for name, weight in branch.task.items():
            with self._counted_images([name]):
                outputs = self.task(self.normalized_input(name, images), self._copy_samples(samples), mode='loss')
            loss, log = unwrap(self.task).parse_losses(outputs)
            total = total + weight * loss
            logs.update(
                {f'task.{name}.{key}': weight * value if 'loss' in key else value for key, value in log.items()}
            )
        return total, {key: value.detach() for key, value in logs.items()}

    def _tdp_loss(self, branch: Phase, images: dict, samples: list) -> Tensor:
        is_asked_for_losses = branch.task and self.tdp_net is None
        with frozen(unwrap(self.task)) if is_asked_for_losses else nullcontext():  # in eval mode, unlike for its losses
            sr, hr = self._tdp_inputs(images)
            with torch.no_grad():
                hr_feats = self.recorder(hr, samples)
            return self.tdp(self.recorder(sr, samples), hr_feats)

    def _tdp_inputs(self, images: dict) -> tuple[Tensor, Tensor]:
        """Return SR and HR images, normalized as the network of the TDP loss receives them."""
        if isinstance(self.tdp_net, OtherNet):
            return self.tdp_net.normalize(images['sr']), self.tdp_net.normalize(images['hr'])
        return self.normalized_input('sr', images), images['hr_inputs']

    def _copy_samples(self, samples: list) -> list:
        """Return samples for one forward pass: some models of the zoos change them in it."""
        return samples if self.scheme.task_losses == 1 else copy.deepcopy(samples)

    def _run_sr(self, lr: Tensor) -> Tensor:
        """Run S. Its image is float32 under mixed precision too: bfloat16 rounds bright pixels to half a gray level."""
        return self.sr(lr).to(lr.dtype)

    def _super_resolve(self, images: dict) -> Tensor:
        sr, hr = self._run_sr(images['lr']), images['hr']
        if not all(0 <= side - expected < self.scale for side, expected in zip(sr.shape[-2:], hr.shape[-2:])):
            raise SR4IRError(
                f'{type(unwrap(self.sr)).__name__} made SR of {sr.shape[-1]} x {sr.shape[-2]} px for HR of '
                f'{hr.shape[-1]} x {hr.shape[-2]} px: choose one that enlarges by {self.scale} at any size.'
            )
        return _crop(sr, hr)


def _crop(image: Tensor, hr: Tensor) -> Tensor:
    """Remove what the degradation padded."""
    return image[..., : hr.shape[-2], : hr.shape[-1]]
