_base_ = './liif-rdn_x4.py'
scale = 2
sr = dict(scale=scale)
