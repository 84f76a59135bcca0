# short schedule for a CPU
_base_ = './seg_mini.py'
train_cfg = dict(max_epochs=4, val_interval=4)
param_scheduler = [dict(periods=[1, 3], restart_weights=[1, 1], eta_min_ratio=0.01, **_base_.cosine)]
baseline_scheduler = [dict(periods=[4], restart_weights=[1], eta_min_ratio=0.01, **_base_.cosine)]
