# CUB-200-2011 as unpacked: train (5994) and test (5794), with the pipelines of Stanford Cars
_base_ = './cars.py'
dataset_type = 'CUB'
data_root = 'data/CUB_200_2011'
train_dataloader = dict(
    dataset=dict(
        _delete_=True, type=dataset_type, data_root=data_root, split='train', pipeline={{_base_.train_pipeline}}
    )
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type=dataset_type,
        data_root=data_root,
        split='test',
        test_mode=True,
        pipeline={{_base_.test_pipeline}},
    )
)
test_dataloader = val_dataloader
