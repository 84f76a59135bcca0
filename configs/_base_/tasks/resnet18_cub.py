_base_ = './resnet18.py'
task = dict(head=dict(num_classes=200))
