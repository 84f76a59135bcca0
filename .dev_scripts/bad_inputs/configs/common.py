# One iteration of the smallest networks: what all tiny configs share
train_cfg = dict(by_epoch=True, max_epochs=1, val_interval=1)
val_cfg = dict()
test_cfg = dict()
# as a zoo has it
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01))
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=True, T_max=1, convert_to_iter_based=True)]
randomness = dict(seed=0)
scale = 4
sr_net = dict(type='mmagic.EDSRNet', in_channels=3, out_channels=3, mid_channels=4, num_blocks=1, upscale_factor=scale)
mean, std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
norm_cfg = dict(type='BN', requires_grad=True)
backbone = dict(type='ResNet', depth=18, stem_channels=8, base_channels=8, norm_cfg=norm_cfg)
stages = dict(num_stages=2, strides=(1, 2), dilations=(1, 1))
