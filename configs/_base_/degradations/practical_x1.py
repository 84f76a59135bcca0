# The size stays: S restores
_base_ = 'practical_x4.py'
degradation = dict(scale=1)
