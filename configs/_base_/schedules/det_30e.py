# The paper's schedule for detection: 30 epochs, the first 3 without TDP loss; a linear warm-up of the learning rates
# in the first
_base_ = '../default_runtime.py'
train_cfg = dict(by_epoch=True, max_epochs=30, val_interval=5)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    constructor='sr4ir_mm.SR4IROptimWrapperConstructor',
    sr=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=0)),
    task=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=1e-4)),
)
warm_up = dict(type='sr4ir_mm.WarmUpLR', end=1, by_epoch=True, convert_to_iter_based=True)
# 'end' defaults to max_epochs, and then a trial of one epoch could not be built
cosine = dict(type='sr4ir_mm.BasicSRCosineRestartLR', begin=1, end=31, by_epoch=True, convert_to_iter_based=True)
param_scheduler = dict(
    sr=[warm_up, dict(periods=[2, 27], restart_weights=[1, 1], eta_min=1e-6, **cosine)],
    task=[warm_up, dict(periods=[2, 27], restart_weights=[1, 1], eta_min=1e-4, **cosine)],
)
# baselines have no restart; their period also begins after the warm-up, so they end an epoch before the minimum
baseline_scheduler = dict(
    sr=[warm_up, dict(periods=[30], restart_weights=[1], eta_min=1e-6, **cosine)],
    task=[warm_up, dict(periods=[30], restart_weights=[1], eta_min=1e-4, **cosine)],
)
default_hooks = dict(alternating=dict(warmup_ratio=0.1))
auto_scale_lr = dict(enable=False, base_batch_size=16)
randomness = dict(seed=100)
