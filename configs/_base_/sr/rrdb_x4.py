# RRDBNet of ESRGAN, trained with the pixel loss
scale = 4
sr = dict(
    type='mmagic.RRDBNet',
    in_channels=3,
    out_channels=3,
    mid_channels=64,
    num_blocks=23,
    growth_channels=32,
    upscale_factor=scale,
    init_cfg=dict(
        type='Pretrained',
        prefix='generator.',
        checkpoint='https://download.openmmlab.com/mmediting/restorers/esrgan/esrgan_psnr_x4c64b23g32_1x16_1000k_div2k_20200420-bf5c993c.pth',
    ),
)
