# A classifier of 22 classes on EfficientNet-Lite0, pretrained on ImageNet; all of it learns.
# The weights are downloaded by timm. With a file of them: --cfg-options
# model.task.backbone.init_cfg.checkpoint=timm://FILE
default_scope = 'mmpretrain'
visualizer = dict(type='UniversalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
task = dict(
    type='ImageClassifier',
    data_preprocessor=dict(type='ClsDataPreprocessor', mean=[127.0] * 3, std=[128.0] * 3, to_rgb=True, num_classes=22),
    backbone=dict(
        type='TIMMBackbone',
        model_name='tf_efficientnet_lite0',
        init_cfg=dict(type='Pretrained', checkpoint='timm://tf_efficientnet_lite0'),
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=1280, num_classes=22),
)
