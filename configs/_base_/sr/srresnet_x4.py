scale = 4
sr = dict(
    type='mmagic.MSRResNet',
    in_channels=3,
    out_channels=3,
    mid_channels=64,
    num_blocks=16,
    upscale_factor=scale,
    init_cfg=dict(
        type='Pretrained',
        prefix='generator.',
        checkpoint='https://download.openmmlab.com/mmediting/restorers/srresnet_srgan/msrresnet_x4c64b16_1x16_300k_div2k_20200521-61556be5.pth',
    ),
)
