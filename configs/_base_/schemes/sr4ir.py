# Entries that turn a complete config of a zoo into one of SR4IR; see configs/zoo
_base_ = './model.py'
sr4ir_optim_wrapper = dict(
    constructor='sr4ir_mm.SR4IROptimWrapperConstructor',
    sr=dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0)),
)
# over the whole run; the zoo's config sets its length
sr4ir_scheduler = dict(sr=[dict(type='CosineAnnealingLR', by_epoch=False, eta_min_ratio=0.01)])
sr4ir_hooks = dict(
    runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'),
    alternating=dict(type='sr4ir_mm.AlternatingUpdateHook', warmup_ratio=0.1),
    class_check=dict(type='sr4ir_mm.ClassCheckHook'),
    task_evaluation=dict(type='sr4ir_mm.TaskEvaluationHook'),
)
# workers that start with each epoch draw what they would draw in a resumed run
sr4ir_loader = dict(persistent_workers=False, worker_init_fn=dict(type='sr4ir_mm.epoch_worker_init_fn'))
# one wrapper for each network, because they are updated in turn
model_wrapper_cfg = dict(type='MMSeparateDistributedDataParallel', broadcast_buffers=False)
