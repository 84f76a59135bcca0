# DeepLabV3 with an auxiliary FCN head on MobileNetV3-Large pretrained on ImageNet; output stride 8 (the paper: 16)
default_scope = 'mmseg'
visualizer = dict(type='SegLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
norm_cfg = dict(type='SyncBN', requires_grad=True)
task = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        size=(480, 480),
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(
        type='MobileNetV3',
        arch='large',
        out_indices=(4, 16),
        norm_cfg=norm_cfg,
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://contrib/mobilenet_v3_large'),
    ),
    decode_head=dict(
        type='ASPPHead',
        in_channels=960,
        in_index=1,
        channels=256,
        dilations=(1, 12, 24, 36),
        dropout_ratio=0.5,
        num_classes=21,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
    auxiliary_head=dict(
        type='FCNHead',
        in_channels=40,
        in_index=0,
        channels=10,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes=21,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True, loss_weight=0.5),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
