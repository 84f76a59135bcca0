# A training of a second with everything that draws random numbers, and validations that save the best checkpoint
_base_ = '../bad_inputs/configs/cls.py'
model = dict(
    task=dict(
        data_preprocessor=dict(
            _delete_=True, type='ClsDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
            to_rgb=True, num_classes=2, batch_augments=dict(augments=[dict(type='Mixup', alpha=0.5)]),
        )
    )
)  # fmt: skip
pipeline = [
    dict(type='LoadImageFromFile'), dict(type='RandomCrop', crop_size=48, padding=4), dict(type='RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.5, contrast=0.5), dict(type='PackInputs'),
]  # fmt: skip
train_dataloader = dict(
    batch_size=2, persistent_workers=False, worker_init_fn=dict(type='sr4ir_mm.epoch_worker_init_fn'),
    sampler=dict(shuffle=True), dataset=dict(pipeline=pipeline),
)  # fmt: skip
train_cfg = dict(max_epochs=4, val_interval=2)
default_hooks = dict(checkpoint=dict(interval=1, save_best='accuracy/top1', rule='greater', max_keep_ckpts=3))
