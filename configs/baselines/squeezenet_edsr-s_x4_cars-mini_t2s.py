_base_ = '../sr4ir/squeezenet_edsr-s_x4_cars-mini.py'
# T as trained on HR images by squeezenet_cars-mini_h2t.py
pretrained = 'work_dirs/squeezenet_cars-mini_h2t/epoch_8.pth'
model = dict(scheme='T->S', task=dict(init_cfg=dict(type='Pretrained', prefix='task.', checkpoint=pretrained)))
param_scheduler = {{_base_.baseline_scheduler}}
