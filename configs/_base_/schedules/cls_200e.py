# The paper's schedule for classification: 200 epochs, the first 20 without TDP loss; after them a restart
_base_ = '../default_runtime.py'
train_cfg = dict(by_epoch=True, max_epochs=200, val_interval=10)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    constructor='sr4ir_mm.SR4IROptimWrapperConstructor',
    sr=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-4, betas=(0.9, 0.999), weight_decay=0)),
    task=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.03, momentum=0.9, weight_decay=1e-4)),
)
cosine = dict(type='sr4ir_mm.BasicSRCosineRestartLR', by_epoch=True, convert_to_iter_based=True)
param_scheduler = dict(
    sr=[dict(periods=[20, 180], restart_weights=[1, 1], eta_min=1e-6, **cosine)],
    task=[dict(periods=[20, 180], restart_weights=[1, 1], eta_min=1e-4, **cosine)],
)
# baselines have no warm-up and no restart
baseline_scheduler = dict(
    sr=[dict(periods=[200], restart_weights=[1], eta_min=1e-6, **cosine)],
    task=[dict(periods=[200], restart_weights=[1], eta_min=1e-4, **cosine)],
)
default_hooks = dict(alternating=dict(warmup_ratio=0.1))
auto_scale_lr = dict(enable=False, base_batch_size=128)
randomness = dict(seed=200)
