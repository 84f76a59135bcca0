_base_ = './swinir_x4.py'
scale = 3
sr = dict(
    upscale=scale,
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/swinir/swinir_x3s48w8d6e180_8xb4-lr2e-4-500k_div2k-926950f1.pth'
    ),
)
