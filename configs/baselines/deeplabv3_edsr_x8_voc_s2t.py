_base_ = '../sr4ir/deeplabv3_edsr_x8_voc.py'
# S as pre-trained by the config that ends in _sr
model = dict(
    scheme='S->T',
    sr=dict(
        init_cfg=dict(
            _delete_=True,
            type='Pretrained',
            prefix='sr.',
            checkpoint='work_dirs/deeplabv3_edsr_x8_voc_sr/epoch_100.pth',
        )
    ),
)
param_scheduler = {{_base_.baseline_scheduler}}
