# What configs of SR4IR have in addition
_base_ = '../../../configs/_base_/default_runtime.py'
default_hooks = dict(alternating=dict(warmup_epochs=0), logger=dict(interval=1))
two_optimizers = dict(
    constructor='sr4ir_mm.SR4IROptimWrapperConstructor',
    sr=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-3)),
    task=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01)),
)
