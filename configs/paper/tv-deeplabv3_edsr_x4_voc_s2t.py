_base_ = './tv-deeplabv3_edsr_x4_voc.py'
# S as pre-trained by tv-deeplabv3_edsr_x4_voc_sr.py
pretrained = 'work_dirs/tv-deeplabv3_edsr_x4_voc_sr/epoch_100.pth'
model = dict(scheme='S->T', sr=dict(init_cfg=dict(type='Pretrained', prefix='sr.', checkpoint=pretrained)))
param_scheduler = {{_base_.baseline_scheduler}}
