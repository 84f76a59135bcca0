"""The shipped detection config with a small detector: it trains and tests on all kinds of data; boxes are correct."""

import copy
import math
import pickle
import re
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
import torch
from helpers.voc_boxes import make_voc_boxes
from helpers.zoo import Logs, changed, run_tool, state
from mmengine.config import Config
from mmengine.registry import DATASETS, VISUALIZERS, init_default_scope
from mmengine.runner import Runner
from mmengine.utils import digit_version

from sr4ir_mm.config import load_config
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.registry import MODELS
from sr4ir_mm.visualization import make_panel

LEAF = Path(__file__).parents[1] / 'configs/sr4ir/faster-rcnn_edsr_x4_voc.py'
SMALL = {
    'model.sr.init_cfg': None,
    'model.sr.mid_channels': 4,
    'model.sr.num_blocks': 1,
    'model.task.backbone': dict(base_channels=8, depth=18, init_cfg=None),
    'model.task.neck': dict(in_channels=[8, 16, 32, 64], out_channels=8),
    'model.task.rpn_head': dict(in_channels=8, feat_channels=8),
    'model.task.roi_head.bbox_roi_extractor.out_channels': 8,
    'model.task.roi_head.bbox_head': dict(in_channels=8, fc_out_channels=16),
    'model.task.train_cfg.rpn_proposal': dict(nms_pre=50, max_per_img=20),
    'model.task.train_cfg.rcnn.sampler.num': 16,
    'model.task.test_cfg.rpn': dict(nms_pre=50, max_per_img=20),
    'model.task.test_cfg.rcnn': dict(score_thr=0.0, max_per_img=10),  # untrained as it is, it detects something
    'default_hooks.logger.interval': 1,
    'default_hooks.alternating.warmup_epochs': 0,
    'train_dataloader.sampler.shuffle': False,
    'train_dataloader.batch_size': 2,
    'train_dataloader.num_workers': 0,
    'val_dataloader': dict(num_workers=0, persistent_workers=False),
    'test_dataloader': dict(num_workers=0, persistent_workers=False),
    'train_cfg': dict(max_epochs=1, val_interval=1),
}
CAT, DOG = ('cat', 9, 5, 40, 30), ('dog', 20, 12, 44, 38)
IMAGES = [((48, 64), [CAT, DOG]), ((48, 64), [DOG])]


def config(root: Path, **options) -> Config:
    cfg = load_config(str(LEAF), {**copy.deepcopy(SMALL), 'data_root': str(root), **options})
    cfg.work_dir = str(root.parent / 'work')
    cfg.experiment_name = cfg.visualizer.name = str(root)  # MMEngine keeps them by name
    return cfg


def train(cfg: Config) -> tuple[Runner, list[dict], dict]:
    """Train and validate; the weights of both nets must change."""
    runner = Runner.from_cfg(cfg)
    runner.register_hook(logs := Logs())
    before = state(runner.model)
    runner.train()
    for log in logs.items:
        assert all(math.isfinite(value) for name, value in log.items() if 'loss' in name), log
        assert {'sr.loss_pix', 'sr.loss_tdp', 'task.sr.loss', 'task.hr.loss', 'task.mix.loss'} <= set(log)
    assert {name.split('.')[0] for name in changed(runner.model, before)} == {'sr', 'task'}
    assert all(value.isfinite().all() for value in state(runner.model).values())
    metrics = {name: runner.message_hub.get_scalar(f'val/{name}').current() for name in METRICS}
    assert all(math.isfinite(value) for value in metrics.values())
    return runner, logs.items, metrics


METRICS = ('coco/bbox_mAP', 'pascal_voc/mAP', 'sr/PSNR')


def test_boxes_of_all_kinds(tmp_path):
    """In batches of two: one image without boxes; two; one pixel inside and in each corner; whole image and lines."""
    corners = [('cat', 1, 1, 1, 1), ('dog', 64, 1, 64, 1), ('cow', 1, 48, 1, 48), ('cat', 64, 48, 64, 48)]
    wide = [('cat', 1, 1, 64, 48), ('dog', 1, 3, 64, 3), ('dog', 64, 1, 64, 48)]
    boxes = [[CAT], [], [], [], [('cat', 7, 9, 7, 9)], corners, wide, [DOG]]
    runner, logs, _ = train(config(make_voc_boxes(tmp_path / 'voc', [((48, 64), image) for image in boxes])))
    assert len(logs) == 4
    assert [log['task.hr.loss_bbox'] == 0 for log in logs] == [False, True, False, False]
    assert list(Path(runner.work_dir).glob('best_coco_bbox_mAP_epoch_1.pth'))


