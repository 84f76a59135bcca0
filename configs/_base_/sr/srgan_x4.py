# SRResNet with the weights of SRGAN
_base_ = './srresnet_x4.py'
sr = dict(
    init_cfg=dict(
        checkpoint='https://download.openmmlab.com/mmediting/restorers/srresnet_srgan/srgan_x4c64b16_1x16_1000k_div2k_20200606-a1f0810e.pth'
    )
)
