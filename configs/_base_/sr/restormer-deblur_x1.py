# Restormer for motion blur (GoPro)
_base_ = './restormer_x1.py'
sr = dict(
    LayerNorm_type='WithBias',
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/restormer/restormer_official_gopro-db7363a0.pth'
    ),
)
