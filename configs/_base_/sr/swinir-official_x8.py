_base_ = './swinir-official_x4.py'
scale = 8
sr = dict(upscale=scale, init_cfg=dict(checkpoint='weights/swinir_x8.pth'))
