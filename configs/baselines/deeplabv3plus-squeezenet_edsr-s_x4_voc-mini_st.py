_base_ = '../sr4ir/deeplabv3plus-squeezenet_edsr-s_x4_voc-mini.py'
model = dict(scheme='S+T')
param_scheduler = {{_base_.baseline_scheduler}}
