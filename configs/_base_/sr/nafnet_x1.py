# NAFNet for real noise (SIDD)
scale = 1
sr = dict(
    type='mmagic.NAFNet',
    img_channels=3,
    mid_channels=64,
    enc_blk_nums=[2, 2, 4, 8],
    middle_blk_num=12,
    dec_blk_nums=[2, 2, 2, 2],
    init_cfg=dict(
        type='Pretrained',
        prefix='generator.',
        checkpoint='https://download.openmmlab.com/mmediting/nafnet/NAFNet-SIDD-midc64.pth',
    ),
)
