_base_ = '../sr4ir/atss-squeezenet_edsr-s_x4_voc-mini.py'
model = dict(scheme='H->T', sr=None)
param_scheduler = {{_base_.baseline_scheduler}}
