# Pre-training of the SR network that all mini configs of this scale start from
_base_ = [
    '../_base_/tasks/no_task.py',
    '../_base_/datasets/mini_sr.py',
    '../_base_/schedules/sr_mini.py',
    '../_base_/sr/edsr-s_x8.py',
]
model = dict(type='sr4ir_mm.SR4IR', sr={{_base_.sr}}, task=None, scale={{_base_.scale}}, scheme='S', channels_last=True)
default_hooks = dict(checkpoint=dict(save_best='sr/PSNR'))
train_cfg = dict(max_epochs=8, val_interval=8)
param_scheduler = [
    dict(type='CosineAnnealingLR', by_epoch=True, T_max=8, eta_min_ratio=0.01, convert_to_iter_based=True)
]
