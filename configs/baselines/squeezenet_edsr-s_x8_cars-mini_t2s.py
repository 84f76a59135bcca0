_base_ = '../sr4ir/squeezenet_edsr-s_x8_cars-mini.py'
# T as trained on HR images by squeezenet_cars-mini_h2t.py
model = dict(
    scheme='T->S',
    task=dict(
        init_cfg=dict(type='Pretrained', prefix='task.', checkpoint='work_dirs/squeezenet_cars-mini_h2t/epoch_8.pth')
    ),
)
param_scheduler = {{_base_.baseline_scheduler}}
