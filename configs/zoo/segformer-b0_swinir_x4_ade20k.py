_base_ = [
    'mmseg::segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py',
    '../_base_/sr/swinir_x4.py',
    '../_base_/schemes/sr4ir.py',
]
model = dict(_delete_=True, sr={{_base_.sr}}, task={{_base_.model}}, scale={{_base_.scale}}, **_base_.sr4ir)
optim_wrapper = dict(_delete_=True, task={{_base_.optim_wrapper}}, **_base_.sr4ir_optim_wrapper)
param_scheduler = dict(_delete_=True, task={{_base_.param_scheduler}}, **_base_.sr4ir_scheduler)
default_hooks = {{_base_.sr4ir_hooks}}
train_dataloader = {{_base_.sr4ir_loader}}
