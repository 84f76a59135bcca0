# SwinIR-M for classical SR
# mmagic has no x8 weights; start from others with
# --cfg-options model.sr.init_cfg.type=Pretrained model.sr.init_cfg.checkpoint=FILE
scale = 8
sr = dict(
    type='mmagic.SwinIRNet',
    upscale=scale,
    in_chans=3,
    img_size=48,
    window_size=8,
    img_range=1.0,
    depths=[6, 6, 6, 6, 6, 6],
    embed_dim=180,
    num_heads=[6, 6, 6, 6, 6, 6],
    mlp_ratio=2,
    upsampler='pixelshuffle',
    resi_connection='1conv')
