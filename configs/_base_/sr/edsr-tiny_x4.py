# EDSR for the demo, whose images have a mean of 0.5 and a standard deviation of 0.25
scale = 4
sr = dict(
    type='mmagic.EDSRNet',
    in_channels=3,
    out_channels=3,
    mid_channels=32,
    num_blocks=4,
    upscale_factor=scale,
    rgb_mean=[0.5, 0.5, 0.5],
    rgb_std=[0.25, 0.25, 0.25],
)
