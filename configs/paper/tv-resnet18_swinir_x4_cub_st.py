_base_ = './tv-resnet18_swinir_x4_cub.py'
model = dict(scheme='S+T')
param_scheduler = {{_base_.baseline_scheduler}}
