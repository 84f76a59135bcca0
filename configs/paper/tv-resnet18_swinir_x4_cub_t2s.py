_base_ = './tv-resnet18_swinir_x4_cub.py'
# T as trained on HR images by tv-resnet18_cub_h2t.py
pretrained = 'work_dirs/tv-resnet18_cub_h2t/epoch_200.pth'
model = dict(scheme='T->S', task=dict(init_cfg=dict(type='Pretrained', prefix='task.', checkpoint=pretrained)))
param_scheduler = {{_base_.baseline_scheduler}}
