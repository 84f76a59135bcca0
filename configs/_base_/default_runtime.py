# Hooks and environment of every run; the schedules inherit from this file and set the warm-up of the TDP loss
default_hooks = dict(
    runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=1, max_keep_ckpts=2, rule='greater'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # here and not in custom_hooks, so that a config that sets these does not lose it
    alternating=dict(type='sr4ir_mm.AlternatingUpdateHook'),
    class_check=dict(type='sr4ir_mm.ClassCheckHook'),
)
# one wrapper for each network, because they are updated in turn
model_wrapper_cfg = dict(type='MMSeparateDistributedDataParallel', broadcast_buffers=False)
env_cfg = dict(
    cudnn_benchmark=False, mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0), dist_cfg=dict(backend='nccl')
)
vis_backends = [dict(type='LocalVisBackend')]
log_processor = dict(by_epoch=True)
log_level = 'INFO'
load_from = None
resume = False
