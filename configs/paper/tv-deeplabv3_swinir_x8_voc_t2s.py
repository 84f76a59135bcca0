_base_ = './tv-deeplabv3_swinir_x8_voc.py'
# T as trained on HR images by tv-deeplabv3_voc_h2t.py
pretrained = 'work_dirs/tv-deeplabv3_voc_h2t/epoch_100.pth'
model = dict(scheme='T->S', task=dict(init_cfg=dict(type='Pretrained', prefix='task.', checkpoint=pretrained)))
param_scheduler = {{_base_.baseline_scheduler}}
