_base_ = './rrdb_x4.py'
scale = 2
# mmagic has no x2 weights
sr = dict(upscale_factor=scale, init_cfg=dict(_delete_=True))
