_base_ = './swinir-light_x4.py'
scale = 2
sr = dict(
    upscale=scale,
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/swinir/swinir_x2s64w8d4e60_8xb4-lr2e-4-500k_div2k-131d3f64.pth'
    ),
)
