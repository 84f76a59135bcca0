"""Numbers out of range."""

from case import bad, variant

#: entry of a config -> wrong values
_ENTRIES = {
    'model.scale': (0, -4, 2.5, 'four', 4.0),
    'model.cqmix.grid': (0, -1, 2.5, '"a"'),
    'model.cqmix.prob': (2, -0.1, 'nan'),
    'model.tdp.loss_weight': (-1, 'inf', 'nan'),
    'model.tdp.layers.backbone[-1]': (-1,),
    'train_dataloader.batch_size': (0, -1, 1.5),
    'val_dataloader.batch_size': (0,),
    'train_dataloader.num_workers': (-1, 1.5),
    'train_cfg.max_epochs': (0, -1, 1.5),
    'train_cfg.val_interval': (0, -1),
    'default_hooks.alternating.warmup_epochs': (-1, 1.5),
    'default_hooks.alternating.warmup_ratio': (-0.5, 2),
    'default_hooks.logger.interval': (0, -1),
    'val_evaluator.1.crop_border': (-1, 1.5),
    'optim_wrapper.task.optimizer.lr': (-1, 'nan'),
    'optim_wrapper.sr.optimizer.lr': (-1,),
    'optim_wrapper.task.accumulative_counts': (0, -1, 1.5),
    'optim_wrapper.sr.clip_grad.max_norm': (-1,),
    'model.task.data_preprocessor.std': ('[0,1,1]', '[1,1]'),
    'model.task.decode_head.num_classes': (0, -1),
    'model.sr.mid_channels': (-1,),
    'param_scheduler.0.T_max': (0, -1),
    'randomness.seed': (-1,),
}
for _key, _values in _ENTRIES.items():
    for _value in _values:
        bad(
            f'numbers: {_key}={_value}',
            f"train seg.py --work-dir new --cfg-options '{_key}={_value}'",
            _key.rpartition('.')[2].partition('[')[0],
        )

_OPTIONS = {
    'infer runs/seg lr --device cpu --tile': (0, -1, 2.5, 'x'),
    'infer runs/seg lr --device cpu --batch-size': (0, -1, 'x'),
    'infer runs/seg lr --device cpu --max-pixels': (0, -1, 'x'),
    'train fcn.py --sr edsr.py --work-dir new --scale': (0, -1, 2.5, 'x'),
    'webui runs/seg --device cpu --tile': (0, -1),
    'webui runs/seg --device cpu --max-side': (0, -1, 'x'),
    'webui runs/seg --device cpu --max-disk': (0, -1),
    'webui runs/seg --device cpu --port': (0, -1, 99999, 'x'),
    'analysis_tools/get_complexity fcn.py --sr edsr.py --scale': (0, -1),
    'analysis_tools/get_complexity seg.py --shape': ('0 0', '-1 8', '8', '8 x'),
    'analysis_tools/list_layers seg.py --shape': ('0 0', '-1 8'),
    'analysis_tools/list_layers seg.py --depth': (0, -1),
    'analysis_tools/report runs/seg --panels lr --max-panels': (0, -1),
    'export seg.py runs/seg/epoch_1.pth o.onnx --shape': ('0 0', '-4 8', '8'),
    'make_table fcn_edsr_x4_toy.py --dry-run --gpus': (0, -1),
    'make_table fcn_edsr_x4_toy.py --dry-run --jobs': (0, 'x'),
    'make_table fcn_edsr_x4_toy.py --dry-run --seeds': (-1, 'x'),
    'make_demo_data out --train': (0, -1),
}
for _command, _values in _OPTIONS.items():
    for _value in _values:
        _words = _command.split()
        bad(f'numbers: {_words[0]} {_words[-1]} {_value}', f'{_command} {_value}', _words[-1].lstrip('-')[:3])

_DEGRADE = 'model = dict(degradation={})'
for _text in (
    "dict(type='sr4ir_mm.BicubicDegradation', scale=0)",
    "dict(type='sr4ir_mm.RandomDegradation', scale=-4, steps=[])",
    "dict(type='sr4ir_mm.RandomDegradation', scale=4, steps=[dict(type='RandomNoise', std=(-1, 2), p=1)])",
):
    bad(f'numbers: {_text}', 'train x.py', files=variant('seg', _DEGRADE.format(_text)))
bad(
    'numbers: one sample for BatchNorm',
    'train x.py',
    'BatchNorm',
    files=variant(
        'cls',
        "model = dict(task=dict(neck=dict(_delete_=True, type='LinearNeck', in_channels=16, "
        "out_channels=16, gap_dim=2, norm_cfg=dict(type='BN1d'))))\n"
        'train_dataloader = dict(batch_size=1)',
    ),
)
bad(
    'numbers: a learning rate that no net survives',
    'train x.py',
    'nan',
    files=variant(
        'seg',
        'optim_wrapper = dict(task=dict(optimizer=dict(lr=1e30)), sr=dict(optimizer=dict(lr=1e30)))\n'
        'train_cfg = dict(max_epochs=9, val_interval=9)\ndefault_hooks = dict(checkpoint=None)',
    ),
)
