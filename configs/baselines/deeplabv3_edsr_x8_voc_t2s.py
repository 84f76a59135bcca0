_base_ = '../sr4ir/deeplabv3_edsr_x8_voc.py'
# T as trained on HR images by deeplabv3_voc_h2t.py
model = dict(
    scheme='T->S',
    task=dict(init_cfg=dict(type='Pretrained', prefix='task.', checkpoint='work_dirs/deeplabv3_voc_h2t/epoch_100.pth')),
)
param_scheduler = {{_base_.baseline_scheduler}}
