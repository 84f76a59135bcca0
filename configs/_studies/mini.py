# Every scheme of configs/mini: python tools/make_table.py configs/_studies/mini.py
# Cells run in this order, all with the first seed, then all with the next one.
seeds = [0, 1, 2]
folds = 5
cars, seg, det, voc_det = (
    '../mini/efficientnet-lite0_edsr-s_x{}_cars-mini.py',
    '../mini/fpn-efficientnet-lite0_edsr-s_x{}_voc-mini.py',
    '../mini/atss-efficientnet-lite0_edsr-s_x{}_bccd.py',
    '../mini/atss-efficientnet-lite0_edsr-s_x{}_voc-mini.py',
)
every = [cars.format(4), det.format(8), seg.format(4), cars.format(8), seg.format(8), det.format(4), voc_det.format(4)]
cells = []
for config in every:
    cells.append(dict(config=config, schemes=['H->T', 'L->T', 'S->T', 'SR4IR']))
for config in every[:3]:
    for label, special in {  # 'options' would be those of all cells
        'no TDP': ['model.tdp.loss_weight=0'],
        'TDP 0.1': ['model.tdp.loss_weight=0.1'],
        'no CQMix': ['model.scheme.shares.sr=0.5', 'model.scheme.shares.hr=0.5'],
        'joint': ['model.scheme.joint=True'],
        'TDP of the start': ['model.tdp_net=start'],
        'statistics of the training': ['default_hooks.task_statistics=None'],
        'SR images of phase 1': ['model.scheme.reuse_sr=True'],
    }.items():
        cells.append(dict(config=config, schemes=['SR4IR'], label=label, options=special, seeds=[0]))
    cells.append(dict(config=config, schemes=['L->T'], label='aligned corners', options=['model.align_corners=True']))
for config in every:
    cells.append(dict(config=config, schemes=['T->S', 'S+T']))
