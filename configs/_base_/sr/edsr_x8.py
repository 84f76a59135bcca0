# EDSR-baseline: 16 blocks, 64 channels
# mmagic has no x8 weights; start from others with
# --cfg-options model.sr.init_cfg.type=Pretrained model.sr.init_cfg.checkpoint=FILE
scale = 8
sr = dict(
    type='mmagic.EDSRNet',
    in_channels=3,
    out_channels=3,
    mid_channels=64,
    num_blocks=16,
    upscale_factor=scale)
