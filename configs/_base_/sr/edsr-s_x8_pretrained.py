# EDSR-S with the weights of configs/mini/edsr-s_x8_mini.py, where all mini configs of this scale start
_base_ = './edsr-s_x8.py'
checkpoint = 'work_dirs/edsr-s_x8_mini/epoch_8.pth'
sr = dict(init_cfg=dict(type='Pretrained', prefix='sr.', checkpoint=checkpoint))
pretraining = {checkpoint: 'python tools/train.py configs/mini/edsr-s_x8_mini.py'}
