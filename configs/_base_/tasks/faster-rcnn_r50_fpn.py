# mmdet's Faster R-CNN for the 20 classes of VOC
_base_ = 'mmdet::_base_/models/faster-rcnn_r50_fpn.py'
default_scope = 'mmdet'
visualizer = dict(type='DetLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')], name='visualizer')
task = _base_.model
task.roi_head.bbox_head.num_classes = 20
model = dict(_delete_=True)  # the configs define it
