_base_ = './tv-faster-rcnn_edsr_x4_voc.py'
# T as trained on HR images by tv-faster-rcnn_voc_h2t.py
pretrained = 'work_dirs/tv-faster-rcnn_voc_h2t/epoch_30.pth'
model = dict(scheme='T->S', task=dict(init_cfg=dict(type='Pretrained', prefix='task.', checkpoint=pretrained)))
param_scheduler = {{_base_.baseline_scheduler}}
