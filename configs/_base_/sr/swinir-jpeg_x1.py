# SwinIR-M for JPEG of quality 10, the strongest; mmagic also has 20, 30 and 40. Its range is 0 to 255.
_base_ = './swinir-denoise_x1.py'
sr = dict(
    img_size=126,
    window_size=7,
    img_range=255.0,
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/swinir/swinir_s126w7d6e180_8xb1-lr2e-4-1600k_dfwb-colorCAR10-09aafadc.pth'
    ),
)
