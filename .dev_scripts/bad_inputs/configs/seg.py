_base_ = ['fcn.py', 'runtime.py']
model = dict(
    _delete_=True, type='sr4ir_mm.SR4IR', sr={{_base_.sr_net}}, task={{_base_.model}}, scale={{_base_.scale}},
    scheme='SR4IR', tdp=dict(layers={'backbone[-1]': 1.0}), cqmix=dict(grid=4),
)  # fmt: skip
optim_wrapper = dict(_delete_=True, **_base_.two_optimizers)
