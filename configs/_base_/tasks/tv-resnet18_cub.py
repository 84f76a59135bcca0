_base_ = './tv-resnet18.py'
task = dict(num_classes=200)
