# RRDBNet with the weights of Real-ESRGAN, for real degradations
_base_ = './rrdb_x4.py'
sr = dict(
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/restorers/real_esrgan/realesrgan_c64b23g32_12x4_lr1e-4_400k_df2k_ost_20211010-34798885.pth'
    )
)
