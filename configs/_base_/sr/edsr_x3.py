_base_ = './edsr_x4.py'
scale = 3
sr = dict(
    upscale_factor=scale,
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/restorers/edsr/edsr_x3c64b16_1x16_300k_div2k_20200608-36d896f4.pth'
    ),
)
