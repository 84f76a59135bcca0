"""The configs: they build, and those of the paper's table hold what docs/protocol.md fixes."""

import copy
import functools
import itertools
import math
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.voc_boxes import make_voc_boxes
from helpers.zoo import make_voc
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, METRICS, VISUALIZERS, init_default_scope
from PIL import Image
from torchvision import transforms

from sr4ir_mm.config import apply_scheme
from sr4ir_mm.models.scheme import SCHEMES
from sr4ir_mm.registry import HOOKS, MODELS, PARAM_SCHEDULERS

ROOT = Path(__file__).parent.parent / 'configs'
LEAVES = {path.stem: path for folder in ('sr4ir', 'paper', 'mini', 'demo') for path in (ROOT / folder).glob('*.py')}
SR_NETS = dict(edsr='mmagic.EDSRNet', swinir='mmagic.SwinIRNet')

SEG = dict(
    epochs=100, warmup=10, seed=200, batches=(16, 1), restarts=[10, 90], warm_up=0, lr=0.02, weight_decay=1e-6,
    grid=8, tdp=[1.0], best='mIoU', schedule='seg_100e',
)  # fmt: skip
DET = dict(
    epochs=30, warmup=3, seed=100, batches=(16, 1), restarts=[2, 27], warm_up=1, lr=0.02, weight_decay=1e-4,
    grid=8, tdp=[0.5, 0.5], best='coco/bbox_mAP', schedule='det_30e',
)  # fmt: skip
CLS = dict(
    epochs=200, warmup=20, seed=200, batches=(128, 32), restarts=[20, 180], warm_up=0, lr=0.03, weight_decay=1e-4,
    grid=4, tdp=[1.0], best='accuracy/top1', schedule='cls_200e',
)  # fmt: skip
#: parts of a name before and after the SR network -> protocol, bases of the task network and the data
NETS = {
    ('deeplabv3', 'voc'): (SEG, 'deeplabv3_mobilenetv3', 'voc_seg'),
    ('faster-rcnn', 'voc'): (DET, 'faster-rcnn_r50_fpn', 'voc_det'),
    ('resnet18', 'cars'): (CLS, 'resnet18', 'cars'),
    ('resnet18', 'cub'): (CLS, 'resnet18_cub', 'cub'),
    ('tv-deeplabv3', 'voc'): (SEG, 'tv-deeplabv3_mobilenetv3', 'voc_seg'),
    ('tv-faster-rcnn', 'voc'): (DET, 'tv-faster-rcnn_mobilenetv3_fpn', 'voc_det'),
    ('tv-resnet18', 'cars'): (CLS, 'tv-resnet18', 'cars'),
    ('tv-resnet18', 'cub'): (CLS, 'tv-resnet18_cub', 'cub'),
}


TABLE = {
    f'{net}_{sr}_x{scale}_{data}': (net, data) for (net, data), sr, scale in itertools.product(NETS, SR_NETS, (4, 8))
}
SMALL = [name for name in LEAVES if name not in TABLE]
TASK_NETS: dict[str, torch.nn.Module] = {}
each_net = pytest.mark.parametrize('net, data', NETS)
#: Cars and CUB share everything else, see test_cub_differs_from_cars_in_classes_and_images
each_task_net = pytest.mark.parametrize('net, data', [key for key in NETS if key[1] != 'cub'])


@functools.cache
def load_once(name: str) -> Config:
    return Config.fromfile(LEAVES[name])


def load(name: str) -> Config:
    """Return the config, to be read only."""
    cfg = load_once(name)
    init_default_scope(cfg.default_scope)
    return cfg


def build_model(cfg: Config) -> torch.nn.Module:
    """Build SR4IR. Configs with the same task network get copies of one, and SwinIR is small, to save time."""
    model = copy.deepcopy(cfg.model)
    if model.task:
        model.task.pop('init_cfg', None)
        key = f'{cfg.default_scope} {model.task}'
        if key not in TASK_NETS:
            TASK_NETS[key] = MODELS.build(model.task)
        model.task = copy.deepcopy(TASK_NETS[key])
    else:
        model.setdefault('data_preprocessor', cfg.get('data_preprocessor'))
    if model.sr and model.sr.type == SR_NETS['swinir']:
        model.sr.update(depths=[1], num_heads=[6], embed_dim=12)
    return MODELS.build(model)


