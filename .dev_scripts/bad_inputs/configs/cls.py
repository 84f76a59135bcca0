# A classifier on folders
_base_ = ['common.py', 'runtime.py']
default_scope = 'mmpretrain'
visualizer = dict(type='UniversalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
task = dict(
    type='ImageClassifier',
    data_preprocessor=dict(
        type='ClsDataPreprocessor', mean={{_base_.mean}}, std={{_base_.std}}, to_rgb=True, num_classes=2
    ),
    backbone=dict(out_indices=(1,), **_base_.backbone, **_base_.stages),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=16, num_classes=2, loss=dict(type='CrossEntropyLoss'), topk=(1,)),
)
model = dict(
    type='sr4ir_mm.SR4IR', sr={{_base_.sr_net}}, task=task, scale={{_base_.scale}}, scheme='SR4IR',
    tdp=dict(layers={'backbone[-1]': 1.0}), cqmix=dict(grid=4),
)  # fmt: skip
data_root = 'data/cls'
pipeline = [
    dict(type='sr4ir_mm.CheckedLoadImageFromFile'), dict(type='Resize', scale=(64, 64)), dict(type='PackInputs'),
]  # fmt: skip
sampler = dict(type='DefaultSampler', shuffle=False)
dataset = dict(type='CustomDataset', data_root=data_root, pipeline=pipeline)
train_dataloader = dict(batch_size=4, num_workers=0, sampler=sampler, dataset=dict(data_prefix='train', **dataset))
val_dataloader = dict(batch_size=4, num_workers=0, sampler=sampler, dataset=dict(data_prefix='val', **dataset))
test_dataloader = val_dataloader
val_evaluator = [dict(type='Accuracy', topk=(1,)), dict(type='sr4ir_mm.SRQuality', metrics=['PSNR', 'SSIM'])]
test_evaluator = val_evaluator
optim_wrapper = dict(_delete_=True, **_base_.two_optimizers)
