# The model of mixed configs and of configs/mini, without its networks: these are our defaults, not the paper's
sr4ir = dict(
    type='sr4ir_mm.SR4IR',
    scheme='SR4IR',
    align_corners=False,
    channels_last=True,
    tdp=dict(relative=True),
    cqmix=dict(grid=8),
)
