# A segmenter as a zoo has it, with two heads
_base_ = 'common.py'
default_scope = 'mmseg'
visualizer = dict(type='SegLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
head = dict(type='FCNHead', channels=8, num_convs=1, concat_input=False, dropout_ratio=0, num_classes=3,
            norm_cfg={{_base_.norm_cfg}}, align_corners=False, loss_decode=dict(type='CrossEntropyLoss'))  # fmt: skip
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean={{_base_.mean}}, std={{_base_.std}}, bgr_to_rgb=True, size=(64, 64),
        pad_val=0, seg_pad_val=255,
    ),
    backbone=dict(out_indices=(0, 1), **_base_.backbone, **_base_.stages),
    decode_head=dict(in_channels=16, in_index=1, **head),
    auxiliary_head=dict(in_channels=8, in_index=0, **head),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)  # fmt: skip
data_root = 'data/seg'
pipeline = [dict(type='sr4ir_mm.CheckedLoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]
dataset = dict(
    type='BaseSegDataset', data_root=data_root, img_suffix='.png', pipeline=pipeline,
    metainfo=dict(classes=('background', 'square', 'disc')),
)  # fmt: skip
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(data_prefix=dict(img_path='img/train', seg_map_path='ann/train'), **dataset),
)  # fmt: skip
val_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(data_prefix=dict(img_path='img/val', seg_map_path='ann/val'), test_mode=True, **dataset),
)  # fmt: skip
test_dataloader = val_dataloader
val_evaluator = [
    dict(type='IoUMetric', iou_metrics=['mIoU']), dict(type='sr4ir_mm.SRQuality', metrics=['PSNR', 'SSIM']),
]  # fmt: skip
test_evaluator = val_evaluator
