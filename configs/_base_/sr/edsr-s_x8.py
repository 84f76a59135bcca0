_base_ = './edsr-s_x4.py'
scale = 8
sr = dict(upscale_factor=scale)
