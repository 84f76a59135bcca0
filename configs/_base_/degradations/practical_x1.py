# For scale 1: the size stays, and the SR network restores
_base_ = 'practical_x4.py'
degradation = dict(scale=1)
