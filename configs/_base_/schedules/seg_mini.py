# Short schedule for segmentation on a CPU
_base_ = './cls_mini.py'
train_cfg = dict(max_epochs=6, val_interval=6)
optim_wrapper = dict(task=dict(optimizer=dict(lr=1e-3)))
param_scheduler = [dict(periods=[1, 5], restart_weights=[1, 1], eta_min_ratio=0.01, **_base_.cosine)]
default_hooks = dict(alternating=dict(warmup_ratio=1 / 6))
baseline_scheduler = [dict(periods=[6], restart_weights=[1], eta_min_ratio=0.01, **_base_.cosine)]
