scale = 4
sr = dict(
    type='mmagic.SRCNNNet',
    channels=(3, 64, 32, 3),
    kernel_sizes=(9, 1, 5),
    upscale_factor=scale,
    init_cfg=dict(
        type='Pretrained',
        prefix='generator.',
        checkpoint='https://download.openmmlab.com/mmediting/restorers/srcnn/srcnn_x4k915_1x16_1000k_div2k_20200608-4186f232.pth',
    ),
)
