_base_ = './swinir-light_x4.py'
scale = 3
sr = dict(
    upscale=scale,
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/swinir/swinir_x3s64w8d4e60_8xb4-lr2e-4-500k_div2k-309cb239.pth'
    ),
)
