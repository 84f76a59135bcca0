_base_ = [
    '../_base_/tasks/atss_squeezenet.py',
    '../_base_/datasets/voc_det_mini.py',
    '../_base_/schedules/det_mini.py',
    '../_base_/sr/edsr-s_x4_pretrained.py',
]
model = dict(
    type='sr4ir_mm.SR4IR',
    sr={{_base_.sr}},
    task={{_base_.task}},
    scale={{_base_.scale}},
    scheme='SR4IR',
    channels_last=True,
    tdp=dict(layers={'neck[0]': 0.5, 'neck[1]': 0.5}, relative=True, loss_weight=0.1),
    cqmix=dict(grid=8),
)
default_hooks = dict(checkpoint=dict(save_best='coco/bbox_mAP'))