def built_wrappers(cfg: Config, model: torch.nn.Module):
    return build_optim_wrapper(model, copy.deepcopy(cfg.optim_wrapper))


def check_builds(cfg: Config) -> None:
    """Build what a runner would build of a config."""
    init_default_scope(cfg.default_scope)
    model = build_model(cfg)
    assert set(built_wrappers(cfg, model).keys()) == set(model.scheme.trainable_nets)
    with VISUALIZERS.switch_scope_and_registry(None) as known:
        assert known.get(cfg.visualizer.type)
    for evaluator in (cfg.val_evaluator, cfg.test_evaluator):
        assert [METRICS.build(metric) for metric in evaluator]
    for hook in (*cfg.default_hooks.values(), *cfg.get('custom_hooks', [])):
        HOOKS.build(hook)
    assert cfg.default_hooks.checkpoint.save_best == 'sr/PSNR' or cfg.model.scheme != 'S'


# ---- all of them


def test_the_tree_is_complete():
    assert len(TABLE) == 32 and len(list(ROOT.glob('[!_]*/*.py'))) == 61
    for name in LEAVES:
        small = re.search('mini|demo|bccd', name)
        folder = small[0].replace('bccd', 'mini') if small else 'paper' if name.startswith('tv-') else 'sr4ir'
        assert LEAVES[name].parent.name == folder, name
        assert small or name in TABLE, name


def test_a_config_is_short_and_its_name_says_what_it_is():
    for name, path in LEAVES.items():
        text, cfg = path.read_text(), load(name)
        assert len(text.splitlines()) <= 30, name
        assert cfg.model.scheme == ('SR4IR' if cfg.model.task else 'S'), name
        for base in re.findall(r"'(\.[^']+\.py)'", text):
            assert (path.parent / base).is_file(), name
        words = name.split('_')
        kinds = [word.split('-')[0] for word in words]
        sr = cfg.model.sr
        assert [SR_NETS[kind] for kind in kinds if kind in SR_NETS] == [sr.get('net', sr).type], name
        assert [word for word in words if re.fullmatch(r'x\d', word)] == [f'x{cfg.model.scale}'], name
        assert cfg.model.scale in [sr.get(key) for key in ('upscale', 'upscale_factor', 'pixel_shuffle')], name


@pytest.mark.parametrize(
    'name',
    [
        *(f'{net}_edsr_x4_{data}' for net, data in NETS),
        *('resnet18_edsr_x8_cars', 'resnet18_swinir_x4_cars', 'tv-resnet18_swinir_x8_cars'),
        *SMALL,
    ],
)
def test_a_config_builds(name):
    check_builds(load(name))


def test_the_baselines_build():
    for scheme in SCHEMES:
        check_builds(apply_scheme(load('resnet18_edsr_x4_cars'), scheme))


# ---- the paper's table


@each_net
def test_sr4ir_configs(net, data):
    """Each of the four SR networks; the configs differ in nothing else."""
    protocol, task, data_base = NETS[net, data]
    schedule = Config.fromfile(ROOT / f'_base_/schedules/{protocol["schedule"]}.py')
    first = load(f'{net}_edsr_x4_{data}').to_dict()
    for name in [name for name, key in TABLE.items() if key == (net, data)]:
        _, sr, scale, _ = name.split('_')
        kind = f'{sr}-official' if net.startswith('tv-') else sr
        bases = [f'tasks/{task}', f'datasets/{data_base}', f'schedules/{protocol["schedule"]}', f'sr/{kind}_{scale}']
        assert re.findall(r"_base_/(.+)\.py'", LEAVES[name].read_text()) == bases
        cfg = load(name)
        check_protocol(cfg, protocol)
        assert all(cfg[key] == schedule[key] for key in ('param_scheduler', 'baseline_scheduler', 'train_cfg'))
        assert cfg.model.sr == Config.fromfile(ROOT / f'_base_/sr/{kind}_{scale}.py').sr
        assert without_sr(cfg.to_dict()) == without_sr(first)


def without_sr(cfg: dict) -> dict:
    """Remove what the SR network and the scale decide."""
    cfg = copy.deepcopy(cfg)
    for node in (cfg, cfg['model']):
        del node['sr'], node['scale']
        node['task']['data_preprocessor'].pop('pad_size_divisor', None)
    return cfg


