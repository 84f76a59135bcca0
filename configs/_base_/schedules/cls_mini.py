# Short schedule for classification on a CPU
_base_ = '../default_runtime.py'
train_cfg = dict(by_epoch=True, max_epochs=8, val_interval=8)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    constructor='sr4ir_mm.SR4IROptimWrapperConstructor',
    sr=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=5e-4, weight_decay=0)),
    task=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=2e-3, weight_decay=1e-4)),
)
cosine = dict(type='sr4ir_mm.BasicSRCosineRestartLR', by_epoch=True, convert_to_iter_based=True)
param_scheduler = [dict(periods=[1, 7], restart_weights=[1, 1], eta_min_ratio=0.01, **cosine)]
baseline_scheduler = [dict(periods=[8], restart_weights=[1], eta_min_ratio=0.01, **cosine)]
default_hooks = dict(alternating=dict(warmup_ratio=1 / 8))
randomness = dict(seed=0)
