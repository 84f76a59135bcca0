# EDSR-baseline as the paper trains it: it works in the range 0 to 255. From the public weights (EDSR-PyTorch's .pt):
# python tools/model_converters/official2mm.py configs/paper/tv-resnet18_edsr_x4_cars.py weights/edsr_x4.pth --sr FILE
_base_ = './edsr_x4.py'
sr = dict(
    rgb_std=[1 / 255, 1 / 255, 1 / 255],
    init_cfg=dict(_delete_=True, type='Pretrained', prefix='sr.', checkpoint='weights/edsr_x4.pth'),
)
