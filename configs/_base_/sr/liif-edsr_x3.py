_base_ = './liif-edsr_x4.py'
scale = 3
sr = dict(scale=scale)
