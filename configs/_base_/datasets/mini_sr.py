# all training images of shared/data, without labels, to pre-train S: 822 of voc2012_mini and 716 of stanford_cars_mini
train_pipeline = [
    dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
    dict(type='RandomResize', scale=(9999, 240), ratio_range=(0.5, 1.3), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(128, 128)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
voc = dict(
    type='BaseSegDataset',
    data_root='../shared/data/voc2012_mini',
    data_prefix=dict(img_path='JPEGImages'),
    ann_file='ImageSets/Segmentation/train.txt',
    pipeline=train_pipeline,
)
cars = dict(
    type='BaseSegDataset',
    data_root='../shared/data/stanford_cars_mini',
    data_prefix=dict(img_path='train'),
    pipeline=train_pipeline,
)
train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=False,
    worker_init_fn=dict(type='sr4ir_mm.epoch_worker_init_fn'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='ConcatDataset', datasets=[voc, cars]),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='BaseSegDataset',
        data_root='../shared/data/voc2012_mini',
        data_prefix=dict(img_path='JPEGImages'),
        ann_file='ImageSets/Segmentation/val.txt',
        pipeline=[dict(type='sr4ir_mm.CheckedLoadImageFromFile'), dict(type='PackSegInputs')],
    ),
)
test_dataloader = val_dataloader
val_evaluator = [dict(type='sr4ir_mm.SRQuality')]
test_evaluator = val_evaluator