def check_protocol(cfg: Config, protocol: dict) -> None:
    """Compare the training with the paper's."""
    assert (cfg.train_cfg.max_epochs, cfg.train_cfg.by_epoch) == (protocol['epochs'], True)
    assert cfg.randomness.seed == protocol['seed']
    alternating = dict(type='sr4ir_mm.AlternatingUpdateHook', warmup_ratio=protocol['warmup'] / protocol['epochs'])
    assert cfg.default_hooks.alternating == alternating and not cfg.get('custom_hooks')
    assert cfg.default_hooks.checkpoint.save_best == protocol['best']
    loaders = (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
    batch, test_batch = protocol['batches']
    assert [loader.batch_size for loader in loaders] == [batch, test_batch, test_batch]
    assert not any(loader.get('drop_last') for loader in loaders)
    assert [loader.sampler.shuffle for loader in loaders] == [True, False, False]
    assert cfg.val_dataloader == cfg.test_dataloader and cfg.val_evaluator == cfg.test_evaluator
    assert cfg.val_evaluator[-1].type == 'sr4ir_mm.SRQuality'
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=batch)


@pytest.mark.parametrize('net', ['resnet18', 'tv-resnet18'])
def test_cub_differs_from_cars_in_classes_and_images(net):
    cars, cub = (load(f'{net}_edsr_x4_{data}').to_dict() for data in ('cars', 'cub'))
    changed = {key for key in cars if cars[key] != cub[key]}
    assert changed <= {
        'task', 'model', 'dataset_type', 'data_root', 'train_dataloader', 'val_dataloader', 'test_dataloader',
    }  # fmt: skip
    for cfg in (cars, cub):
        task = cfg['model']['task']
        (task.get('head') or task).pop('num_classes')
    assert cars['model'] == cub['model']


@each_task_net
def test_losses_of_the_paper(net, data):
    protocol = NETS[net, data][0]
    model = build_model(load(f'{net}_edsr_x4_{data}'))
    first, second = model.scheme.phases
    assert (first.learn, first.pixel, first.tdp, first.task) == (('sr',), 1.0, 1.0, {})
    assert (second.learn, second.pixel, second.task) == (('task',), 0.0, dict(sr=0.34, hr=0.34, mix=0.34))
    assert (model.cqmix.grid, model.cqmix.prob) == (protocol['grid'], 0.5)
    assert (model.tdp.loss_weight, model.tdp.relative) == (1.0, False)
    assert list(model.tdp.layers.values()) == protocol['tdp']


def rate(t: int, base: float, eta: float, periods: list[int], warm_up: int, length: int) -> float:
    """The learning rate of iteration t with epochs of ``length`` iterations, as docs/protocol.md puts it."""
    if t < warm_up * length:
        return base * (1 / length + (1 - 1 / length) * t / length)
    t, start = t - warm_up * length, 0
    for period in periods:
        if t <= start + period * length:
            break
        start += period * length
    return eta + 0.5 * (base - eta) * (1 + math.cos(math.pi * (t - start) / (period * length)))


@pytest.mark.parametrize('entry', ['param_scheduler', 'baseline_scheduler'])
@pytest.mark.parametrize('net, data', [('deeplabv3', 'voc'), ('faster-rcnn', 'voc'), ('resnet18', 'cars')])
def test_learning_rates_of_every_iteration(net, data, entry):
    cfg, length = load(f'{net}_swinir_x8_{data}'), 4
    protocol = NETS[net, data][0]
    periods = protocol['restarts'] if entry == 'param_scheduler' else [protocol['epochs']]
    for part, eta in dict(sr=1e-6, task=1e-4).items():
        bases = (cfg.optim_wrapper[part].optimizer.lr, 0.2)  # the second is that of an auxiliary head
        optimizer = torch.optim.SGD([dict(params=[torch.zeros(1)], lr=lr) for lr in bases], lr=1)
        schedulers = [
            PARAM_SCHEDULERS.build(dict(s, optimizer=optimizer, epoch_length=length)) for s in cfg[entry][part]
        ]
        optimizer.step()
        for t in range(protocol['epochs'] * length):
            expected = [rate(t, lr, eta, periods, protocol['warm_up'], length) for lr in bases]
            assert [group['lr'] for group in optimizer.param_groups] == pytest.approx(expected, rel=1e-6), t
            for scheduler in schedulers:
                scheduler.step()


