# The training of the weights that the package ships as sr4ir_mm://edsr-s_x4:
# python tools/train.py configs/sr/edsr-s_x4_bsds.py --amp
_base_ = [
    '../_base_/tasks/no_task.py',
    '../_base_/datasets/bsds500.py',
    '../_base_/schedules/sr_bsds.py',
    '../_base_/sr/edsr-s_x4.py',
]
model = dict(
    type='sr4ir_mm.SR4IR',
    sr=dict(_base_.sr, init_cfg=None),
    task=None,
    scale={{_base_.scale}},
    scheme='S',
    channels_last=True,
)
