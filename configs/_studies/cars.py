# The table of docs/results.md: python tools/make_table.py configs/_studies/cars.py
seeds = [0]
folds = 3
options = [
    'train_cfg.val_interval=20',
    'default_hooks.checkpoint.interval=5',
]
cells = [
    dict(config='../mini/efficientnet-lite0_edsr-s_x4_cars-mini.py', schemes=['H->T', 'L->T', 'S->T', 'SR4IR']),
]
