_base_ = [
    '../_base_/tasks/efficientnet-lite0.py',
    '../_base_/datasets/cars_mini.py',
    '../_base_/schedules/mini_20e.py',
    '../_base_/schemes/model.py',
    '../_base_/sr/edsr-s_x8.py',
]
model = dict(_base_.sr4ir, sr={{_base_.sr}}, task={{_base_.task}}, scale={{_base_.scale}}, cqmix=dict(grid=4))
default_hooks = dict(logger=dict(interval=10), checkpoint=dict(save_best='accuracy/top1'))
