scale = 4
sr = dict(
    type='mmagic.RDNNet',
    in_channels=3,
    out_channels=3,
    mid_channels=64,
    num_blocks=16,
    upscale_factor=scale,
    init_cfg=dict(
        type='Pretrained',
        prefix='generator.',
        checkpoint='https://download.openmmlab.com/mmediting/restorers/rdn/rdn_x4c64b16_g1_1000k_div2k_20210419-3577d44f.pth',
    ),
)
