_base_ = '../sr4ir/squeezenet_edsr-s_x8_cars-mini.py'
model = dict(scheme='S->T')
param_scheduler = {{_base_.baseline_scheduler}}
