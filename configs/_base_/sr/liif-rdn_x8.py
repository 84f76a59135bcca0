_base_ = './liif-rdn_x4.py'
scale = 8
sr = dict(scale=scale)
