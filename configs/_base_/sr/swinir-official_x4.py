# SwinIR-M with the public weights that the paper starts from (SwinIR's 001_classicalSR_DIV2K_s48w8_SwinIR-M_x4.pth).
# To convert them:
# python tools/model_converters/official2mm.py configs/paper/tv-resnet18_swinir_x4_cars.py weights/swinir_x4.pth \
#     --sr FILE
_base_ = './swinir_x4.py'
sr = dict(init_cfg=dict(_delete_=True, type='Pretrained', prefix='sr.', checkpoint='weights/swinir_x4.pth'))
