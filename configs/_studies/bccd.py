# The table of detection in docs/results.md: python tools/make_table.py configs/_studies/bccd.py
seeds = [0]
folds = 3
only_folds = [1, 2]  # the third has not been run yet
options = [
    'train_cfg.val_interval=20',
    'default_hooks.checkpoint.interval=5',
]
cells = [
    dict(config='../mini/atss-efficientnet-lite0_edsr-s_x8_bccd.py', schemes=['H->T', 'L->T', 'S->T', 'SR4IR']),
]
