"""Options that nothing reads, at every level of a config, and values of wrong types."""

from case import bad, variant

#: option -> texts of the message
_KEYS = {
    'modle.scheme=S->T': ('modle', 'model'),
    'model.sheme=S->T': ('sheme', 'scheme'),
    'model.tdp.layer=1': ('tdp.layer', 'layers'),
    'model.tdp.loss_wieght=2': ('loss_wieght', 'loss_weight'),
    'model.cqmix.gird=8': ('gird', 'grid'),
    'model.sr.mid_chanels=8': ('mid_chanels', 'mid_channels'),
    'model.sr.init_cfg.chekpoint=x.pth': ('chekpoint', 'checkpoint'),
    'model.task.bacbone.depth=18': ('bacbone', 'backbone'),
    'model.task.backbone.dept=50': ('dept', 'depth'),
    'model.task.decode_head.num_clases=3': ('num_clases', 'num_classes'),
    'model.task.decode_head.loss_decode.loss_weigth=1': ('loss_weigth', 'loss_weight'),
    'model.task.data_preprocessor.szie=64': ('szie', 'size'),
    'train_dataloader.batchsize=1': ('batchsize', 'batch_size'),
    'train_dataloader.dataset.img_sufix=.jpg': ('img_sufix', 'img_suffix'),
    'train_dataloader.dataset.pipeline.0.to_float=True': ('to_float', 'to_float32'),
    'train_dataloader.dataset.pipeline.7.type=Resize': ('pipeline',),
    'train_dataloader.dataset.pipeline.first=1': ('pipeline',),
    'train_dataloader.sampler.shufle=True': ('shufle', 'shuffle'),
    'train_dataset.batch_size=2': ('train_dataset',),
    'val_evaluator.0.iou_metric=mDice': ('iou_metric', 'iou_metrics'),
    'val_evaluator.1.metric=PSNR': ('val_evaluator.1.metric',),
    'val_evaluator.metrics=PSNR': ('val_evaluator',),
    'val_evaluator.9.metrics=PSNR': ('val_evaluator',),
    'optim_wrapper.optimizer.lr=1': ('optim_wrapper.optimizer.lr', 'optim_wrapper.sr.optimizer.lr'),
    'optim_wrapper.task.optimiser.lr=1': ('optimiser', 'optimizer'),
    'optim_wrapper.task.optimizer.learning_rate=1': ('learning_rate', 'lr'),
    'optim_wrapper.sr.clip_grad.maxnorm=1': ('maxnorm', 'max_norm'),
    'param_scheduler.0.tmax=3': ('tmax', 'T_max'),
    'param_scheduler.T_max=3': ('param_scheduler',),
    'train_cfg.max_epoch=1': ('max_epoch', 'max_epochs'),
    'train_cfg.val_intervall=1': ('val_intervall', 'val_interval'),
    'val_cfg.fp61=True': ('fp61', 'fp16'),
    'default_hooks.checkpoint.intervall=1': ('intervall', 'interval'),
    'default_hooks.chekpoint.interval=1': ('chekpoint', 'checkpoint'),
    'default_hooks.alternating.warm_up=1': ('warm_up', 'warmup_'),
    'visualizer.nmae=x': ('nmae', 'name'),
    'env_cfg.cudnn_benchmrk=True': ('cudnn_benchmrk', 'cudnn_benchmark'),
    'randomness.sed=1': ('sed', 'seed'),
    'randomnes.seed=1': ('randomnes', 'randomness'),
    'log_processor.windowsize=1': ('windowsize', 'window_size'),
    'auto_scale_lr.enabled=True': ('enabled', 'enable'),
    'load_form=weights/plain.pth': ('load_form', 'load_from'),
    'resum=True': ('resum', 'resume'),
    'workdir=x': ('workdir', 'work_dir'),
    'backbone.depth=50': ('backbone', 'model.task.backbone'),
    'lr=1': ("'lr'", 'optimizer.lr'),
    'mean=[1,2,3]': ('mean', 'data_preprocessor.mean'),
    'model=x': ('model',),
    'model.task=x': ('model.task',),
    'model.task.backbone=None': ('backbone',),
    'train_dataloader=None': ('train_dataloader',),
    'train_dataloader.dataset=[]': ('train_dataloader.dataset',),
    'optim_wrapper=None': ('optim_wrapper',),
    'optim_wrapper.task=x': ('optim_wrapper.task',),
    'train_cfg=None': ('train_cfg',),
    'model.scheme=X->Y': ('X->Y', 'SR4IR'),
    'model.task.type=NoSuchNet': ('NoSuchNet',),
    'model.sr.type=NoSuchNet': ('NoSuchNet',),
    'train_dataloader.dataset.type=NoSuchData': ('NoSuchData',),
    'train_dataloader.dataset.pipeline.0.type=NoSuchStep': ('NoSuchStep',),
    'val_evaluator.0.type=NoSuchMetric': ('NoSuchMetric',),
    'optim_wrapper.task.optimizer.type=NoSuchOptimizer': ('NoSuchOptimizer',),
    'default_hooks.logger.type=NoSuchHook': ('NoSuchHook',),
    'param_scheduler.0.type=NoSuchLR': ('NoSuchLR',),
    'visualizer.type=NoSuchVisualizer': ('NoSuchVisualizer',),
    'data_root=nowhere': ('nowhere',),
    'data_root=': ('data_root',),
    'data_root.x=1': ('data_root',),
    'model.task.decode_head.num_classes=three': ('num_classes',),
    'model.task.backbone.depth=19': ('19', 'depth'),
    'optim_wrapper.task.optimizer.lr=fast': ('fast',),
    'train_cfg.max_epochs=many': ('max_epochs', 'many'),
    'train_dataloader.batch_size=two': ('batch_size', 'two'),
    'model.tdp.layers.bakbone=1': ('bakbone',),
}
for _option, _texts in _KEYS.items():
    bad(f'options: {_option}', f"train seg.py --work-dir new --cfg-options '{_option}'", *_texts)
