# Restormer for Gaussian noise of any strength
scale = 1
sr = dict(
    type='mmagic.Restormer',
    inp_channels=3,
    out_channels=3,
    dim=48,
    num_blocks=[4, 6, 6, 8],
    num_refinement_blocks=4,
    heads=[1, 2, 4, 8],
    ffn_expansion_factor=2.66,
    bias=False,
    LayerNorm_type='BiasFree',
    init_cfg=dict(
        type='Pretrained',
        prefix='generator.',
        checkpoint='https://download.openmmlab.com/mmediting/restormer/restormer_official_dfwb-color-blind-dfd03c9f.pth',
    ),
)
