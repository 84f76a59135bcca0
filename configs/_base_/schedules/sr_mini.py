# Short schedule for pre-training the SR network on a CPU: pixel loss only
_base_ = '../default_runtime.py'
train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=20)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    constructor='sr4ir_mm.SR4IROptimWrapperConstructor',
    sr=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0)),
)
param_scheduler = [
    dict(type='CosineAnnealingLR', by_epoch=True, T_max=20, eta_min_ratio=0.01, convert_to_iter_based=True)
]
randomness = dict(seed=0)
