_base_ = './tv-faster-rcnn_edsr_x8_voc.py'
model = dict(scheme='S+T')
param_scheduler = {{_base_.baseline_scheduler}}
