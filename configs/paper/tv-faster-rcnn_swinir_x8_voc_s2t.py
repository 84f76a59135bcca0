_base_ = './tv-faster-rcnn_swinir_x8_voc.py'
# S as pre-trained by tv-faster-rcnn_swinir_x8_voc_sr.py
pretrained = 'work_dirs/tv-faster-rcnn_swinir_x8_voc_sr/epoch_30.pth'
model = dict(scheme='S->T', sr=dict(init_cfg=dict(type='Pretrained', prefix='sr.', checkpoint=pretrained)))
param_scheduler = {{_base_.baseline_scheduler}}
