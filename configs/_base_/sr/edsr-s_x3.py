_base_ = './edsr-s_x4.py'
scale = 3
sr = dict(pixel_shuffle=scale, net=dict(out_channels=3 * scale**2), init_cfg=dict(checkpoint='sr4ir_mm://edsr-s_x3'))
