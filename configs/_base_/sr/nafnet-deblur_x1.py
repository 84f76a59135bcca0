# NAFNet for motion blur (GoPro)
_base_ = './nafnet_x1.py'
sr = dict(
    type='mmagic.NAFNetLocal',
    enc_blk_nums=[1, 1, 1, 28],
    middle_blk_num=1,
    dec_blk_nums=[1, 1, 1, 1],
    init_cfg=dict(checkpoint='https://download.openmmlab.com/mmediting/nafnet/NAFNet-GoPro-midc64.pth'),
)
