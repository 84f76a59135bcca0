_base_ = './tv-resnet18_edsr_x4_cars.py'
model = dict(scheme='S')
param_scheduler = {{_base_.baseline_scheduler}}
val_evaluator = [dict(type='sr4ir_mm.SRQuality')]
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='sr/PSNR'))
