_base_ = [
    '../_base_/tasks/tv-deeplabv3_mobilenetv3.py',
    '../_base_/datasets/voc_seg.py',
    '../_base_/schedules/seg_100e.py',
    '../_base_/sr/swinir-official_x4.py',
]
model = dict(
    type='sr4ir_mm.SR4IR',
    sr={{_base_.sr}},
    task={{_base_.task}},
    scale={{_base_.scale}},
    scheme='SR4IR',
    channels_last=True,
    tdp=dict(layers={'net.backbone[out]': 1.0}),
    cqmix=dict(grid=8),
)
optim_wrapper = dict(task=dict(paramwise_cfg=dict(custom_keys=dict(aux_classifier=dict(lr_mult=10.0)))))
default_hooks = dict(checkpoint=dict(save_best='mIoU'))
