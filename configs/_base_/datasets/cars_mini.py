# To make the data: python tools/dataset_converters/stanford_cars_mini.py cars_train.tgz car_devkit.tgz
# 716 + 264 images of 22 classes, here squashed to squares
dataset_type = 'CustomDataset'
data_root = 'data/stanford_cars_mini'
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=False,
    worker_init_fn=dict(type='sr4ir_mm.epoch_worker_init_fn'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix='train',
        pipeline=[
            dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
            dict(type='Resize', scale=(144, 144), backend='pillow'),
            dict(type='RandomCrop', crop_size=128),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackInputs'),
        ],
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix='val',
        pipeline=[
            dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
            dict(type='Resize', scale=(128, 128), backend='pillow'),
            dict(type='PackInputs'),
        ],
    ),
)
test_dataloader = val_dataloader
val_evaluator = [dict(type='Accuracy', topk=(1,)), dict(type='sr4ir_mm.SRQuality')]
test_evaluator = val_evaluator
