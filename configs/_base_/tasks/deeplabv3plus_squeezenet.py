# a DeepLabV3+ head on torchvision's SqueezeNet, which is pretrained on ImageNet and frozen
default_scope = 'mmseg'
visualizer = dict(type='SegLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
task = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        size=(128, 128),
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(
        type='sr4ir_mm.TorchvisionBackbone',
        name='squeezenet1_0',
        out_nodes=['features.5', 'features.12'],
        frozen=['features'],
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://squeezenet1_0'),
    ),
    decode_head=dict(
        type='DepthwiseSeparableASPPHead',
        in_channels=512,
        in_index=1,
        channels=128,
        dilations=(1, 3, 6, 9),
        c1_in_channels=256,
        c1_channels=32,
        dropout_ratio=0.1,
        num_classes=21,
        norm_cfg=dict(type='BN'),
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', avg_non_ignore=True),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
