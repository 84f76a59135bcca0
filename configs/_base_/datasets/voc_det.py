# PASCAL VOC 2012 detection, train (5717) and val (5823), read from the XML files.
# As in the paper, every box counts, also a difficult one, and images without boxes are kept (no filter_cfg).
dataset_type = 'sr4ir_mm.InclusiveVOCDataset'
data_root = 'data/VOCdevkit/VOC2012'
train_pipeline = [
    dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
    dict(type='Resize', scale_factor=1.0, keep_ratio=True),  # changes nothing, but sets the metainfo scale_factor
    dict(type='LoadAnnotations', with_bbox=True),  # after Resize: boxes stay in the original image
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'instances')),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    # workers start again each epoch, seeded by its number, so that a resumed run reads the same data
    persistent_workers=False,
    worker_init_fn=dict(type='sr4ir_mm.epoch_worker_init_fn'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    batch_sampler=dict(type='sr4ir_mm.AspectRatioGroupedBatchSampler', bins=7),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(sub_data_root=''),
        ann_file='ImageSets/Main/train.txt',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(sub_data_root=''),
        ann_file='ImageSets/Main/val.txt',
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = [
    dict(type='sr4ir_mm.ZeroFillCocoMetric', metric='bbox'),
    dict(type='VOCMetric', metric='mAP', eval_mode='area'),
    dict(type='sr4ir_mm.SRQuality'),
]
test_evaluator = val_evaluator
