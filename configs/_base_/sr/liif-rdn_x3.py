_base_ = './liif-rdn_x4.py'
scale = 3
sr = dict(scale=scale)
