"""Configs of the zoos that train in special ways, by a name that says which, and what makes their networks small."""

from typing import Any

VIT = dict(_delete_=True, embed_dims=32, num_layers=3, num_heads=4, feedforward_channels=64)
SWIN = dict(_delete_=True, embed_dims=16, depths=[1, 1, 2, 1], num_heads=[1, 2, 4, 8])
CONVNEXT = dict(_delete_=True, depths=[1, 1, 2, 1], channels=[8, 16, 32, 64])
CSP = {
    'model.backbone.deepen_factor': 0.1,
    'model.backbone.widen_factor': 0.125,
    'model.neck.in_channels': [32, 64, 128],
    'model.neck.out_channels': 32,
    'model.neck.num_csp_blocks': 1,
    'model.bbox_head.in_channels': 32,
    'model.bbox_head.feat_channels': 32,
}
QUERIES = {'model.num_queries': 20, 'model.test_cfg.max_per_img': 20}
#: these have encodings of a fixed width
THIN_BACKBONE = {'model.backbone.depth': 18, 'model.neck.in_channels': [128, 256, 512]}
LAYERS = {'model.encoder.num_layers': 1, 'model.decoder.num_layers': 2}
#: a third part of a schedule, shorter than an iteration otherwise
LAST_PART = {'param_scheduler.1.end': 2, 'param_scheduler.2.begin': 2}
#: AMP on a CPU
AMP = {'optim_wrapper.type': 'sr4ir_mm.AnyDeviceAmpOptimWrapper'}
#: sides that are multiples of 8, as those of Cityscapes' own images are
WHOLE_SIDES = {'val_dataloader.dataset.pipeline.1.keep_ratio': False}
SLIDE = {'model.test_cfg.crop_size': (64, 64), 'model.test_cfg.stride': (32, 32)}
ACCUMULATE = {'optim_wrapper.accumulative_counts': 2}
RCNN = {'model.train_cfg.rcnn.sampler.num': 16}
#: an epoch of a repeated data set
ONCE = {'train_dataloader.dataset.times': 1}
#: of masks, for the loss
POINTS = {'model.train_cfg.num_points': 256}


def classifier(arch: dict | None, width: int | list[int] = 0, **backbone: Any) -> dict[str, Any]:
    """Return the changes that make a classifier small."""
    changes = {f'model.backbone.{key}': value for key, value in backbone.items()}
    if arch:
        changes['model.backbone.arch'] = arch
    if width:
        changes['model.head.in_channels'] = width
    return changes


