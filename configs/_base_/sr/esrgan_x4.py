# RRDBNet with the weights of ESRGAN
_base_ = './rrdb_x4.py'
sr = dict(
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/restorers/esrgan/esrgan_x4c64b23g32_1x16_400k_div2k_20200508-f8ccaf3b.pth'
    )
)
