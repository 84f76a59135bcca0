# SwinIR-M for real degradations, trained with the pixel loss
_base_ = './swinir_x4.py'
sr = dict(
    img_size=64,
    upsampler='nearest+conv',
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/swinir/swinir_psnr-x4s64w8d6e180_8xb4-lr1e-4-600k_df2k-os-a016a72f.pth'
    ),
)
