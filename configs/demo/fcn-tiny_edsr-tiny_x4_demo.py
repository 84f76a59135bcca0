_base_ = [
    '../_base_/tasks/fcn_tiny.py',
    '../_base_/datasets/demo_seg.py',
    '../_base_/schedules/seg_demo.py',
    '../_base_/sr/edsr-tiny_x4.py',
]
model = dict(
    type='sr4ir_mm.SR4IR',
    sr={{_base_.sr}},
    task={{_base_.task}},
    scale={{_base_.scale}},
    scheme='SR4IR',
    channels_last=True,
    tdp=dict(layers={'backbone[-1]': 1.0}),
    cqmix=dict(grid=8),
)
default_hooks = dict(logger=dict(interval=12), checkpoint=dict(save_best='mIoU'))
