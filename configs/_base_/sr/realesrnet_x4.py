# RRDBNet of Real-ESRGAN for real degradations, trained with the pixel loss
_base_ = './rrdb_x4.py'
sr = dict(
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/restorers/real_esrgan/realesrnet_c64b23g32_12x4_lr2e-4_1000k_df2k_ost_20210816-4ae3b5a4.pth'
    )
)
