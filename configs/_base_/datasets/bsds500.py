# To get the data: git clone https://github.com/BIDS/BSDS500, and link its BSDS500/data/images as data/bsds500. For the
# validation: git clone https://github.com/jbhuang0604/SelfExSR, and copy its data/Set14/image_SRF_2/*_HR.png to
# data/sr_benchmarks/Set14.
# 500 photographs without labels, to train SR networks. They are published for non-commercial research and education.
data_root = 'data'
crop_size = (192, 192)
train_pipeline = [
    dict(type='sr4ir_mm.CheckedLoadImageFromFile'),
    dict(type='RandomCrop', crop_size=crop_size),
    # with the flip, all 8 orientations
    dict(type='RandomRotFlip', rotate_prob=0.0, flip_prob=1.0),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=False,
    worker_init_fn=dict(type='sr4ir_mm.epoch_worker_init_fn'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='RepeatDataset',
        times=16,
        dataset=dict(
            type='BaseSegDataset',
            data_root=data_root,
            data_prefix=dict(img_path='bsds500'),
            pipeline=train_pipeline,
        ),
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='BaseSegDataset',
        data_root=data_root,
        data_prefix=dict(img_path='sr_benchmarks/Set14'),
        img_suffix='.png',
        pipeline=[dict(type='sr4ir_mm.CheckedLoadImageFromFile'), dict(type='PackSegInputs')],
    ),
)
test_dataloader = val_dataloader
val_evaluator = [dict(type='sr4ir_mm.SRQuality', metrics=['PSNR', 'SSIM'])]
test_evaluator = val_evaluator
