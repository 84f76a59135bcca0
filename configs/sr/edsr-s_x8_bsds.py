# The training of the weights that the package ships as sr4ir_mm://edsr-s_x8, from those of x4 but for the last layer:
# python tools/train.py configs/sr/edsr-s_x8_bsds.py --amp
_base_ = [
    '../_base_/tasks/no_task.py',
    '../_base_/datasets/bsds500.py',
    '../_base_/schedules/sr_bsds.py',
    '../_base_/sr/edsr-s_x8.py',
]
start = 'work_dirs/edsr-s_x4_bsds/epoch_8.pth'
pretraining = {start: 'python tools/train.py configs/sr/edsr-s_x4_bsds.py --amp'}
model = dict(
    type='sr4ir_mm.SR4IR',
    sr=dict(_base_.sr, init_cfg=dict(type='Pretrained', prefix='sr.', checkpoint=start)),
    task=None,
    scale={{_base_.scale}},
    scheme='S',
    channels_last=True,
    may_differ=['sr.residual.conv_last'],
)
train_cfg = dict(max_epochs=2, val_interval=2)
train_pipeline = _base_.train_pipeline
train_pipeline[1] = dict(type='RandomCrop', crop_size=(320, 320))
train_dataloader = dict(batch_size=8, dataset=dict(dataset=dict(pipeline=train_pipeline)))
