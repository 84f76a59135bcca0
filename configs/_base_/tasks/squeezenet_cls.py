# a classifier of 22 classes on torchvision's SqueezeNet, which is pretrained on ImageNet and frozen: 716 images are too
# few to train it
default_scope = 'mmpretrain'
visualizer = dict(type='UniversalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
task = dict(
    type='ImageClassifier',
    data_preprocessor=dict(
        type='ClsDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
        num_classes=22,
    ),
    backbone=dict(
        type='sr4ir_mm.TorchvisionBackbone',
        name='squeezenet1_0',
        out_nodes=['features.12'],
        frozen=['features'],
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://squeezenet1_0'),
    ),
    neck=dict(type='LinearNeck', in_channels=512, out_channels=512, gap_dim=2, norm_cfg=dict(type='BN1d')),
    head=dict(type='LinearClsHead', in_channels=512, num_classes=22),
)
