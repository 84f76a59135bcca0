_base_ = './edsr_x4.py'
scale = 8
# mmagic has no weights for x8. To start from a file of mmagic, BasicSR, the official code or a training of ours:
# --cfg-options model.sr.init_cfg.type=Pretrained model.sr.init_cfg.checkpoint=FILE
sr = dict(upscale_factor=scale, init_cfg=dict(_delete_=True))
