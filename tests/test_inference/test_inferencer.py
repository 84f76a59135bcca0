"""Inference on LR images, for a network of each task."""

import json

import cv2
import numpy as np
import pytest
import torch
from helpers.toy import EDSR
from helpers.zoo import net_config
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.inferencer import SR4IRInferencer
from sr4ir_mm.inference.lr_predictor import MAX_PIXELS, lr_image
from sr4ir_mm.models.degradations.base import quantize
from sr4ir_mm.utils import to_uint8

LOAD = dict(type='sr4ir_mm.CheckedLoadImageFromFile')
PIPELINES = dict(
    segformer=[LOAD, dict(type='LoadAnnotations'), dict(type='PackSegInputs')],
    retinanet=[LOAD, dict(type='Resize', scale=(96, 96), keep_ratio=True), dict(type='LoadAnnotations', with_bbox=True),
               dict(type='PackDetInputs')],
    resnet18=[LOAD, dict(type='ResizeEdge', scale=40, edge='short', backend='pillow'),
              dict(type='CenterCrop', crop_size=32), dict(type='PackInputs')],
)  # fmt: skip
VISUALIZERS = dict(segformer='SegLocalVisualizer', retinanet='DetLocalVisualizer', resnet18='UniversalVisualizer')
SCOPES = dict(segformer='mmseg', retinanet='mmdet', resnet18='mmpretrain')
DATASETS = dict(segformer='ADE20KDataset', retinanet='CocoDataset', resnet18='ImageNet')
SMALL = dict(retinanet={'test_cfg.score_thr': 0.0, 'test_cfg.max_per_img': 5})
nets = pytest.mark.parametrize('name', PIPELINES)


def config(name: str, scheme: str = 'SR4IR') -> Config:
    task = net_config(name, **SMALL.get(name, {}))
    return Config(
        dict(
            default_scope=SCOPES[name],
            model=dict(
                type='sr4ir_mm.SR4IR', sr=dict(EDSR, _scope_='mmagic') if 'S' in scheme else None, task=task,
                scale=4, scheme=scheme,
            ),
            test_dataloader=dict(dataset=dict(type=DATASETS[name], pipeline=PIPELINES[name])),
            visualizer=dict(type=VISUALIZERS[name], vis_backends=[dict(type='LocalVisBackend')]),
        )
    )  # fmt: skip


