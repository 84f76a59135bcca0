# Short schedule for detection on a CPU
_base_ = './seg_mini.py'
train_cfg = dict(max_epochs=3, val_interval=3)
param_scheduler = [dict(periods=[1, 2], restart_weights=[1, 1], eta_min_ratio=0.01, **_base_.cosine)]
default_hooks = dict(alternating=dict(warmup_ratio=1 / 3))
baseline_scheduler = [dict(periods=[3], restart_weights=[1], eta_min_ratio=0.01, **_base_.cosine)]
