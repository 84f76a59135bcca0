_base_ = './tv-faster-rcnn_edsr_x4_voc.py'
model = dict(scheme='H->T', sr=None)
param_scheduler = {{_base_.baseline_scheduler}}
