_base_ = [
    '../_base_/tasks/atss_efficientnet-lite0_bccd.py',
    '../_base_/datasets/bccd.py',
    '../_base_/schedules/mini_20e.py',
    '../_base_/schemes/model.py',
    '../_base_/sr/edsr-s_x8.py',
]
model = dict(_base_.sr4ir, sr={{_base_.sr}}, task={{_base_.task}}, scale={{_base_.scale}})
default_hooks = dict(checkpoint=dict(save_best='coco/bbox_mAP'))
