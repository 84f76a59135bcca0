# The training of the weights that the package ships as sr4ir_mm://edsr-s-real_x4, from those of edsr-s_x4:
# python tools/train.py configs/sr/edsr-s-real_x4_bsds.py --amp
_base_ = ['./edsr-s_x4_bsds.py', '../_base_/degradations/practical_x4.py']
start = 'work_dirs/edsr-s_x4_bsds/epoch_8.pth'
pretraining = {start: 'python tools/train.py configs/sr/edsr-s_x4_bsds.py --amp'}
model = dict(
    sr=dict(init_cfg=dict(_delete_=True, type='Pretrained', prefix='sr.', checkpoint=start)),
    degradation={{_base_.degradation}},
    may_differ=[],
)
train_cfg = dict(max_epochs=2, val_interval=2)
# smaller crops, because the degradation takes most of the time
train_pipeline = _base_.train_pipeline
train_pipeline[1] = dict(type='RandomCrop', crop_size=(128, 128))
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
