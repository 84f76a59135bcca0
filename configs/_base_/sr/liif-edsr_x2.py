_base_ = './liif-edsr_x4.py'
scale = 2
sr = dict(scale=scale)
