_base_ = './tv-resnet18_edsr_x8_cars.py'
# S as pre-trained by tv-resnet18_edsr_x8_cars_sr.py
pretrained = 'work_dirs/tv-resnet18_edsr_x8_cars_sr/epoch_200.pth'
model = dict(scheme='S->T', sr=dict(init_cfg=dict(type='Pretrained', prefix='sr.', checkpoint=pretrained)))
param_scheduler = {{_base_.baseline_scheduler}}
