# Task network of the paper: torchvision's Faster R-CNN, FPN on MobileNetV3-Large pretrained on ImageNet, with BatchNorm
# and 7 frozen layers
default_scope = 'mmdet'
visualizer = dict(type='DetLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
task = dict(
    type='sr4ir_mm.TorchvisionDetector',
    name='fasterrcnn_mobilenet_v3_large_fpn',
    num_classes=20,
    frozen_layers=7,
    # the network normalizes; the configs set pad_size_divisor to the scale
    data_preprocessor=dict(
        type='sr4ir_mm.PaddedDetDataPreprocessor', mean=[0.0, 0.0, 0.0], std=[255.0, 255.0, 255.0], bgr_to_rgb=True
    ),
    backbone_init_cfg=dict(type='Pretrained', prefix='features.', checkpoint='torchvision://mobilenet_v3_large'),
)
