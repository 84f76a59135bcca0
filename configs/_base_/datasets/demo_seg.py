# Data set of tools/make_demo_data.py; PascalVOCDataset accepts only the classes of VOC
_base_ = './voc_seg.py'
dataset_type = 'BaseSegDataset'
data_root = 'work_dirs/demo/VOCdevkit/VOC2012'
metainfo = dict(
    classes=('background', 'stripes', 'weave', 'dots', 'grain'),
    palette=[[0, 0, 0], [230, 75, 60], [60, 140, 230], [250, 200, 60], [90, 190, 90]],
)
train_pipeline = [
    dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    dataset=dict(type=dataset_type, data_root=data_root, metainfo=metainfo, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=8,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(type=dataset_type, data_root=data_root, metainfo=metainfo, pipeline=test_pipeline),
)
test_dataloader = val_dataloader
