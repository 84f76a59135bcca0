# Stanford Cars, one folder for each class: train (8144) and, as val, the official test split (8041), as in the paper
dataset_type = 'CustomDataset'
data_root = 'data/stanford_cars'
train_pipeline = [
    dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
    dict(type='ResizeEdge', scale=256, backend='pillow'),
    dict(type='RandomCrop', crop_size=224),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
    dict(type='ResizeEdge', scale=256, backend='pillow'),
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackInputs'),
]
train_dataloader = dict(
    batch_size=128,
    num_workers=4,
    # workers start again each epoch, seeded by its number, so that a resumed run reads the same data
    persistent_workers=False,
    worker_init_fn=dict(type='sr4ir_mm.epoch_worker_init_fn'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type=dataset_type, data_root=data_root, data_prefix='train', pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type=dataset_type, data_root=data_root, data_prefix='val', test_mode=True, pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = [dict(type='Accuracy', topk=(1,)), dict(type='sr4ir_mm.SRQuality')]
test_evaluator = val_evaluator
