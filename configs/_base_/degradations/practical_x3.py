_base_ = 'practical_x4.py'
degradation = dict(scale=3)
