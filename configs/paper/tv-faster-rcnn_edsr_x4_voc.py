_base_ = [
    '../_base_/tasks/tv-faster-rcnn_mobilenetv3_fpn.py',
    '../_base_/datasets/voc_det.py',
    '../_base_/schedules/det_30e.py',
    '../_base_/sr/edsr-official_x4.py',
]
_base_.task.data_preprocessor.pad_size_divisor = _base_.scale
model = dict(
    type='sr4ir_mm.SR4IR',
    sr={{_base_.sr}},
    task={{_base_.task}},
    scale={{_base_.scale}},
    scheme='SR4IR',
    channels_last=True,
    tdp=dict(layers={'net.backbone[0]': 0.5, 'net.backbone[1]': 0.5}),
    cqmix=dict(grid=8),
)
default_hooks = dict(checkpoint=dict(save_best='coco/bbox_mAP'))
