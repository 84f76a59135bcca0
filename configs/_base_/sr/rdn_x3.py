_base_ = './rdn_x4.py'
scale = 3
sr = dict(
    upscale_factor=scale,
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/restorers/rdn/rdn_x3c64b16_g1_1000k_div2k_20210419-b93cb6aa.pth'
    ),
)