def test_unequal_sizes_and_gray_and_rgba_files(tmp_path):
    sizes = [((49, 67), [CAT]), ((70, 45), [DOG]), ((33, 90), [(*CAT[:4], 33)]), ((40, 47), [DOG])]
    root = make_voc_boxes(tmp_path / 'voc', sizes)
    names = [root / f'JPEGImages/{i}.jpg' for i in range(4)]
    images = [cv2.imread(str(name)) for name in names]
    cv2.imwrite(str(names[0]), images[0][..., 0])
    for image, name in ((cv2.cvtColor(images[1], cv2.COLOR_BGR2BGRA), names[1]), (images[2][..., 0], names[2])):
        name.write_bytes(cv2.imencode('.png', image)[1].tobytes())  # by content, whatever the name says
    assert [cv2.imread(str(name), cv2.IMREAD_UNCHANGED).shape[2:] for name in names] == [(), (4,), (), (3,)]
    # one group of aspect ratios, so that the sizes meet in a batch
    runner, logs, _ = train(config(root, **{'train_dataloader.batch_sampler.bins': 1}))
    shapes = [tuple(sample.img_shape for sample in batch['data_samples']) for batch in runner.train_dataloader]
    assert len(logs) == 2 and set(sum(shapes, ())) >= {(33, 90), (40, 47)} and len(set(shapes[0])) == 2


def test_no_box_anywhere(tmp_path):
    with pytest.raises(SR4IRError, match='hold no object'):
        train(config(make_voc_boxes(tmp_path / 'voc', [((48, 64), [])] * 2)))


def test_no_box_left_after_cropping_and_none_found(tmp_path):
    """A detector that finds nothing has a score for save_best."""
    corner = [((80, 96), [('cat', 1, 1, 4, 4)]), ((80, 96), [('dog', 93, 1, 96, 4)])]
    cfg = config(make_voc_boxes(tmp_path / 'voc', corner), **{'model.task.test_cfg.rcnn.score_thr': 0.999})
    crop = dict(type='RandomCrop', crop_size=(32, 33), allow_negative_crop=True)
    cfg.train_dataloader.dataset.pipeline.insert(2, crop)
    init_default_scope('mmdet')
    np.random.seed(0)
    sample = DATASETS.build(cfg.train_dataloader.dataset)[0]['data_samples']
    assert sample.img_shape == (33, 32) and len(sample.gt_instances) == 0
    _, logs, metrics = train(cfg)
    assert logs[0]['task.hr.loss_bbox'] == 0
    assert metrics['coco/bbox_mAP'] == metrics['pascal_voc/mAP'] == 0


def test_single_class(tmp_path):
    """The other objects are background."""
    cfg = config(make_voc_boxes(tmp_path / 'voc', IMAGES), **{'model.task.roi_head.bbox_head.num_classes': 1})
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.dataset.metainfo = dict(classes=('dog',))
    runner, _, _ = train(cfg)
    (output,) = runner.model.test_step(next(iter(runner.val_dataloader)))
    assert output.gt_instances.labels.tolist() == [0] and set(output.pred_instances.labels.tolist()) == {0}


# ---- positions of boxes


def model_and_batch(cfg: Config, index: int = 0) -> tuple:
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).eval()
    item = DATASETS.build(cfg.test_dataloader.dataset)[index]
    return model, dict(inputs=[item['inputs']], data_samples=[item['data_samples']])


@pytest.mark.parametrize('resize, seen', [(None, (49, 67)), (dict(scale=(134, 98)), (98, 134))])
def test_predictions_are_in_the_original_image(tmp_path, resize, seen):
    cfg = config(make_voc_boxes(tmp_path / 'voc', [((49, 67), [CAT])]))
    if resize:
        cfg.test_dataloader.dataset.pipeline[1] = dict(type='Resize', keep_ratio=True, **resize)
    model, batch = model_and_batch(cfg)
    (output,) = model.test_step(batch)
    assert (output.ori_shape, output.img_shape) == ((49, 67), seen)
    assert output.task_input.shape[-2:] == output.hr.shape[-2:] == output.batch_input_shape
    assert output.gt_instances.bboxes.tolist() == [[8, 4, 40, 30]]
    boxes = output.pred_instances.bboxes
    assert len(boxes) == 10 and (boxes >= 0).all() and (boxes.amax(0) <= torch.tensor([67, 49, 67, 49])).all()
    image = model.data_preprocessor.normalize(output.task_input[None])
    (bare,) = model.task.predict(image, [output.clone()], rescale=False)
    torch.testing.assert_close(bare.pred_instances.bboxes, boxes * seen[0] / 49)


