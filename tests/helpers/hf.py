"""Small networks of transformers with random weights."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
import transformers
from mmengine.optim import OptimWrapperDict
from packaging.version import Version
from torch import nn

from sr4ir_mm.models import SR4IR
from sr4ir_mm.registry import MODELS

from .toy import EDSR
from .zoo import batch_for, wrappers_for

if not transformers.is_torch_available():
    pytest.skip(f'transformers {transformers.__version__} needs a later PyTorch', allow_module_level=True)
transformers.utils.logging.set_verbosity_error()

_RESNET = dict(
    model_type='resnet', embedding_size=8, hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], layer_type='basic'
)
_ONE, _THREE = ['stage4'], ['stage2', 'stage3', 'stage4']
_RT_RESNET = dict(_RESNET, model_type='rt_detr_resnet', out_features=_THREE)
_HGNET = dict(
    model_type='hgnet_v2', stem_channels=[3, 8, 8], stage_in_channels=[8, 8, 16, 24], stage_mid_channels=[8] * 4,
    stage_out_channels=[8, 16, 24, 32], stage_num_blocks=[1] * 4, stage_numb_of_layers=[1] * 4, embedding_size=8,
    hidden_sizes=[8, 16, 24, 32], depths=[1] * 4, out_features=_THREE,
)  # fmt: skip
_SWIN = dict(
    model_type='swin', embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=4, image_size=64,
    out_features=['stage1', 'stage2', 'stage3', 'stage4'],
)  # fmt: skip
_VIT = dict(hidden_size=16, num_hidden_layers=4, num_attention_heads=2, intermediate_size=32, image_size=64)
_DETR = dict(
    d_model=32, encoder_layers=1, decoder_layers=2, encoder_attention_heads=2, decoder_attention_heads=2,
    encoder_ffn_dim=16, decoder_ffn_dim=16, num_queries=7,
)  # fmt: skip
_RT_DETR = dict(
    backbone_config=_RT_RESNET, encoder_in_channels=[16, 24, 32], encoder_hidden_dim=16, encoder_ffn_dim=16,
    encoder_attention_heads=2, d_model=16, num_queries=7, decoder_layers=2, decoder_ffn_dim=16,
    decoder_attention_heads=2, decoder_in_channels=[16, 16, 16], num_denoising=4,
)  # fmt: skip
_SEGFORMER = dict(depths=[1] * 4, hidden_sizes=[8, 16, 24, 32], num_attention_heads=[1, 1, 2, 2])
_MASKS = dict(mask_feature_size=16, num_queries=7)
_EOMT = dict(
    hidden_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=64, num_blocks=2, num_queries=7,
    train_num_points=64,
)  # fmt: skip
_WINDOWS = dict(
    hidden_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=56, patch_size=14, out_indices=[2, 4]
)
_LW_DETR = dict(
    d_model=32, decoder_layers=2, decoder_ffn_dim=16, num_queries=7, group_detr=3, decoder_self_attention_heads=2,
    decoder_cross_attention_heads=2, decoder_n_points=2, c2f_num_blocks=1,
)  # fmt: skip

SEGMENTORS = {
    'SegformerForSemanticSegmentation': dict(_SEGFORMER, decoder_hidden_size=16),
    'UperNetForSemanticSegmentation': dict(backbone_config=_SWIN, hidden_size=16, auxiliary_in_channels=32,
                                           auxiliary_channels=16),
    'DPTForSemanticSegmentation': dict(_VIT, patch_size=16, backbone_out_indices=[0, 1, 2, 3],
                                       neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=16),
    'BeitForSemanticSegmentation': dict(_VIT, out_indices=[1, 2, 3, 4], pool_scales=[1, 2], auxiliary_channels=16),
    'Mask2FormerForUniversalSegmentation': dict(
        _MASKS, backbone_config=_SWIN, hidden_dim=32, feature_size=32, encoder_layers=1, decoder_layers=3,
        num_attention_heads=2, dim_feedforward=32, encoder_feedforward_dim=32, train_num_points=64),
    'MaskFormerForInstanceSegmentation': dict(
        backbone_config=_SWIN, fpn_feature_size=32, mask_feature_size=32, decoder_config=dict(
            _DETR, model_type='detr', decoder_layers=2)),
    'OneFormerForUniversalSegmentation': dict(
        backbone_config=_SWIN, num_queries=7, conv_dim=32, mask_dim=32, hidden_dim=32, encoder_layers=1,
        decoder_layers=3, num_attention_heads=2, dim_feedforward=32, encoder_feedforward_dim=32, train_num_points=64),
    'EomtForUniversalSegmentation': _EOMT,
    'EomtDinov3ForUniversalSegmentation': dict(_EOMT, intermediate_size=32),
}  # fmt: skip
CLASSIFIERS = {
    'ViTForImageClassification': _VIT,
    'Dinov2ForImageClassification': dict(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=64, patch_size=8
    ),
    'SwinForImageClassification': {**_SWIN, 'window_size': 2, 'out_features': None},
    'ConvNextV2ForImageClassification': dict(hidden_sizes=[8, 8, 16, 16], depths=[1] * 4),
    'ResNetForImageClassification': _RESNET,
}
DETECTORS = {
    'DetrForObjectDetection': dict(_DETR, backbone_config=dict(_RESNET, out_features=_ONE)),
    'ConditionalDetrForObjectDetection': dict(_DETR, backbone_config=dict(_RESNET, out_features=_ONE)),
    'TableTransformerForObjectDetection': dict(_DETR, backbone_config=dict(_RESNET, out_features=_ONE)),
    'DabDetrForObjectDetection': dict(
        {key: value for key, value in _DETR.items() if key != 'd_model'},
        hidden_size=32,
        backbone_config=dict(_RESNET, out_features=_ONE),
    ),
    'DeformableDetrForObjectDetection': dict(_DETR, backbone_config=dict(_RESNET, out_features=_THREE)),
    'RTDetrForObjectDetection': _RT_DETR,
    'RTDetrV2ForObjectDetection': _RT_DETR,
    'DFineForObjectDetection': dict(_RT_DETR, backbone_config=_HGNET),
    'LwDetrForObjectDetection': dict(
        _LW_DETR,
        projector_scale_factors=[1.0],
        backbone_config=dict(
            _WINDOWS, model_type='lw_detr_vit', patch_size=16, image_size=64, pretrain_image_size=64, num_windows=4
        ),
    ),
    'RfDetrForObjectDetection': dict(
        _LW_DETR, intermediate_size=16, backbone_config=dict(_WINDOWS, model_type='rf_detr_dinov2', num_windows=2)
    ),
    'YolosForObjectDetection': dict(_VIT, image_size=[64, 96], num_detection_tokens=7),
}
if Version(transformers.__version__) < Version('5.23'):
    del SEGMENTORS['OneFormerForUniversalSegmentation']  # it has no loss without texts there


def cases(names: Iterable[str], *fast: str) -> list:
    """All of these networks as cases of a test; the default tests run a few."""
    return [name if name in fast else pytest.param(name, marks=pytest.mark.slow) for name in names]


def build(kind: str, architecture: str, config: dict, **options) -> nn.Module:
    """One of the adapters, with five classes."""
    torch.manual_seed(0)
    node = dict(type=f'sr4ir_mm.{kind}', architecture=architecture, config=dict(config), num_classes=5)
    return MODELS.build(node | options)


def batch(task: nn.Module, zoo: str, *sizes: tuple[int, int], training: bool = True) -> dict:
    """A batch of the zoo, with labels below five, as the task network receives it."""
    return task.data_preprocessor(few_classes(batch_for(dict(_scope_=zoo), *sizes)), training)


def few_classes(data: dict) -> dict:
    """The batch with labels below five."""
    for sample in data['data_samples']:
        if 'gt_sem_seg' in sample:
            found = sample.gt_sem_seg.data
            sample.gt_sem_seg.data = torch.where(found == 255, found, found % 5)
        if 'gt_label' in sample:
            sample.gt_label = sample.gt_label % 5
        if 'gt_instances' in sample:
            sample.gt_instances.labels = sample.gt_instances.labels % 5
    return data


def train(task: nn.Module, zoo: str, scheme: str = 'SR4IR') -> tuple[SR4IR, dict, OptimWrapperDict]:
    """One step, of SR4IR with TDP by default."""
    model = SR4IR(dict(EDSR), task, scale=4, scheme=scheme).train()
    wrappers = wrappers_for(model)
    return model, model.train_step(few_classes(batch_for(dict(_scope_=zoo))), wrappers), wrappers


def write(folder: Path, architecture: str, config: dict, names: list[str] = ()) -> nn.Module:
    """A folder as transformers writes it, with a processor."""
    torch.manual_seed(1)
    kind = getattr(transformers, architecture)
    labels = dict(enumerate(names or [f'LABEL_{i}' for i in range(5)]))
    net = kind(kind.config_class(**config, id2label=labels, label2id={name: i for i, name in labels.items()}))
    net.save_pretrained(folder)
    from sr4ir_mm.models.adapters.hf_files import processor_for

    processor = processor_for(net.config)
    if net.config.model_type == 'oneformer':  # as folders of the hub, whose processor downloads this file
        processor.class_info_file, processor.repo_path = 'ade20k_panoptic.json', 'no/such/folder'
    processor.save_pretrained(folder)
    return net