@each_task_net
def test_optimizers_of_the_paper(net, data):
    protocol = NETS[net, data][0]
    cfg = load(f'{net}_edsr_x8_{data}')
    model = build_model(cfg)
    optim_wrapper = built_wrappers(cfg, model)
    assert all(type(wrapper).__name__ == 'OptimWrapper' and not wrapper.clip_grad_kwargs
               for wrapper in optim_wrapper.values())  # fmt: skip
    sr, task = (optim_wrapper[name].optimizer for name in ('sr', 'task'))
    assert isinstance(sr, torch.optim.AdamW) and isinstance(task, torch.optim.SGD)
    assert {(g['lr'], g['betas'], g['eps'], g['weight_decay']) for g in sr.param_groups} == {
        (1e-4, (0.9, 0.999), 1e-8, 0)
    }
    decay = protocol['weight_decay']
    assert {(g['momentum'], g['weight_decay'], g['nesterov']) for g in task.param_groups} == {(0.9, decay, False)}
    lrs = {id(p): group['lr'] for group in task.param_groups for p in group['params']}
    auxiliary = [name for name, _ in model.task.named_parameters() if 'aux' in name]
    assert bool(auxiliary) == (protocol is SEG)
    for name, p in model.task.named_parameters():  # all of them, norms and biases too
        assert lrs[id(p)] == pytest.approx(0.2 if name in auxiliary else protocol['lr']), name


# ---- the nets


@pytest.mark.parametrize('net', ['resnet18', 'tv-resnet18'])
@pytest.mark.parametrize('scale', ['x4', 'x8'])
@pytest.mark.parametrize('kind', SR_NETS)
def test_sr_networks_and_their_weights(net, kind, scale):
    """Both in the paper's size. The weights are mmagic's of DIV2K, which has none for x8, or the public ones."""
    name = f'{net}_{kind}_{scale}_cars'
    sr = load(name).model.sr.to_dict()
    start = sr.pop('init_cfg')
    paper = net.startswith('tv-')
    if paper:
        assert start == dict(type='Pretrained', prefix='sr.', checkpoint=f'weights/{kind}_{scale}.pth')
    elif scale == 'x8':
        assert start == {}
    else:
        assert (start['type'], start['prefix']) == ('Pretrained', 'generator.')
        assert re.search(dict(edsr='/edsr_x4c64b16_.*_div2k_', swinir='/swinir_x4s48w8d6e180_.*_div2k')[kind],
                         start['checkpoint'])  # fmt: skip
    six = [6] * 6
    assert sr == dict(
        edsr=dict(type='mmagic.EDSRNet', in_channels=3, out_channels=3, mid_channels=64, num_blocks=16,
                  upscale_factor=int(scale[1]), **dict(rgb_std=[1 / 255] * 3) if paper else {}),
        swinir=dict(type='mmagic.SwinIRNet', upscale=int(scale[1]), in_chans=3, img_size=48, window_size=8,
                    img_range=1.0, depths=six, embed_dim=180, num_heads=six, mlp_ratio=2, upsampler='pixelshuffle',
                    resi_connection='1conv'),
    )[kind]  # fmt: skip


def task_of(name: str) -> torch.nn.Module:
    return build_model(load(name)).task


def test_deeplabv3():
    task = task_of('deeplabv3_edsr_x8_voc')
    heads = (task.decode_head, task.auxiliary_head)
    assert [head.loss_decode.loss_weight for head in heads] == [1.0, 0.5]
    assert [head.dropout_ratio for head in heads] == [0.5, 0.1]
    assert all(head.num_classes == 21 and head.ignore_index == 255 and not head.align_corners for head in heads)


def test_deeplabv3_of_the_paper():
    net = task_of('tv-deeplabv3_edsr_x8_voc').net
    heads = (net.classifier, net.aux_classifier)
    assert [head[-1].out_channels for head in heads] == [21, 21]
    assert [[m.p for m in head.modules() if isinstance(m, torch.nn.Dropout)] for head in heads] == [[0.5], [0.1]]
    assert [conv[0].dilation[0] for conv in net.classifier[0].convs[1:4]] == [12, 24, 36]


def test_faster_rcnn():
    assert task_of('faster-rcnn_edsr_x8_voc').roi_head.bbox_head.num_classes == 20


def test_faster_rcnn_of_the_paper():
    net = task_of('tv-faster-rcnn_edsr_x8_voc').net
    assert net.roi_heads.box_predictor.cls_score.out_features == 21
    assert (net.rpn.score_thresh, net.transform.min_size, net.transform.max_size) == (0.05, (800,), 1333)
    learning = [p.requires_grad for p in net.parameters()]
    assert (sum(learning), len(learning)) == (70, 100)


