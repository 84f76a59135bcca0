# LIIF: one set of weights for every scale, trained for 1 to 4
scale = 4
sr = dict(
    type='sr4ir_mm.LIIFUpsampler',
    scale=scale,
    mean=[0.4488, 0.4371, 0.4040],
    generator=dict(
        type='mmagic.LIIFEDSRNet',
        encoder=dict(type='EDSRNet', in_channels=3, out_channels=3, mid_channels=64, num_blocks=16),
        imnet=dict(type='MLPRefiner', in_dim=64, out_dim=3, hidden_list=[256, 256, 256, 256]),
        eval_bsize=30000,
    ),
    init_cfg=dict(
        type='Pretrained',
        checkpoint='https://download.openmmlab.com/mmediting/restorers/liif/liif_edsr_norm_c64b16_g1_1000k_div2k_20210715-ab7ce3fc.pth',
    ),
)
