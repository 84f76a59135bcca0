# the paper's own: torchvision's Faster R-CNN, FPN on MobileNetV3-Large of ImageNet with BatchNorm and 7 layers frozen
default_scope = 'mmdet'
visualizer = dict(type='DetLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
task = dict(
    type='sr4ir_mm.TorchvisionDetector',
    name='fasterrcnn_mobilenet_v3_large_fpn',
    num_classes=20,
    frozen_layers=7,
    # normalized in the net; pad_size_divisor is the scale of S
    data_preprocessor=dict(
        type='sr4ir_mm.PaddedDetDataPreprocessor', mean=[0.0, 0.0, 0.0], std=[255.0, 255.0, 255.0], bgr_to_rgb=True
    ),
    backbone_init_cfg=dict(type='Pretrained', prefix='features.', checkpoint='torchvision://mobilenet_v3_large'),
)
