_base_ = '../sr4ir/fcn-tiny_edsr-tiny_x4_demo.py'
model = dict(scheme='L->T', sr=None)