CONFIGS: dict[str, tuple] = {
    # ---- mmdet
    'yolox': ('mmdet::yolox/yolox_tiny_8xb8-300e_coco.py', CSP | LAST_PART),
    'rtmdet': ('mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py', CSP),
    'rtmdet-ins': ('mmdet::rtmdet/rtmdet-ins_tiny_8xb32-300e_coco.py', CSP),
    'detr': ('mmdet::detr/detr_r50_8xb2-150e_coco.py', LAYERS),
    'conditional-detr': ('mmdet::conditional_detr/conditional-detr_r50_8xb2-50e_coco.py', LAYERS | THIN_BACKBONE | {
        'model.neck.in_channels': [512]}, 1, 20),
    'dab-detr': ('mmdet::dab_detr/dab-detr_r50_8xb2-50e_coco.py', LAYERS),
    'deformable-detr': ('mmdet::deformable_detr/deformable-detr-refine-twostage_r50_16xb2-50e_coco.py',
                        LAYERS | QUERIES | THIN_BACKBONE, 1),
    'dino': ('mmdet::dino/dino-4scale_r50_8xb2-12e_coco.py', LAYERS | QUERIES | THIN_BACKBONE, 1),
    'ddq': ('mmdet::ddq/ddq-detr-4scale_r50_8xb2-12e_coco.py', LAYERS | QUERIES | {
        'model.bbox_head.embed_dims': 32}),
    'mask2former-lsj': ('mmdet::mask2former/mask2former_r50_8xb2-lsj-50e_coco.py', POINTS),
    'faster-rcnn-caffe': ('mmdet::faster_rcnn/faster-rcnn_r50-caffe_fpn_ms-1x_coco.py', RCNN),
    'faster-rcnn-ohem': ('mmdet::faster_rcnn/faster-rcnn_r50_fpn_ohem_1x_coco.py', RCNN),
    'faster-rcnn-tnr-accumulated': ('mmdet::faster_rcnn/faster-rcnn_r50-tnr-pre_fpn_1x_coco.py', RCNN | ACCUMULATE),
    'mask-rcnn-poly': ('mmdet::mask_rcnn/mask-rcnn_r50_fpn_ms-poly-3x_coco.py', RCNN | ONCE),
    'cascade-rcnn': ('mmdet::cascade_rcnn/cascade-rcnn_r50_fpn_20e_coco.py', {
        f'model.train_cfg.rcnn.{stage}.sampler.num': 16 for stage in range(3)}),
    'dynamic-rcnn': ('mmdet::dynamic_rcnn/dynamic-rcnn_r50_fpn_1x_coco.py', RCNN),
    'sparse-rcnn-crop': ('mmdet::sparse_rcnn/sparse-rcnn_r50_fpn_300-proposals_crop-ms-480-800-3x_coco.py', {}),
    'copy-paste': ('mmdet::simple_copy_paste/'
                   'mask-rcnn_r50_fpn_rpn-2conv_4conv1fc_syncbn-all_32xb2-ssj-scp-90k_coco.py', RCNN | {
                       f'model.roi_head.{part}_head.norm_cfg.type': 'BN' for part in ('bbox', 'mask')}),
    'convnext-layer-decay-amp': ('mmdet::convnext/mask-rcnn_convnext-t-p4-w7_fpn_amp-ms-crop-3x_coco.py', RCNN | AMP |
                                 {'model.backbone.arch': CONVNEXT, 'model.neck.in_channels': [8, 16, 32, 64]}),
    'swin-no-decay': ('mmdet::swin/retinanet_swin-t-p4-w7_fpn_1x_coco.py', {}),
    'retinanet-amp': ('mmdet::retinanet/retinanet_r50_fpn_amp-1x_coco.py', AMP),
    'fcos-normbbox-bias': ('mmdet::fcos/fcos_r50-caffe_fpn_gn-head-center-normbbox-centeronreg-giou_1x_coco.py', {}),
    'centernet': ('mmdet::centernet/centernet_r18_8xb16-crop512-140e_coco.py', ONCE),
    'condinst-iterations': ('mmdet::condinst/condinst_r50_fpn_ms-poly-90k_coco_instance.py', {}),
    'solo': ('mmdet::solo/decoupled-solo_r50_fpn_1x_coco.py', {'model.test_cfg.nms_pre': 30}),
    'yolact': ('mmdet::yolact/yolact_r50_1xb8-55e_coco.py', {}),
    'yolof-iterations': ('mmdet::yolof/yolof_r50-c5_8xb8-iter-1x_coco.py', {}),
    'yolov3': ('mmdet::yolo/yolov3_mobilenetv2_8xb24-320-300e_coco.py', ONCE, 1),
    'vfnet': ('mmdet::vfnet/vfnet_r50_fpn_1x_coco.py', {}),
    'atss': ('mmdet::atss/atss_r50_fpn_1x_coco.py', {}),
    'reppoints': ('mmdet::reppoints/reppoints-moment_r50_fpn-gn_head-gn_1x_coco.py', {}),
    'distillation': ('mmdet::ld/ld_r18-gflv1-r101_fpn_1x_coco.py', {}),
    'rpn': ('mmdet::rpn/rpn_r50_fpn_1x_coco.py', {'val_evaluator.metric': 'bbox'}),
    'voc0712-concatenated': ('mmdet::pascal_voc/faster-rcnn_r50_fpn_1x_voc0712.py', RCNN | ONCE),
    # ---- mmseg
    'stdc-boundary-head': ('mmseg::stdc/stdc1_4xb12-80k_cityscapes-512x1024.py', {}),
    'pidnet-edges': ('mmseg::pidnet/pidnet-s_2xb6-120k_1024x1024-cityscapes.py', WHOLE_SIDES | {
        'train_dataloader.dataset.pipeline.2.ratio_range': (1.0, 2.0),
        'train_dataloader.dataset.pipeline.2.keep_ratio': False}, 1),
    'bisenetv1-heads': ('mmseg::bisenetv1/bisenetv1_r18-d32_4xb4-160k_cityscapes-1024x1024.py', {}),
    'bisenetv2-heads': ('mmseg::bisenetv2/bisenetv2_fcn_4xb4-160k_cityscapes-1024x1024.py', {}, 1),
    'icnet': ('mmseg::icnet/icnet_r18-d8_4xb2-80k_cityscapes-832x832.py', {}, 1),
    'ddrnet': ('mmseg::ddrnet/ddrnet_23-slim_in1k-pre_2xb6-120k_cityscapes-1024x1024.py', WHOLE_SIDES, 1),
    'ocrnet-cascade': ('mmseg::ocrnet/ocrnet_r101-d8_4xb2-40k_cityscapes-512x1024.py', {}),
    'point-rend': ('mmseg::point_rend/pointrend_r50_4xb4-160k_ade20k-512x512.py', {}),
    'deeplabv3-ohem': ('mmseg::deeplabv3/deeplabv3_r101-d16-mg124_4xb2-40k_cityscapes-512x1024.py', {}),
    'fcn-accumulated': ('mmseg::fcn/fcn_r18-d8_4xb2-80k_cityscapes-512x1024.py', ACCUMULATE),
    'segformer-head-rate': ('mmseg::segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py', {}, 1),
    'segnext-random-bases': ('mmseg::segnext/segnext_mscan-t_1xb16-adamw-160k_ade20k-512x512.py', {}),
    'beit-layer-decay': ('mmseg::beit/beit-base_upernet_8xb2-160k_ade20k-640x640.py', SLIDE | {
        'model.backbone.img_size': (64, 64)}),
    'convnext-stage-decay-amp': ('mmseg::convnext/convnext-tiny_upernet_8xb2-amp-160k_ade20k-512x512.py', {
        **AMP, **SLIDE, 'model.backbone.arch': CONVNEXT, 'model.auxiliary_head.in_channels': 32,
        'model.decode_head.in_channels': [8, 16, 32, 64]}),
    'swin-upernet': ('mmseg::swin/swin-tiny-patch4-window7-in1k-pre_upernet_8xb2-160k_ade20k-512x512.py', {}),
    'knet': ('mmseg::knet/knet-s3_r50-d8_fcn_8xb2-adamw-80k_ade20k-512x512.py', {}),
    'maskformer': ('mmseg::maskformer/maskformer_r50-d32_8xb2-160k_ade20k-512x512.py', {}),
    'mask2former': ('mmseg::mask2former/mask2former_r50_8xb2-160k_ade20k-512x512.py', POINTS),
    'encnet': ('mmseg::encnet/encnet_r50-d8_4xb4-20k_voc12aug-512x512.py', {}),
    'emanet-bases': ('mmseg::emanet/emanet_r50-d8_4xb2-80k_cityscapes-512x1024.py', {}),
    'poolformer-repeated': ('mmseg::poolformer/fpn_poolformer_s12_8xb4-40k_ade20k-512x512.py', AMP, 1),
    'unet': ('mmseg::unet/unet-s5-d16_fcn_4xb4-160k_cityscapes-512x1024.py', WHOLE_SIDES),
    # ---- mmpretrain
    'precise-bn': ('mmpretrain::resnet/resnet50_8xb32-coslr-preciseBN_in1k.py', {}),
    'switch-recipe-ema': ('mmpretrain::mobileone/mobileone-s1_8xb32_in1k.py', classifier(
        dict(_delete_=True, num_blocks=[1, 1, 1, 1], width_factor=[0.25] * 4, num_conv_branches=[2] * 4,
             num_se_blocks=[0] * 4), 128)),
    'convnext-ema': ('mmpretrain::convnext/convnext-tiny_32xb128_in1k.py', classifier(CONVNEXT, 64)),
    'rsb-repeated-augments': ('mmpretrain::resnet/resnet50_8xb256-rsb-a1-600e_in1k.py', {}),
    'mae-layer-decay': ('mmpretrain::mae/benchmarks/vit-base-p16_8xb128-coslr-100e_in1k.py',
                        classifier(VIT, 32, img_size=64)),
    'beit-fine-tuned': ('mmpretrain::beit/benchmarks/beit-base-p16_8xb128-coslr-100e_in1k.py',
                        classifier(VIT, 32, img_size=64)),
    'swin-flat-decay': ('mmpretrain::swin_transformer/swin-tiny_16xb64_in1k.py', classifier(
        SWIN, 128, img_size=64, pad_small_map=True)),
    'deit-distilled': ('mmpretrain::deit/deit-tiny-distilled_4xb256_in1k.py', classifier(VIT, 32, img_size=64)),
    'deit-ema': ('mmpretrain::deit/deit-base_16xb64_in1k.py', classifier(VIT, 32, img_size=64)),
    'deit3': ('mmpretrain::deit3/deit3-small-p16_64xb64_in1k.py', classifier(VIT, 32, img_size=64)),
    'vit-lora': ('mmpretrain::vision_transformer/vit-base-p16_8xb64-lora_in1k-384px.py', {
        'model.backbone.module.arch': VIT, 'model.backbone.module.img_size': 96, 'model.head.in_channels': 32}),
    'cutmix': ('mmpretrain::resnet/resnet50_8xb32-cutmix_in1k.py', {
        'model.train_cfg.augments': dict(_delete_=True, type='CutMix', alpha=1.0)}),
    'mixup-accumulated': ('mmpretrain::resnet/resnet50_8xb32-mixup_in1k.py', ACCUMULATE),
    'label-smoothing': ('mmpretrain::resnet/resnet50_32xb64-warmup-lbs_in1k.py', {}),
    'cub': ('mmpretrain::resnet/resnet50_8xb8_cub.py', {}),
    'efficientnet-01norm': ('mmpretrain::efficientnet/efficientnet-b0_8xb32-01norm_in1k.py', {}, 1),
    'conformer-two-losses': ('mmpretrain::conformer/conformer-tiny-p16_8xb128_in1k.py', classifier(
        dict(_delete_=True, embed_dims=32, channel_ratio=1, num_heads=4, depths=6), [256, 32]), 1),
    'revvit-own-backward': ('mmpretrain::revvit/revvit-small_8xb256_in1k.py', classifier(
        dict(VIT, num_layers=2), 64, img_size=64)),
    'riformer': ('mmpretrain::riformer/riformer-s12_8xb128_in1k.py', {}, 1),
    't2t-ema': ('mmpretrain::t2t_vit/t2t-vit-t-14_8xb64_in1k.py', LAST_PART | classifier(
        None, img_size=64, num_layers=2), 1),
    'hornet-ema': ('mmpretrain::hornet/hornet-tiny_8xb128_in1k.py', classifier(
        dict(_delete_=True, base_dim=8, depths=[1, 1, 2, 1], orders=[2, 3, 4, 5],
             dw_cfg=[dict(type='DW', kernel_size=7)] * 4), 64)),
    'repvgg': ('mmpretrain::repvgg/repvgg-A0_8xb32_in1k.py', {}, 1),
    'multi-label': ('mmpretrain::csra/resnet101-csra_1xb16_voc07-448px.py', {}),
}  # fmt: skip
