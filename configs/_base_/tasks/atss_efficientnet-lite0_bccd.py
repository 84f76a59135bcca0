_base_ = './atss_efficientnet-lite0.py'
task = dict(bbox_head=dict(num_classes=3))