@pytest.mark.parametrize('data, classes', [('cars', 196), ('cub', 200)])
def test_resnet18(data, classes):
    for net in ('resnet18', 'tv-resnet18'):
        task = task_of(f'{net}_edsr_x8_{data}').eval()
        assert task(torch.zeros(1, 3, 32, 32)).shape == (1, classes)
        loss = task.head.loss_module
        assert (type(loss).__name__, loss.loss_weight) == ('CrossEntropyLoss', 1.0)


@each_task_net
def test_the_task_network_starts_from_imagenet_and_receives_its_rgb(net, data):
    """The loaders give BGR from 0 to 255."""
    sources = dict(re.findall(r"'(\w*init_cfg)':\s*{'type': 'Pretrained'[^}]*'checkpoint': '([^']+)'",
                              str(load(f'{net}_edsr_x4_{data}').model.task.to_dict())))  # fmt: skip
    expected = {
        'deeplabv3': 'open-mmlab://contrib/mobilenet_v3_large',
        'faster-rcnn': 'torchvision://resnet50',
        'resnet18': 'torchvision://resnet18',
        'tv-resnet18': 'torchvision://resnet18',
    }
    assert list(sources.values()) == [expected.get(net, 'torchvision://mobilenet_v3_large')]
    task = task_of(f'{net}_edsr_x4_{data}')
    image = torch.randint(0, 256, (3, 480, 480), dtype=torch.uint8)
    received = task.data_preprocessor(dict(inputs=[image]))['inputs']
    if net == 'tv-faster-rcnn':  # which normalizes in the net
        torch.testing.assert_close(received[0], image.flip(0) / 255)
        received = task.net.transform.normalize(received)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    torch.testing.assert_close(received[0], (image.flip(0) / 255 - mean) / std, rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    'name, shapes',
    [
        ('deeplabv3_edsr_x8_voc', [(960, 12, 12)]),  # mmseg's is dilated to stride 8
        ('tv-deeplabv3_edsr_x8_voc', [(960, 6, 6)]),
        ('faster-rcnn_edsr_x8_voc', [(256, 24, 24), (256, 12, 12)]),
        ('tv-faster-rcnn_edsr_x8_voc', [(256, 25, 25)] * 2),  # of 800 x 800
        ('resnet18_edsr_x8_cars', [(512, 3, 3)]),
        ('tv-resnet18_edsr_x8_cars', [(512, 3, 3)]),
    ],
)
def test_tdp_features(name, shapes):
    """The last stage after its activation; of a detector, the two finest levels."""
    model = build_model(load(name)).eval()
    activation = {'deeplabv3': torch.nn.Hardswish, 'resnet18': torch.nn.ReLU}.get(re.sub('^tv-|_.*', '', name))
    last = [m for m in model.task.backbone.modules() if isinstance(m, activation or ())]
    received = []
    for module in last:
        module.register_forward_hook(lambda net, args, output: received.append(output))
    with torch.no_grad():
        features = list(model.recorder(torch.rand(1, 3, 96, 96)).values())
    assert [feature.shape[1:] for feature in features] == shapes
    if activation:
        assert torch.equal(received[-1], features[0])


# ---- the data


@pytest.mark.parametrize('net, data', [key for key in NETS if key[0].startswith('tv-')])
def test_the_papers_nets_get_the_same_data(net, data):
    ours, zoo = load(f'{net}_edsr_x4_{data}'), load(f'{net.removeprefix("tv-")}_edsr_x4_{data}')
    for name in ('train_dataloader', 'test_dataloader', 'test_evaluator', 'default_scope'):
        assert ours[name] == zoo[name]


def datasets(name: str, root: Path) -> list:
    """Build the training and test data of a config in another folder."""
    cfg, built = load(name), []
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        built.append(DATASETS.build(dict(copy.deepcopy(loader.dataset), data_root=str(root))))
    return built


