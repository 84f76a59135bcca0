_base_ = './swinir-real_x4.py'
scale = 2
sr = dict(
    upscale=scale,
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/swinir/swinir_psnr-x2s64w8d6e180_8xb4-lr1e-4-600k_df2k-os-6f0c425f.pth'
    ),
)
