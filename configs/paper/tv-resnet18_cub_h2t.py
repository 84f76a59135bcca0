_base_ = './tv-resnet18_edsr_x4_cub.py'
model = dict(scheme='H->T', sr=None)
param_scheduler = {{_base_.baseline_scheduler}}
