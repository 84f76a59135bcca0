# a classifier of 22 classes on an ImageNet-pretrained SqueezeNet, which sees RGB minus its mean; 716 images are too
# few to train the backbone, so it is frozen
default_scope = 'mmpretrain'
visualizer = dict(type='UniversalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
task = dict(
    type='ImageClassifier',
    data_preprocessor=dict(
        type='ClsDataPreprocessor', mean=[123.0, 117.0, 104.0], std=[1.0, 1.0, 1.0], to_rgb=True, num_classes=22
    ),
    backbone=dict(
        type='sr4ir_mm.TorchvisionBackbone',
        name='squeezenet1_0',
        out_nodes=['features.12'],
        frozen=['features'],
        init_cfg=dict(type='Pretrained', checkpoint='../shared/weights/squeezenet1_0_imagenet_deepcomp_rgb.pth'),
    ),
    neck=dict(type='LinearNeck', in_channels=512, out_channels=512, gap_dim=2, norm_cfg=dict(type='BN1d')),
    head=dict(type='LinearClsHead', in_channels=512, num_classes=22),
)
