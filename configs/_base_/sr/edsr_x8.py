_base_ = './edsr_x4.py'
scale = 8
# mmagic has no x8 weights; start from others with
# --cfg-options model.sr.init_cfg.type=Pretrained model.sr.init_cfg.checkpoint=FILE
sr = dict(upscale_factor=scale, init_cfg=dict(_delete_=True))
