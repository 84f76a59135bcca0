# Training of a small SR network for another scale than x4, from the weights of x4 but for the last layer
_base_ = ['../tasks/no_task.py', '../datasets/bsds500.py', './sr_bsds.py']
start = 'work_dirs/edsr-s_x4_bsds/epoch_8.pth'
pretraining = {start: 'python tools/train.py configs/sr/edsr-s_x4_bsds.py --amp'}
from_x4 = dict(type='Pretrained', prefix='sr.', checkpoint=start)
model = dict(type='sr4ir_mm.SR4IR', task=None, scheme='S', channels_last=True, may_differ=['sr.residual.conv_last'])
train_cfg = dict(max_epochs=2, val_interval=2)
