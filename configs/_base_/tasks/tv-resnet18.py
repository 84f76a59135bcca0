# Task network of the paper: torchvision's ResNet-18 pretrained on ImageNet, with a new classifier of 196 classes
default_scope = 'mmpretrain'
visualizer = dict(type='UniversalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
task = dict(
    type='sr4ir_mm.TorchvisionClassifier',
    name='resnet18',
    num_classes=196,
    data_preprocessor=dict(
        type='ClsDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
    ),
    backbone_init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet18'),
)
