# Task network of the paper: torchvision's DeepLabV3 (output stride 16) with an auxiliary head; MobileNetV3-Large
# pretrained on ImageNet
default_scope = 'mmseg'
visualizer = dict(type='SegLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
task = dict(
    type='sr4ir_mm.TorchvisionSegmentor',
    name='deeplabv3_mobilenet_v3_large',
    num_classes=21,
    aux_loss=True,
    data_preprocessor=dict(
        type='SegDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        size=(480, 480),
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone_init_cfg=dict(type='Pretrained', prefix='features.', checkpoint='torchvision://mobilenet_v3_large'),
)
sync_bn = 'torch'  # with several GPUs