@pytest.mark.parametrize('name', ['deeplabv3_edsr_x8_voc', 'fpn-efficientnet-lite0_edsr-s_x4_voc-mini'])
def test_images_for_segmentation(name, tmp_path):
    """Crops for training; for testing, the task network predicts at the size of the image that it receives."""
    root = make_voc(tmp_path / 'voc', sizes=[(64, 96), (96, 64)])
    crop = (480, 480) if name in TABLE else (192, 192)
    train, test = datasets(name, root)
    preprocess = MODELS.build(load(name).model.task.data_preprocessor)
    assert len(train) == len(test) == 2
    for item in train:
        batch = preprocess(dict(inputs=[item['inputs']], data_samples=[item['data_samples']]), True)
        assert batch['inputs'].shape[-2:] == batch['data_samples'][0].gt_sem_seg.shape == crop
    sizes = [(520, 780), (780, 520)] if name in TABLE else [(64, 96), (96, 64)]
    for item, size in zip(test, sizes):
        sample = item['data_samples']
        assert item['inputs'].shape[-2:] == sample.gt_sem_seg.shape == size
        assert sample.ori_shape == sample.img_shape == size
        assert sample.img_path.endswith('.jpg')


def test_images_for_detection(tmp_path):
    """As they are, flipped half of the time; images without boxes stay."""
    root = make_voc_boxes(tmp_path, [((40, 60), [('dog', 1, 1, 20, 10)]), ((60, 40), [])])
    for dataset in datasets('faster-rcnn_edsr_x8_voc', root):
        assert [item['inputs'].shape[-2:] for item in dataset] == [(40, 60), (60, 40)]
        assert len(dataset.metainfo['classes']) == 20
    train = datasets('faster-rcnn_edsr_x8_voc', root)[0]
    boxes = [train[0]['data_samples'].gt_instances.bboxes.tensor.tolist() for _ in range(40)]
    assert 8 < boxes.count([[0, 0, 20, 10]]) < 32 and boxes.count([[40, 0, 60, 10]]) == 40 - boxes.count(
        [[0, 0, 20, 10]]
    )


def make_birds(root: Path) -> Path:
    """Write CUB-200-2011's files: three images, the second for testing."""
    (root / 'images').mkdir(parents=True)
    tables = dict(images='{i} {i}.png', image_class_labels='{i} {label}', train_test_split='{i} {train}')
    for name, line in tables.items():
        lines = [line.format(i=i, label=199 + (i == 2), train=int(i != 2)) for i in (1, 2, 3)]
        (root / f'{name}.txt').write_text('\n'.join(lines))
    return root


def make_cars(root: Path) -> Path:
    """Write a folder for each class of both splits."""
    for folder in ('train/a', 'train/b', 'val/a', 'val/b'):
        (root / folder).mkdir(parents=True)
    return root


@pytest.mark.parametrize(
    'data, make, files, labels',
    [
        ('cars', make_cars, ['train/a/1.png', 'train/b/3.png', 'val/b/2.png'], ([0, 1], [1])),
        ('cub', make_birds, ['images/1.png', 'images/3.png', 'images/2.png'], ([198, 198], [199])),
    ],
)
def test_images_for_classification(data, make, files, labels, tmp_path):
    """The test images equal, to the last bit, those of the paper's own transforms."""
    root = make(tmp_path)
    for file, size in zip(files, [(300, 400), (500, 260), (333, 257)]):
        cv2.imwrite(str(root / file), np.random.randint(0, 256, (*size, 3), np.uint8))
    train, test = datasets(f'resnet18_edsr_x8_{data}', root)
    for dataset, expected in zip((train, test), labels):
        assert [item['data_samples'].gt_label.item() for item in dataset] == expected
    assert {item['inputs'].shape for item in train} == {(3, 224, 224)}
    reference = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.PILToTensor()])
    assert torch.equal(test[0]['inputs'].flip(0), reference(Image.open(root / files[2])))
    crops = torch.stack([train[0]['inputs'] for _ in range(30)])
    resized = transforms.PILToTensor()(transforms.Resize(256)(Image.open(root / files[0]))).flip(0)
    assert len(crops.unique(dim=0)) > 20  # places and flips
    assert all(contains(resized, crop) or contains(resized, crop.flip(-1)) for crop in crops[:5])


def contains(image: torch.Tensor, crop: torch.Tensor) -> bool:
    views = image.unfold(1, 224, 1).unfold(2, 224, 1)  # 3 x rows x columns x 224 x 224
    rows, columns = ((views[..., 0, :8] == crop[:, None, None, 0, :8]).all(0).all(-1)).nonzero().unbind(1)
    return any(torch.equal(views[:, row, column], crop) for row, column in zip(rows, columns))