@pytest.fixture(scope='module')
def inferencers():
    """Networks of random weights, the same for all tests."""
    made = {}

    def get(name: str, scheme: str = 'SR4IR') -> SR4IRInferencer:
        if (name, scheme) not in made:
            torch.manual_seed(0)
            made[name, scheme] = SR4IRInferencer(config(name, scheme), 'random', 'cpu', show_progress=False)
        return made[name, scheme]

    return get


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3)).astype(np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def prediction(sample):
    """Return the prediction of any task as one array."""
    if 'pred_instances' in sample:
        return sample.pred_instances.bboxes.numpy()
    return sample.pred_sem_seg.data.numpy() if 'pred_sem_seg' in sample else sample.pred_score.numpy()


@nets
def test_coordinates_are_those_of_the_lr_image(name, inferencers):
    image = picture(20, 30)
    low, high = (inferencers(name)(image, coords=coords)['predictions'][0] for coords in ('lr', 'sr'))
    assert low.metainfo['ori_shape'] == (20, 30) and high.metainfo['ori_shape'] == (80, 120)
    assert low.lr.shape == (3, 20, 30) and low.task_input.shape == (3, 80, 120)
    if name == 'retinanet':
        boxes = prediction(low)
        assert (
            len(boxes) == 5 and boxes.min() >= 0 and boxes[:, 2].max() <= 30 + 1e-3 and boxes[:, 3].max() <= 20 + 1e-3
        )
        assert boxes[:, 2].max() > 15  # not in the coordinates of an even smaller image
        assert np.allclose(boxes * 4, prediction(high), atol=1e-3)
    elif name == 'segformer':
        assert prediction(low).shape == (1, 20, 30) and prediction(high).shape == (1, 80, 120)
        assert (prediction(low)[0] == prediction(high)[0][2::4, 2::4]).mean() > 0.9
    else:
        assert np.allclose(prediction(low), prediction(high))


@nets
def test_the_task_network_receives_what_its_pipeline_makes_of_the_sr_image(name, inferencers, tmp_path, monkeypatch):
    """Against the zoo's pipeline and model, with the SR image as a file."""
    inferencer, image = inferencers(name), picture(20, 30)
    # as in files
    monkeypatch.setattr(inferencer.pipeline, 'upsample', lambda lr: quantize(inferencer.model.upsample(lr)))
    with torch.no_grad():
        sr = to_uint8(inferencer.model.sr(lr_image(image)[None])[0])
    result = inferencer(image, coords='sr')
    assert np.array_equal(result['task_inputs'][0], sr)
    cv2.imwrite(str(tmp_path / 'sr.png'), sr[..., ::-1])
    with DefaultScope.overwrite_default_scope(SCOPES[name]):
        steps = [step for step in PIPELINES[name] if step['type'] != 'LoadAnnotations']
        packed = Compose(steps)(dict(img_path=str(tmp_path / 'sr.png'), img_id=0))
        with torch.no_grad():
            (expected,) = inferencer.model.task.test_step(pseudo_collate([packed]))
    ours = result['predictions'][0]
    if name == 'segformer':
        ours, expected = ours.seg_logits.data, expected.seg_logits.data
    else:
        ours, expected = (torch.from_numpy(prediction(sample)) for sample in (ours, expected))
    if name == 'retinanet':  # their scores are almost equal
        ours, expected = (boxes[boxes[:, 0].argsort()] for boxes in (ours, expected))
    assert ours.shape == expected.shape
    # Resize rounds the 8 bits of a file, but not our floats
    assert torch.allclose(ours, expected, rtol=0, atol=0.5 if name == 'retinanet' else 1e-4)


def test_an_lr_image_is_predicted_as_its_hr_image_in_a_test(inferencers):
    """The degraded image given to the inferencer, and the HR image to the model, as tools/test.py does."""
    model, hr = inferencers('segformer').model, picture(64, 96)
    from mmseg.structures import SegDataSample

    meta = dict(ori_shape=(64, 96), img_shape=(64, 96))
    batch = dict(inputs=[torch.from_numpy(hr).permute(2, 0, 1)], data_samples=[SegDataSample(metainfo=meta)])
    with torch.no_grad():
        (expected,) = model.test_step(batch)
    lr = to_uint8(expected.lr)[..., ::-1]
    got = inferencers('segformer')(np.ascontiguousarray(lr), coords='sr')['predictions'][0]
    assert torch.allclose(got.task_input, expected.task_input, atol=1e-6)
    assert torch.allclose(got.seg_logits.data, expected.seg_logits.data, atol=1e-4)


@nets
def test_batches_of_unequal_images(name, inferencers):
    images = [picture(20, 30, 0), picture(24, 16, 1), picture(20, 30, 2)]
    single = [inferencers(name)(image)['predictions'][0] for image in images]
    together = inferencers(name)(images, batch_size=3)['predictions']
    assert [sample.lr.shape for sample in together] == [(3, *image.shape[:2]) for image in images]
    for one, other in zip(single, together):
        assert np.allclose(prediction(one), prediction(other), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize('scheme', ['H->T', 'L->T', 'S'])
def test_other_schemes(scheme, inferencers):
    result = inferencers('resnet18', scheme)(picture(20, 30), return_vis=True)
    scale = 1 if scheme == 'H->T' else 4
    assert result['task_inputs'][0].shape == (20 * scale, 30 * scale, 3)
    assert ('pred_score' in result['predictions'][0]) == (scheme != 'S')
    assert result['visualization'][0].dtype == np.uint8
    if scheme == 'H->T':
        assert np.array_equal(result['task_inputs'][0], picture(20, 30)[..., ::-1])


def test_tiles_change_nothing_visible(inferencers):
    inferencer, image = inferencers('segformer'), picture(100, 140)
    whole = inferencer(image)
    inferencer.pipeline.tile = 64
    try:
        pieces = inferencer(image)
    finally:
        inferencer.pipeline.tile = 256
    difference = np.abs(whole['task_inputs'][0].astype(int) - pieces['task_inputs'][0])
    assert difference.max() <= 1
    assert (prediction(whole['predictions'][0]) == prediction(pieces['predictions'][0])).mean() > 0.99


@nets
def test_files(name, inferencers, tmp_path):
    source = tmp_path / 'in'
    source.mkdir()
    for i, kind in enumerate((picture(20, 30), picture(20, 30)[..., 0], np.dstack([picture(20, 30)] * 2)[..., :4])):
        cv2.imwrite(str(source / f'{i}.png'), kind)
    (source / 'bad.png').write_bytes(b'nonsense')
    result = inferencers(name)(source, out_dir=str(tmp_path / 'out'))
    assert [path[-5:] for path in result['inputs']] == ['0.png', '1.png', '2.png']
    assert (
        list(result['skipped']) == [str(source / 'bad.png')]
        and 'not an image' in result['skipped'][str(source / 'bad.png')]
    )
    for folder in ('sr', 'vis'):
        files = sorted((tmp_path / 'out' / folder).iterdir())
        assert [file.name for file in files] == ['0.png', '1.png', '2.png']
        assert cv2.imread(str(files[0])).shape == (80, 120, 3)
    assert np.array_equal(cv2.imread(str(tmp_path / 'out/sr/0.png'))[..., ::-1], result['task_inputs'][0])
    content = json.loads((tmp_path / 'out/preds/1.json').read_text())
    assert (content['height'], content['width']) == (20, 30) and len(content['classes']) >= 80
    sample = result['predictions'][1]
    if name == 'retinanet':
        assert np.allclose(content['pred_instances']['bboxes'], prediction(sample))
        assert content['pred_instances']['labels'] == sample.pred_instances.labels.tolist()
    elif name == 'segformer':
        mask = cv2.imread(str(tmp_path / 'out/preds' / content['pred_sem_seg']), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(mask, prediction(sample)[0])
    else:
        assert content['pred_label'] == sample.pred_label.tolist()


def test_pictures_differ_from_the_sr_image_and_no_file_is_written_without_out_dir(inferencers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = inferencers('segformer')(picture(20, 30), return_vis=True)
    assert result['visualization'][0].shape == (80, 120, 3)
    assert not np.array_equal(result['visualization'][0], result['task_inputs'][0])
    assert inferencers('segformer')(picture(20, 30))['visualization'] == [None]
    inferencers('segformer')(picture(20, 30), out_dir='out', no_save_vis=True, no_save_pred=True)
    assert {path.name for path in tmp_path.rglob('*')} == {'out', 'sr', '000000.png'}


def test_no_image_at_all(inferencers, tmp_path):
    with pytest.raises(SR4IRError, match=r"image 'no/such\.png' cannot be read"):
        inferencers('resnet18')('no/such.png')


@pytest.mark.parametrize(
    'problem', [dict(model='no-such-net'), dict(model='fcn-tiny_edsr-tiny_x4_demo', weights='no.pth')]
)
def test_a_missing_config_or_checkpoint(problem):
    with pytest.raises(SR4IRError, match=r"(Config 'no-such-net'|Checkpoint 'no\.pth') not found"):
        SR4IRInferencer(**problem)


def test_a_model_without_an_sr_network():
    cfg = config('resnet18')
    cfg.model = cfg.model.task
    with pytest.raises(SR4IRError, match='ImageClassifier, not SR4IR'):
        SR4IRInferencer(cfg, 'random')


def test_work_dir(tmp_path):
    """Config and last checkpoint of the work dir, and the class names in this checkpoint."""
    folder = tmp_path / 'run'
    folder.mkdir()
    cfg = config('resnet18', 'L->T')
    cfg.dump(folder / 'run.py')
    model = SR4IRInferencer(cfg, 'random', 'cpu').model
    torch.nn.init.constant_(model.task.head.fc.bias, 3.0)
    meta = dict(dataset_meta=dict(classes=('cat', 'dog')))
    for epoch in (1, 2):
        torch.save(dict(state_dict=model.state_dict(), meta=meta), folder / f'epoch_{epoch}.pth')
        torch.nn.init.constant_(model.task.head.fc.bias, 7.0)
    inferencer = SR4IRInferencer(folder, device='cpu', show_progress=False)
    assert (inferencer.model.task.head.fc.bias == 7).all()
    assert inferencer.visualizer.dataset_meta['classes'] == ('cat', 'dog')
    (folder / 'epoch_1.pth').unlink()
    (folder / 'epoch_2.pth').unlink()
    (folder / '20260101_000000/vis_data').mkdir(parents=True)  # a run that wrote no checkpoint
    with pytest.raises(SR4IRError, match=r"run' has no complete checkpoint"):
        SR4IRInferencer(folder)


def test_weights_are_asked_for(tmp_path):
    """Random weights too: their predictions would look like any others."""
    cfg = config('resnet18', 'L->T')
    for model in (cfg, 'fcn-tiny_edsr-tiny_x4_demo'):
        with pytest.raises(SR4IRError, match='is a config, without weights: name a checkpoint after it'):
            SR4IRInferencer(model)
    state = SR4IRInferencer(cfg, 'random', 'cpu').model.state_dict()
    torch.save(dict(state_dict=state, meta=dict(cfg=cfg.pretty_text)), tmp_path / 'a.pth')
    inferencer = SR4IRInferencer(tmp_path / 'a.pth', device='cpu')  # which holds the config
    assert torch.equal(inferencer.model.task.head.fc.weight, state['task.head.fc.weight'])
    cfg.pop('test_dataloader')
    with pytest.raises(SR4IRError, match='has no test_dataloader'):
        SR4IRInferencer(cfg, 'random')


def test_no_result_is_lost_without_a_word(inferencers, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(SR4IRError, match=r"file/out/sr/000000\.png' cannot be written: Not a directory"):
        inferencers('resnet18')(picture(20, 30), out_dir=str(tmp_path / 'file/out'))


def test_similar_names(inferencers, tmp_path):
    """No result overwrites another."""
    names = ['0.jpg', '0.png', 'scan.001.png', 'scan.002.png']
    for i, name in enumerate(names):
        cv2.imwrite(str(tmp_path / name), picture(20, 30, i))
    images = [str(tmp_path / name) for name in names]
    inferencers('resnet18')(images, out_dir=str(tmp_path / 'out'))
    for folder in ('sr', 'vis', 'preds'):
        stems = sorted(path.name[: path.name.rindex('.')] for path in (tmp_path / 'out' / folder).iterdir())
        assert stems == ['0', '0_2', 'scan.001', 'scan.002']


def test_the_limit_of_pixels(inferencers):
    inferencer = inferencers('resnet18')
    inferencer.pipeline.max_pixels = 16 * 700
    try:
        result = inferencer([picture(20, 30), picture(30, 30)])
    finally:
        inferencer.pipeline.max_pixels = MAX_PIXELS
    assert len(result['inputs']) == 1
    assert result['skipped']['000001'].startswith('has 30 x 30 pixels, but at most 700 are allowed')


def test_a_tile_without_pixels():
    with pytest.raises(SR4IRError, match='tile=-1 must be a whole number, 1 or more'):
        SR4IRInferencer(config('resnet18'), 'random', 'cpu', tile=-1)
