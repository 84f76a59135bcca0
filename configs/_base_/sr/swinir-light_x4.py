# SwinIR-S for lightweight SR
_base_ = './swinir_x4.py'
sr = dict(
    img_size=64,
    depths=[6, 6, 6, 6],
    embed_dim=60,
    num_heads=[6, 6, 6, 6],
    upsampler='pixelshuffledirect',
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/swinir/swinir_x4s64w8d4e60_8xb4-lr2e-4-500k_div2k-d6622d03.pth'
    ),
)
