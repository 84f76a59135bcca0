# The training of the weights that the package ships as sr4ir_mm://edsr-s_x3, from those of x4 but for the last layer:
# python tools/train.py configs/sr/edsr-s_x3_bsds.py --amp
_base_ = ['../_base_/schedules/sr_bsds_from_x4.py', '../_base_/sr/edsr-s_x3.py']
model = dict(sr=dict(_base_.sr, init_cfg=_base_.from_x4), scale={{_base_.scale}})
train_pipeline = _base_.train_pipeline
train_pipeline[1] = dict(type='RandomCrop', crop_size=(144, 144))
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=train_pipeline)))
