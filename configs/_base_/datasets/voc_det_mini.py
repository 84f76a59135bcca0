# To make the data: python tools/dataset_converters/voc2012_mini.py VOCtrainval_11-May-2012.tar
# 822 + 300 images, here of at most 320 x 240 px
_base_ = './voc_det.py'
data_root = 'data/voc2012_mini'
resize = dict(type='Resize', scale=(320, 240), keep_ratio=True)
train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        pipeline=[
            dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True),
            resize,
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackDetInputs'),
        ],
    ),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        pipeline=[
            dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
            resize,
            dict(type='LoadAnnotations', with_bbox=True),  # after Resize: ground truth stays in the original image
            _base_.test_pipeline[-1],
        ],
    ),
)
test_dataloader = val_dataloader
