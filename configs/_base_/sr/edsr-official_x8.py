# With the authors' weights: net_sr_latest.pth of their pre-training on DIV2K, converted like those of x4
_base_ = './edsr-official_x4.py'
scale = 8
sr = dict(upscale_factor=scale, init_cfg=dict(checkpoint='weights/edsr_x8.pth'))
