# To make the data: python tools/dataset_converters/voc2012_mini.py VOCtrainval_11-May-2012.tar
# and: python tools/dataset_converters/stanford_cars_mini.py cars_train.tgz car_devkit.tgz
# 822 + 716 training images of both data sets, without labels, to pre-train the SR network. data_root is the folder that
# holds voc2012_mini and stanford_cars_mini; --cfg-options data_root=PATH reaches all loaders.
data_root = 'data'
train_pipeline = [
    dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
    dict(type='RandomResize', scale=(9999, 240), ratio_range=(0.5, 1.3), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(128, 128)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
voc = dict(
    type='BaseSegDataset',
    data_root=data_root,
    data_prefix=dict(img_path='voc2012_mini/JPEGImages'),
    ann_file='voc2012_mini/ImageSets/Segmentation/train.txt',
    pipeline=train_pipeline,
)
cars = dict(
    type='BaseSegDataset',
    data_root=data_root,
    data_prefix=dict(img_path='stanford_cars_mini/train'),
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
        data_root=data_root,
        data_prefix=dict(img_path='voc2012_mini/JPEGImages'),
        ann_file='voc2012_mini/ImageSets/Segmentation/val.txt',
        pipeline=[dict(type='sr4ir_mm.CheckedLoadImageFromFile'), dict(type='PackSegInputs')],
    ),
)
test_dataloader = val_dataloader
val_evaluator = [dict(type='sr4ir_mm.SRQuality')]
test_evaluator = val_evaluator
