_base_ = './liif-edsr_x4.py'
scale = 8
sr = dict(scale=scale)
