_base_ = './edsr-s_x8.py'
# S as pre-trained by baselines/edsr-s_x8_mini_sr.py
sr = dict(init_cfg=dict(type='Pretrained', prefix='sr.', checkpoint='work_dirs/edsr-s_x8_mini_sr/epoch_8.pth'))
