_base_ = [
    '../_base_/tasks/resnet18_cub.py',
    '../_base_/datasets/cub.py',
    '../_base_/schedules/cls_200e.py',
    '../_base_/sr/edsr_x4.py',
]
model = dict(
    type='sr4ir_mm.SR4IR',
    sr={{_base_.sr}},
    task={{_base_.task}},
    scale={{_base_.scale}},
    scheme='SR4IR',
    channels_last=True,
    tdp=dict(layers={'backbone[-1]': 1.0}),
    cqmix=dict(grid=4),
)
default_hooks = dict(checkpoint=dict(save_best='accuracy/top1'))
