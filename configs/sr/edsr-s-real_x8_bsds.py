# The training of the weights that the package ships as sr4ir_mm://edsr-s-real_x8, from those of edsr-s_x8:
# python tools/train.py configs/sr/edsr-s-real_x8_bsds.py --amp
_base_ = ['./edsr-s_x8_bsds.py', '../_base_/degradations/practical_x8.py']
start = 'work_dirs/edsr-s_x8_bsds/epoch_2.pth'
pretraining = {start: 'python tools/train.py configs/sr/edsr-s_x8_bsds.py --amp'}
model = dict(
    sr=dict(init_cfg=dict(_delete_=True, type='Pretrained', prefix='sr.', checkpoint=start)),
    degradation={{_base_.degradation}},
    may_differ=[],
)
train_cfg = dict(max_epochs=1, val_interval=1)
# smaller crops, because the degradation takes most of the time
train_pipeline = _base_.train_pipeline
train_pipeline[1] = dict(type='RandomCrop', crop_size=(256, 256))
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
