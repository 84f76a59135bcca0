# Schedule for the demo: a few minutes on two CPU cores
_base_ = '../default_runtime.py'
train_cfg = dict(by_epoch=True, max_epochs=28, val_interval=28)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    constructor='sr4ir_mm.SR4IROptimWrapperConstructor',
    sr=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=3e-3, weight_decay=0)),
    task=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4)),
)
param_scheduler = [
    dict(type='CosineAnnealingLR', by_epoch=True, T_max=28, eta_min_ratio=0.01, convert_to_iter_based=True)
]
default_hooks = dict(alternating=dict(warmup_ratio=1 / 7))
randomness = dict(seed=0)
