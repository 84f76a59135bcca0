# A detector on COCO data
_base_ = ['common.py', 'runtime.py']
default_scope = 'mmdet'
visualizer = dict(type='DetLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
task = dict(
    type='RetinaNet',
    data_preprocessor=dict(
        type='DetDataPreprocessor', mean={{_base_.mean}}, std={{_base_.std}}, bgr_to_rgb=True, pad_size_divisor=32
    ),
    backbone=dict(out_indices=(0, 1), **_base_.backbone, **_base_.stages),
    neck=dict(type='FPN', in_channels=[8, 16], out_channels=8, num_outs=2),
    bbox_head=dict(
        type='RetinaHead', num_classes=2, in_channels=8, feat_channels=8, stacked_convs=1,
        anchor_generator=dict(
            type='AnchorGenerator', ratios=[1.0], octave_base_scale=4, scales_per_octave=1, strides=[4, 8]
        ),
        bbox_coder=dict(type='DeltaXYWHBBoxCoder', target_means=[0.0] * 4, target_stds=[1.0] * 4),
        loss_cls=dict(type='FocalLoss', use_sigmoid=True), loss_bbox=dict(type='L1Loss'),
    ),
    train_cfg=dict(
        assigner=dict(type='MaxIoUAssigner', pos_iou_thr=0.5, neg_iou_thr=0.4, min_pos_iou=0, ignore_iof_thr=-1),
        sampler=dict(type='PseudoSampler'), allowed_border=-1, pos_weight=-1, debug=False,
    ),
    test_cfg=dict(nms_pre=50, min_bbox_size=0, score_thr=0.0, nms=dict(type='nms', iou_threshold=0.5), max_per_img=9),
)  # fmt: skip
model = dict(
    type='sr4ir_mm.SR4IR', sr={{_base_.sr_net}}, task=task, scale={{_base_.scale}}, scheme='SR4IR',
    tdp=dict(layers={'neck[0]': 1.0}), cqmix=dict(grid=4),
)  # fmt: skip
data_root = 'data/det'
load, resize = dict(type='sr4ir_mm.CheckedLoadImageFromFile'), dict(type='Resize', scale=(64, 64), keep_ratio=True)
boxes, pack = dict(type='LoadAnnotations', with_bbox=True), dict(type='PackDetInputs')
sampler = dict(type='DefaultSampler', shuffle=False)
dataset = dict(type='CocoDataset', data_root=data_root, metainfo=dict(classes=('square', 'disc')))
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=sampler,
    dataset=dict(ann_file='train.json', data_prefix=dict(img='train/'), filter_cfg=dict(filter_empty_gt=True),
                 pipeline=[load, boxes, resize, pack], **dataset),
)  # fmt: skip
val_dataloader = dict(
    batch_size=1, num_workers=0, sampler=sampler,
    dataset=dict(ann_file='val.json', data_prefix=dict(img='val/'), test_mode=True,
                 pipeline=[load, resize, boxes, pack], **dataset),
)  # fmt: skip
test_dataloader = val_dataloader
val_evaluator = [
    dict(type='sr4ir_mm.ZeroFillCocoMetric', ann_file=data_root + '/val.json', metric='bbox'),
    dict(type='sr4ir_mm.SRQuality', metrics=['PSNR', 'SSIM']),
]
test_evaluator = val_evaluator
optim_wrapper = dict(_delete_=True, **_base_.two_optimizers)
