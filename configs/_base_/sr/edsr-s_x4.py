# Small EDSR for runs on a CPU
scale = 4
sr = dict(type='mmagic.EDSRNet', in_channels=3, out_channels=3, mid_channels=32, num_blocks=6, upscale_factor=scale)