@pytest.mark.skipif(
    digit_version(matplotlib.__version__) < digit_version('3.11'), reason='Matplotlib moved single pixels of images'
)
@pytest.mark.parametrize('resize', [None, dict(scale=(134, 98)), dict(scale=(33, 24))])
def test_boxes_in_panels(tmp_path, resize):
    """Ground truth and predictions are drawn where they are, in panels of the original size."""
    cfg = config(make_voc_boxes(tmp_path / 'voc', [((98, 134), [('cat', 31, 41, 80, 70)])]))
    if resize:
        cfg.test_dataloader.dataset.pipeline[1] = dict(type='Resize', keep_ratio=True, **resize)
    model, batch = model_and_batch(cfg)
    (output,) = model.test_step(batch)
    output.pred_instances = output.gt_instances.clone()
    output.pred_instances.scores = torch.ones(1)
    cfg.visualizer.update(vis_backends=None, name=str(tmp_path))
    visualizer = VISUALIZERS.build(cfg.visualizer)
    visualizer.dataset_meta = DATASETS.build(cfg.test_dataloader.dataset).metainfo
    panel = make_panel(visualizer, output)
    for drawn, plain in (('ground truth', 'HR'), ('prediction on SR', 'SR')):
        assert panel.images[plain].shape == (98, 134, 3)
        enlarged = panel.images[plain].astype(int).repeat(3, 0).repeat(3, 1)  # 134 px are too few for a label
        difference = np.abs(panel.drawn[drawn] - enlarged).sum(2) > 30
        assert difference[210, 90:240].all() and difference[180:210, 90].all() and difference[180:210, 240].all()
        assert not difference[216:].any() and not difference[:, :84].any() and not difference[180:204, 96:234].any()


# ---- TDP


def test_tdp_takes_the_two_finest_levels_and_runs_no_head(tmp_path):
    cfg = config(make_voc_boxes(tmp_path / 'voc', IMAGES))
    model, batch = model_and_batch(cfg)
    assert model.tdp.layers == {'neck[0]': 0.5, 'neck[1]': 0.5} and not model.tdp.relative
    ran = []
    for name, module in model.task.named_modules():
        module.register_forward_hook(lambda *_, name=name: ran.append(name))
    data = model.data_preprocessor(batch, True)
    features = model.recorder(data['inputs']['hr_inputs'], data['data_samples'])
    assert {'backbone', 'neck'} <= set(ran) and not any('head' in name for name in ran)
    levels = model.task.extract_feat(data['inputs']['hr_inputs'])
    assert [tuple(level.shape[-2:]) for level in levels[:2]] == [(16, 16), (8, 8)]  # strides 4 and 8 of 64 x 64
    assert torch.equal(features['neck[0]'], levels[0]) and torch.equal(features['neck[1]'], levels[1])


# ---- from the command line


@pytest.fixture(scope='module')
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp('runs')
    make_voc_boxes(folder / 'voc', [((49, 67), [CAT]), ((70, 45), [DOG])])
    options = Config(dict(experiment_name='det', visualizer=dict(name='det')))
    options.merge_from_dict(copy.deepcopy(SMALL))
    options.default_hooks.alternating = dict(type='sr4ir_mm.AlternatingUpdateHook')
    options.train_dataloader.batch_sampler = dict(bins=1)
    (folder / 'det.py').write_text(f'_base_ = {str(LEAF)!r}\n{options.pretty_text}')
    return folder


def test_tools(folder):
    data = ('--cfg-options', 'data_root=voc')
    assert run_tool('train', 'det.py', *data, cwd=folder) == 0
    checkpoint = 'work_dirs/det/epoch_1.pth'
    outputs = ('--out', 'out.pkl', '--show-dir', 'panels', '--work-dir', 'test')
    assert run_tool('test', 'det.py', checkpoint, *data, 'experiment_name=test', *outputs, cwd=folder) == 0
    with open(folder / 'out.pkl', 'rb') as file:
        predictions = pickle.load(file)
    for prediction, (height, width) in zip(predictions, [(49, 67), (70, 45)]):
        boxes = prediction['pred_instances']['bboxes']
        assert len(boxes) and (boxes.amax(0) <= torch.tensor([width, height, width, height])).all()
    assert sorted(path.name for path in (folder / 'panels').iterdir()) == ['0.png', '1.png']


def test_data_of_another_task(folder, capsys):
    (folder / 'cars/train/Audi').mkdir(parents=True)
    assert run_tool('train', 'det.py', '--cfg-options', 'data_root=cars', cwd=folder) == 2
    message = r"error: 'cars/ImageSets/Main/\w+\.txt' is missing, and sr4ir_mm\.InclusiveVOCDataset needs it"
    assert re.search(message, capsys.readouterr().err)
