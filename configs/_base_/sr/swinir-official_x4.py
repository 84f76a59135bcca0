# SwinIR-M with the public weights (SwinIR's 001_classicalSR_DIV2K_s48w8_SwinIR-M_x4.pth), as the paper has it:
# python tools/model_converters/official2mm.py configs/paper/tv-resnet18_swinir_x4_cars.py weights/swinir_x4.pth \
#     --sr FILE
_base_ = './swinir_x4.py'
sr = dict(init_cfg=dict(_delete_=True, type='Pretrained', prefix='sr.', checkpoint='weights/swinir_x4.pth'))
