# From the paper's own weights: net_sr_latest.pth of its DIV2K pre-training, converted as those of x4
_base_ = './edsr-official_x4.py'
scale = 8
sr = dict(upscale_factor=scale, init_cfg=dict(checkpoint='weights/edsr_x8.pth'))
