# The training of the weights that the package ships as sr4ir_mm://edsr-s-real_x2, from those of edsr-s_x2:
# python tools/train.py configs/sr/edsr-s-real_x2_bsds.py --amp
_base_ = ['./edsr-s_x2_bsds.py', '../_base_/degradations/practical_x2.py']
start = 'work_dirs/edsr-s_x2_bsds/epoch_2.pth'
pretraining = {start: 'python tools/train.py configs/sr/edsr-s_x2_bsds.py --amp'}
model = dict(
    sr=dict(init_cfg=dict(_delete_=True, type='Pretrained', prefix='sr.', checkpoint=start)),
    degradation={{_base_.degradation}},
    may_differ=[],
)
train_cfg = dict(max_epochs=2, val_interval=2)
