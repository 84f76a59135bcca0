_base_ = './tv-resnet18_edsr_x8_cars.py'
model = dict(scheme='L->T', sr=None)
param_scheduler = {{_base_.baseline_scheduler}}
