# PASCAL VOC 2012 segmentation, train (1464) and val (1449), as the paper uses it
dataset_type = 'PascalVOCDataset'
data_root = 'data/VOCdevkit/VOC2012'
train_pipeline = [
    dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='Resize', scale=(9999, 520), keep_ratio=True, backend='pillow'),
    dict(type='RandomCrop', crop_size=(480, 480)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
# The paper also resizes the ground truth and measures mIoU at that size, so 'ori_shape' becomes the resized shape.
test_pipeline = [
    dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='Resize', scale=(9999, 520), keep_ratio=True, backend='pillow'),
    dict(type='KeyMapper', transforms=[], mapping=dict(ori_shape='img_shape'), remapping=dict(ori_shape='ori_shape')),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    # workers start again each epoch, seeded by its number, so that a resumed run reads the same data
    persistent_workers=False,
    worker_init_fn=dict(type='sr4ir_mm.epoch_worker_init_fn'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        ann_file='ImageSets/Segmentation/train.txt',
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
        data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        ann_file='ImageSets/Segmentation/val.txt',
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = [dict(type='IoUMetric', iou_metrics=['mIoU']), dict(type='sr4ir_mm.SRQuality')]
test_evaluator = val_evaluator
