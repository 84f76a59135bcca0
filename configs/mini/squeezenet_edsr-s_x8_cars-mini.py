_base_ = [
    '../_base_/tasks/squeezenet_cls.py',
    '../_base_/datasets/cars_mini.py',
    '../_base_/schedules/cls_mini.py',
    '../_base_/sr/edsr-s_x8_pretrained.py',
]
model = dict(
    type='sr4ir_mm.SR4IR',
    sr={{_base_.sr}},
    task={{_base_.task}},
    scale={{_base_.scale}},
    scheme='SR4IR',
    channels_last=True,
    tdp=dict(layers={'backbone[-1]': 1.0}, relative=True, loss_weight=0.1),
    cqmix=dict(grid=4),
)
default_hooks = dict(logger=dict(interval=10), checkpoint=dict(save_best='accuracy/top1'))