for _tool, _command in {
    'test': 'test runs/seg',
    'export': 'export seg.py runs/seg/epoch_1.pth out.onnx',
    'complexity': 'analysis_tools/get_complexity seg.py',
    'layers': 'analysis_tools/list_layers seg.py',
    'converter': 'model_converters/mm2official seg.py runs/seg/epoch_1.pth out',
    'a mix': 'train fcn.py --sr edsr.py --work-dir new',
    'writing': 'train seg.py --write-config new.py',
}.items():
    bad(f'options: misspelled, {_tool}', f'{_command} --cfg-options modle.scheme=s2t', 'modle', 'model')
bad('options: no value', 'train seg.py --work-dir new --cfg-options model.scheme', 'model.scheme')
bad('options: an unfinished list', 'train seg.py --work-dir new --cfg-options model.tdp.x=[1,', 'model.tdp')

bad('options: a zoo config without --sr', 'train fcn.py --work-dir new', 'fcn.py', '--sr')
bad('options: --write-config of a zoo config without --sr', 'train fcn.py --write-config new.py', 'fcn.py', '--sr')
bad(
    'options: --write-config of a mix, misspelled',
    'train fcn.py --sr edsr.py --write-config new.py --cfg-options a.b=1',
    'a.b',
)
bad('options: --write-config to another suffix', 'train seg.py --write-config new.txt', 'new.txt', '.py')
bad('options: --write-config with --resume', 'train seg.py --write-config new.py --resume', '--resume')
bad('options: --sr for a config that has one', 'train seg.py --sr edsr.py --work-dir new', '--sr')
bad('options: --scale for a config that has one', 'train seg.py --scale 2 --work-dir new', '--scale')
bad('options: --pretrained for a config of SR4IR', 'train seg.py --pretrained --work-dir new', '--pretrained')
bad('options: an unknown SR network', 'train fcn.py --sr nosuch --work-dir new', 'nosuch', 'edsr')
bad('options: an SR network of another scale', 'train fcn.py --sr edsr.py --scale 2 --work-dir new', 'edsr.py', 'scale')
bad('options: an SR network that is a config of a task', 'train fcn.py --sr seg.py --work-dir new', 'seg.py')
bad('options: an unknown scheme', 'train seg.py --scheme x2y --work-dir new', 'x2y', 'SR4IR')
bad('options: the shell has cut the scheme', 'train seg.py --scheme H- --work-dir new', 'H-')
bad('options: an unknown scheme in a test', 'test seg.py runs/seg/epoch_1.pth --scheme x2y', 'x2y')
bad('options: --auto-scale-lr without the key', 'train seg.py --auto-scale-lr --work-dir new', 'auto_scale_lr')
bad(
    'options: the evaluator at the old annotations',
    'test runs/det --cfg-options test_dataloader.dataset.ann_file=o.json',
    'test_evaluator',
    setup=lambda: __import__('shutil').copy('data/det/val.json', 'data/det/o.json'),
)
bad(
    'options: data_root of a config that has none',
    'train x.py --cfg-options data_root=data/seg',
    'data_root',
    files=variant('seg', 'data_root = None'),
)
bad('options: --out of another suffix', 'test runs/seg --out x.json', 'x.json', '.pkl')
bad('options: --lr-input of another value', 'test runs/seg --lr-input no', 'no')
bad(
    'options: --lr-input with SRQuality alone',
    'test x.py runs/seg/epoch_1.pth --lr-input lr',
    'SRQuality',
    files=variant('seg', "test_evaluator = dict(_delete_=True, type='sr4ir_mm.SRQuality')"),
)
bad('options: an unknown tool option', 'infer runs/seg lr --devcie cpu', '--devcie')
for _device in ('gpu', 'cuda:99', 'cpu:x', ''):
    bad(f'options: device {_device!r}', f"infer runs/seg lr --device '{_device}'", 'device')
bad('options: a bad device of the web page', 'webui runs/seg --device nosuch', 'nosuch')
bad('options: --coords of another value', 'infer runs/seg lr --coords hr', 'hr')
for _shard in ('0/4', '5/4', '3', 'a/b', '-1/4', '1/0'):
    bad(f'options: --shard {_shard}', f'infer runs/seg lr --shard={_shard}', _shard, 'no shard I/N')
bad('options: --predictions of another suffix', 'infer runs/seg lr --predictions p.csv', 'p.csv', '.jsonl')
bad('options: --predictions in COCO of maps', 'infer runs/seg lr --device cpu --predictions p.json', 'COCO has no form')
bad(
    'options: --predictions without preds/',
    'infer runs/seg lr --device cpu --predictions p.jsonl --no-save-pred',
    '--no-save-pred',
)
