# To get the data (MIT license): git clone https://github.com/Shenggan/BCCD_Dataset && mv BCCD_Dataset/BCCD data/bccd
# 205 + 87 micrographs of blood, here of 320 x 240 px, and 72 for a test; two boxes are a single pixel wide
_base_ = './voc_det_mini.py'
data_root = 'data/bccd'
metainfo = dict(classes=('RBC', 'WBC', 'Platelets'), palette=[(220, 20, 60), (60, 90, 220), (250, 190, 50)])
train_dataloader = dict(dataset=dict(data_root=data_root, metainfo=metainfo))
val_dataloader = dict(dataset=dict(data_root=data_root, metainfo=metainfo))
test_dataloader = dict(dataset=dict(data_root=data_root, metainfo=metainfo, ann_file='ImageSets/Main/test.txt'))
val_evaluator = [dict(type='sr4ir_mm.ZeroFillCocoMetric', metric='bbox'), dict(type='sr4ir_mm.SRQuality')]
test_evaluator = val_evaluator
