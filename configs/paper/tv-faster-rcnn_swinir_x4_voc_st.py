_base_ = './tv-faster-rcnn_swinir_x4_voc.py'
model = dict(scheme='S+T')
param_scheduler = {{_base_.baseline_scheduler}}
