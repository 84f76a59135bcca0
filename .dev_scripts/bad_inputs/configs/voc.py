# The same detector on data in the layout of VOC
_base_ = 'retina.py'
data_root = 'data/voc'
pack = dict(
    type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'instances')
)
dataset = dict(
    type='sr4ir_mm.InclusiveVOCDataset', data_root=data_root, data_prefix=dict(sub_data_root=''),
    metainfo=dict(classes=('square', 'disc')),
)  # fmt: skip
train_dataloader = dict(
    dataset=dict(
        _delete_=True, ann_file='ImageSets/Main/train.txt', **dataset,
        pipeline=[_base_.load, _base_.boxes, _base_.resize, _base_.pack],
    )
)  # fmt: skip
val_dataloader = dict(
    dataset=dict(
        _delete_=True, ann_file='ImageSets/Main/val.txt', test_mode=True, **dataset,
        pipeline=[_base_.load, _base_.resize, _base_.boxes, pack],
    )
)  # fmt: skip
test_dataloader = val_dataloader
val_evaluator = [
    dict(type='sr4ir_mm.ZeroFillCocoMetric', metric='bbox'), dict(type='VOCMetric', metric='mAP', eval_mode='area'),
]  # fmt: skip
test_evaluator = val_evaluator
