# EDSR-S for the practical degradation
_base_ = './edsr-s_x2.py'
sr = dict(init_cfg=dict(checkpoint='sr4ir_mm://edsr-s-real_x2'))
