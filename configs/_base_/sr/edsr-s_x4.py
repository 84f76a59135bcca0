# Small EDSR for a CPU, trained on BSDS500 (non-commercial research and education). All of its layers work on LR pixels.
scale = 4
sr = dict(
    type='sr4ir_mm.BilinearSkip',
    pixel_shuffle=scale,
    net=dict(
        type='mmagic.EDSRNet',
        in_channels=3,
        out_channels=3 * scale**2,
        mid_channels=32,
        num_blocks=12,
        upscale_factor=1,
        rgb_mean=[0.0],  # one value for any number of channels
        rgb_std=[1.0],
    ),
    init_cfg=dict(type='Pretrained', checkpoint='sr4ir_mm://edsr-s_x4'),
)
