# EDSR-baseline of the paper: its range is 0 to 255. It starts from the public weights (EDSR-PyTorch's .pt). To convert
# them:
# python tools/model_converters/official2mm.py configs/paper/tv-resnet18_edsr_x4_cars.py weights/edsr_x4.pth --sr FILE
_base_ = './edsr_x4.py'
sr = dict(
    rgb_std=[1 / 255, 1 / 255, 1 / 255],
    init_cfg=dict(_delete_=True, type='Pretrained', prefix='sr.', checkpoint='weights/edsr_x4.pth'),
)
