_base_ = '../sr4ir/deeplabv3plus-squeezenet_edsr-s_x4_voc-mini.py'
model = dict(scheme='S', sr=dict(init_cfg=dict(_delete_=True)))
optim_wrapper = dict(sr=dict(optimizer=dict(lr=1e-3)))
param_scheduler = {{_base_.baseline_scheduler}}
val_evaluator = [dict(type='sr4ir_mm.SRQuality')]
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='sr/PSNR'))
