_base_ = [
    '../_base_/tasks/fpn_efficientnet-lite0.py',
    '../_base_/datasets/voc_seg_mini.py',
    '../_base_/schedules/mini_20e.py',
    '../_base_/schemes/model.py',
    '../_base_/sr/edsr-s_x4.py',
]
model = dict(_base_.sr4ir, sr={{_base_.sr}}, task={{_base_.task}}, scale={{_base_.scale}})
default_hooks = dict(checkpoint=dict(save_best='mIoU'))
