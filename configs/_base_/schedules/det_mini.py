# short schedule for a CPU
_base_ = './seg_mini.py'
