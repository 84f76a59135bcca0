# LIIF: one set of weights for every scale, trained for 1 to 4
_base_ = './liif-edsr_x4.py'
sr = dict(
    mean=[0.5, 0.5, 0.5],
    std=[0.5, 0.5, 0.5],
    generator=dict(
        type='mmagic.LIIFRDNNet',
        encoder=dict(type='RDNNet', upscale_factor=4, num_layers=8, channel_growth=64),
    ),
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/restorers/liif/liif_rdn_norm_c64b16_g1_1000k_div2k_20210717-22d6fdc8.pth'
    ),
)
