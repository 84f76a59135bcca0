# SwinIR-M for Gaussian noise of sigma 25; mmagic also has 15 and 50
_base_ = './swinir_x4.py'
scale = 1
sr = dict(
    upscale=scale,
    img_size=128,
    upsampler='',
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/swinir/swinir_s128w8d6e180_8xb1-lr2e-4-1600k_dfwb-colorDN25-df2b1c0c.pth'
    ),
)
