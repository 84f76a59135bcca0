_base_ = '../sr4ir/atss-squeezenet_edsr-s_x4_voc-mini.py'
# T as trained on HR images by atss-squeezenet_voc-mini_h2t.py
pretrained = 'work_dirs/atss-squeezenet_voc-mini_h2t/epoch_3.pth'
model = dict(scheme='T->S', task=dict(init_cfg=dict(type='Pretrained', prefix='task.', checkpoint=pretrained)))
param_scheduler = {{_base_.baseline_scheduler}}
