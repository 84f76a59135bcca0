# The table of segmentation in docs/results.md: python tools/make_table.py configs/_studies/voc.py
seeds = [0]
amp = True
folds = 3
options = [
    'train_cfg.val_interval=20',
    'default_hooks.checkpoint.interval=5',
]
cells = [
    dict(config='../mini/fpn-efficientnet-lite0_edsr-s_x4_voc-mini.py', schemes=['H->T', 'L->T', 'S->T', 'SR4IR']),
]
