_base_ = './tv-faster-rcnn_edsr_x8_voc.py'
model = dict(scheme='S')
param_scheduler = {{_base_.baseline_scheduler}}
val_evaluator = [dict(type='sr4ir_mm.SRQuality')]
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='sr/PSNR'))
