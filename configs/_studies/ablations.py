# The other baselines, and ablations, on the cars: python tools/make_table.py configs/_studies/ablations.py
seeds = [0]
amp = True
folds = 3
options = [
    'train_cfg.val_interval=20',
    'default_hooks.checkpoint.interval=5',
]
cars = '../mini/efficientnet-lite0_edsr-s_x4_cars-mini.py'
ablations = {  # 'options' would be those of all cells
    'no TDP': ['model.tdp.loss_weight=0'],
    'no CQMix': ['model.scheme.shares.sr=0.5', 'model.scheme.shares.hr=0.5'],
    'joint': ['model.scheme.joint=True'],
    'TDP of the start': ['model.tdp_net=start'],
}
cells = [dict(config=cars, schemes=['SR4IR'])]
cells += [dict(config=cars, schemes=['SR4IR'], label=label, options=special) for label, special in ablations.items()]
cells += [dict(config=cars, schemes=[scheme]) for scheme in ('S+T', 'H->T', 'T->S')]
cells += [dict(config=cars, schemes=['SR4IR'], label='TDP 0.1', options=['model.tdp.loss_weight=0.1'])]
