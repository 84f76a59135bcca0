"""Real nets of the zoos without their weights, small batches for them, and a Runner for small runs."""

import copy
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config, ConfigDict
from mmengine.hooks import Hook
from mmengine.hub import get_config
from mmengine.model import revert_sync_batchnorm
from mmengine.optim import OptimWrapperDict
from mmengine.registry import MODELS
from mmengine.runner import Runner

from sr4ir_mm.analysis.synthetic_batch import synthetic_batch
from sr4ir_mm.config.zoo import without_weights
from sr4ir_mm.engine import SR4IROptimWrapperConstructor
from sr4ir_mm.models import SR4IR

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
torch.set_num_threads(1)  # faster for nets and inputs as small as these, by far if others use the machine

CONFIGS = dict(
    deeplabv3='mmseg::deeplabv3/deeplabv3_r50-d8_4xb2-40k_cityscapes-512x1024.py',
    segformer='mmseg::segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py',
    faster_rcnn='mmdet::faster_rcnn/faster-rcnn_r50-caffe_fpn_1x_coco.py',
    retinanet='mmdet::retinanet/retinanet_r18_fpn_1x_coco.py',
    yolox='mmdet::yolox/yolox_tiny_8xb8-300e_coco.py',
    resnet18='mmpretrain::resnet/resnet18_8xb32_in1k.py',
    mobilenetv3='mmpretrain::mobilenet_v3/mobilenet-v3-small_8xb128_in1k.py',
)
#: preprocessors that the zoos have for other nets
CAFFE = dict(mean=[103.53, 116.28, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False)
UNNORMALISED = dict(mean=None, std=None, bgr_to_rgb=False)


def net_config(name: str, preprocessor: dict | None = None, **options) -> dict:
    """The zoo's model, of one of :data:`CONFIGS` or another config, without the weights that would be downloaded.

    ``preprocessor`` replaces entries of its data preprocessor, ``options`` entries of the model, by dotted name.
    """
    path = CONFIGS.get(name, name)
    cfg = get_config(path)
    cfg.model.setdefault('data_preprocessor', cfg.get('data_preprocessor'))
    cfg.merge_from_dict({f'model.{key}': value for key, value in options.items()})
    model = cfg.model
    scope = path.split('::')[0]
    preprocessor = dict(preprocessor or {})
    if scope == 'mmseg':
        preprocessor.setdefault('size', (64, 64))
    if scope == 'mmpretrain' and 'bgr_to_rgb' in preprocessor:
        preprocessor['to_rgb'] = preprocessor.pop('bgr_to_rgb')
    model.data_preprocessor.update(preprocessor)
    return ConfigDict(without_weights(model), _scope_=scope)  # the zoos read entries as attributes


def bare_net(cfg: dict) -> torch.nn.Module:
    """The zoo model as it is without us, on one device."""
    return revert_sync_batchnorm(MODELS.build(copy.deepcopy(cfg)))


def batch_for(cfg: dict, *sizes: tuple[int, int], seed: int = 0) -> dict:
    """A batch as the zoo's data loader gives it, with images of these heights and widths."""
    return synthetic_batch(*(sizes or ((64, 64),) * 2), zoo=cfg['_scope_'], seed=seed)


def wrappers_for(model: SR4IR, lr: float = 0.01, **kwargs) -> OptimWrapperDict:
    """SGD with momentum for each net that learns; ``kwargs`` go to each wrapper."""
    part = dict(dict(optimizer=dict(type='SGD', lr=lr, momentum=0.9)), **kwargs)
    return SR4IROptimWrapperConstructor(dict(sr=part, task=part))(model)


def watch_grads(optimizer: torch.optim.Optimizer, net: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A dict that will hold the gradients with which the optimizer makes its latest step."""
    grads = {}

    def keep(*_) -> None:
        grads.clear()
        grads.update({name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None})

    optimizer.register_step_pre_hook(keep)
    return grads


def state(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A copy of the parameters and buffers."""
    return {name: value.clone() for name, value in net.state_dict().items()}


def changed(net: torch.nn.Module, before: dict) -> set[str]:
    """The names of the parameters and buffers that are no longer what they were."""
    return {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}


class Logs(Hook):
    """Keeps the losses of every iteration in ``items``."""

    def __init__(self) -> None:
        self.items: list[dict[str, float]] = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        """Note the losses of one iteration."""
        self.items.append({key: float(value) for key, value in outputs.items()})


def runner_for(
    model: SR4IR,
    dataset,
    work_dir: Path,
    *,
    batch_size: int = 2,
    loader: dict | None = None,
    kind=Runner,
    **kwargs,
) -> Runner:
    """A Runner that trains as our configs do; ``kwargs`` go to it."""
    sgd = dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9))
    options = dict(
        train_dataloader=dict(
            dict(batch_size=batch_size, num_workers=0, dataset=dataset,
                 sampler=dict(type='DefaultSampler', shuffle=False)), **(loader or {})),
        optim_wrapper=dict(constructor='sr4ir_mm.SR4IROptimWrapperConstructor', sr=sgd, task=sgd),
        custom_hooks=[dict(type='sr4ir_mm.AlternatingUpdateHook')],
        default_hooks=dict(runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'), checkpoint=None),
        default_scope='mmengine', randomness=dict(seed=0), experiment_name=f'{work_dir.parent.name}-{work_dir.name}',
    )  # fmt: skip
    options.update(kwargs)
    return kind(model, str(work_dir), **options)


def make_voc(root: Path, sizes: Sequence[tuple[int, int]] = ((64, 64),) * 4) -> Path:
    """A data set in PASCAL VOC's layout with an image of each (height, width), for training and for validation."""
    rng = np.random.default_rng(0)
    for folder in ('JPEGImages', 'SegmentationClass', 'ImageSets/Segmentation'):
        (root / folder).mkdir(parents=True)
    for i, size in enumerate(sizes):
        mask = np.zeros(size, np.uint8)
        mask[size[0] // 4 :, size[1] // 3 :] = i + 1
        image = np.clip(60 * mask[..., None] + rng.integers(0, 60, (*size, 3)), 0, 255)
        cv2.imwrite(str(root / f'JPEGImages/{i}.jpg'), image.astype(np.uint8))
        cv2.imwrite(str(root / f'SegmentationClass/{i}.png'), mask)
    for split in ('train', 'val'):
        (root / f'ImageSets/Segmentation/{split}.txt').write_text('\n'.join(map(str, range(len(sizes)))))
    return root


def run_tool(tool: str, *args: object, cwd: Path) -> int:
    """Run a tool in this process and in a folder, without the seconds that imports take; returns the exit code."""
    argv = [str(TOOLS / f'{tool}.py'), *map(str, args)]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        patch.setattr(sys, 'argv', argv)
        patch.setenv('LOCAL_RANK', '0')
        try:
            runpy.run_path(argv[0], run_name='__main__')
        except SystemExit as exit:
            return exit.code or 0
    return 0


def tiny_config(folder: Path, data_root: str = 'voc', **options) -> Path:
    """Write ``tiny.py``, the smallest run of the shipped mini config; ``options`` are more of its entries."""
    entries = dict(
        data_root=data_root,
        model=dict(
            sr=dict(init_cfg=None, net=dict(mid_channels=8, num_blocks=1)),
            task=dict(
                backbone=dict(_delete_=True, type='ResNet', depth=18, base_channels=8, stem_channels=8, init_cfg=None),
                neck=dict(in_channels=[8, 16, 32, 64], out_channels=8),
                decode_head=dict(in_channels=[8] * 4, channels=8),
            ),
        ),
        default_hooks=dict(logger=dict(interval=1)),
        train_cfg=dict(val_interval=1),
        experiment_name=folder.name,
        visualizer=dict(name=folder.name),
    )
    train = [
        dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
        dict(type='LoadAnnotations'),
        dict(type='PackSegInputs'),
    ]
    for name, batch_size, pipeline in (('train', 2, train), ('val', 1, None), ('test', 1, None)):
        dataset = dict(data_root=data_root, **(dict(pipeline=pipeline) if pipeline else {}))
        entries[f'{name}_dataloader'] = dict(
            batch_size=batch_size, num_workers=0, persistent_workers=False, dataset=dataset
        )
    cfg = Config(entries)
    cfg.merge_from_dict(options)
    path = folder / 'tiny.py'
    (base,) = (TOOLS.parent / 'configs').rglob('fpn-efficientnet-lite0_edsr-s_x4_voc-mini.py')
    path.write_text(f'_base_ = {str(base)!r}\n{cfg.pretty_text}')
    return path
