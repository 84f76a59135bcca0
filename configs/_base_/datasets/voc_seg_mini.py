# To make the data: python tools/dataset_converters/voc2012_mini.py VOCtrainval_11-May-2012.tar
# 822 + 300 images with a longest side of at most 320 px
_base_ = './voc_seg.py'
data_root = 'data/voc2012_mini'
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        pipeline=[
            dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='RandomResize', scale=(9999, 240), ratio_range=(0.75, 1.5), keep_ratio=True),
            dict(type='RandomCrop', crop_size=(192, 192), cat_max_ratio=0.75),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackSegInputs'),
        ],
    ),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        pipeline=[
            dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
            dict(type='LoadAnnotations'),
            dict(type='PackSegInputs'),
        ],
    ),
)
test_dataloader = val_dataloader
