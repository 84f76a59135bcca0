# Schedule of configs/mini: 20 epochs, the first 2 without TDP loss; what T has not learned from ImageNet learns 5 times
# as fast as its backbone. With train_cfg.max_epochs=N, warm-up and learning rates follow.
_base_ = '../default_runtime.py'
train_cfg = dict(by_epoch=True, max_epochs=20, val_interval=5)
val_cfg = dict()
test_cfg = dict()
fast = dict(lr_mult=5.0)  # conv_head is the last layer of the backbone
optim_wrapper = dict(
    constructor='sr4ir_mm.SR4IROptimWrapperConstructor',
    sr=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=2e-4, weight_decay=0)),
    task=dict(
        type='OptimWrapper',
        optimizer=dict(type='AdamW', lr=5e-4, weight_decay=0.01),
        paramwise_cfg=dict(norm_decay_mult=0.0, custom_keys={'neck': fast, 'head.': fast, 'conv_head.': dict()}),
    ),
)
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=False, eta_min_ratio=0.01)]
default_hooks = dict(alternating=dict(warmup_ratio=0.1), task_statistics=dict(type='sr4ir_mm.TaskStatisticsHook'))
randomness = dict(seed=0)
