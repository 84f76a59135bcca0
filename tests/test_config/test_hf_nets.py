"""Networks of transformers in configs: folders, the command line, and what a run holds of them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from helpers.hf import CLASSIFIERS, DETECTORS, SEGMENTORS, write
from mmengine.config import Config
from mmseg.models import SegDataPreProcessor

from sr4ir_mm import mix, models
from sr4ir_mm.config import load_config
from sr4ir_mm.config.building import build_model
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import HFSegmentor
from sr4ir_mm.models.adapters import hf_nets
from sr4ir_mm.models.adapters.hf_images import normalization_of
from sr4ir_mm.registry import MODELS

NAME = 'SegformerForSemanticSegmentation'
SWIN = CLASSIFIERS['SwinForImageClassification']
NAMES = ['sky', 'sea', 'sand', 'ship', 'sun']
ZOO = 'mmseg::fcn/fcn_r18-d8_4xb2-80k_cityscapes-512x1024.py'


@pytest.fixture
def folder(tmp_path) -> Path:
    write(tmp_path / 'segformer', NAME, SEGMENTORS[NAME], NAMES)
    return tmp_path / 'segformer'


@pytest.fixture
def lines(monkeypatch) -> list[str]:
    """The lines that are logged about a network."""
    found = []
    monkeypatch.setattr(hf_nets, 'print_log', lambda text, *args: found.append(text))
    return found


def weights(path: Path, name: str = NAME) -> dict[str, torch.Tensor]:
    """What transformers reads, which renames the weights of earlier releases."""
    return getattr(transformers, name).from_pretrained(path).state_dict()


def config(tmp_path: Path, task: str) -> Config:
    text = f"model = dict(type='sr4ir_mm.SR4IR', scale=4, scheme='H->T', sr=None, task={task})\n"
    (tmp_path / 'mine.py').write_text(f"default_scope = 'mmseg'\n{text}")
    return load_config(tmp_path / 'mine.py')


def test_a_config_holds_what_the_folder_says(folder, tmp_path):
    cfg = config(tmp_path, f"dict(type='sr4ir_mm.HFSegmentor', pretrained={str(folder)!r})")
    task = cfg.model.task
    assert task.architecture == NAME and 'pretrained' not in task and task.class_names == NAMES
    assert task.data_preprocessor.mean == [123.675, 116.28, 103.53] and task.data_preprocessor.bgr_to_rgb
    stored = Config.fromstring(cfg.pretty_text, '.py')
    model = build_model(cfg)
    model.init_weights()
    expected = weights(folder)
    found = model.task.net.state_dict()
    assert found.keys() == expected.keys() and all(torch.equal(found[key], expected[key]) for key in found)
    assert HFSegmentor(pretrained=str(folder)).class_names == NAMES  # without a config, too

    shutil.rmtree(folder)  # a checkpoint of a run, and its config, are enough
    torch.save(
        dict(state_dict={key: value + 1 for key, value in model.state_dict().items()}, meta={}), tmp_path / 'x.pth'
    )
    again = build_model(stored, str(tmp_path / 'x.pth'))
    assert all(torch.equal(again.task.net.state_dict()[key], value + 1) for key, value in expected.items())
    assert again.task.net.config.id2label == dict(enumerate(NAMES))


def test_entries_next_to_a_folder_change_those_of_the_folder(folder, tmp_path):
    """All others stay the folder's: the defaults may have the same sizes, and compute something else."""
    change(folder, hidden_act='relu', layer_norm_eps=0.1)
    task = f"dict(type='sr4ir_mm.HFSegmentor', pretrained={str(folder)!r}, config=dict(drop_path_rate=0.3))"
    direct = HFSegmentor(pretrained=str(folder), config=dict(drop_path_rate=0.3))
    for found in (build_model(config(tmp_path, task)).task.net.config, direct.net.config):
        assert (found.hidden_act, found.layer_norm_eps, found.depths) == ('relu', 0.1, [1] * 4)
        assert found.drop_path_rate == 0.3
    with pytest.raises(SR4IRError, match="has no entry 'drop_rate': correct the config"):
        HFSegmentor(pretrained=str(folder), config=dict(drop_rate=0.3))
    with pytest.raises(SR4IRError, match='takes an architecture with its config, or pretrained: give one of them'):
        config(tmp_path, f"dict(type='sr4ir_mm.HFSegmentor', pretrained={str(folder)!r}, architecture={NAME!r})")


def nested(tmp_path: Path, kind: str, name: str, part: str, changes: dict) -> tuple[dict, dict]:
    """The part of a folder's config, and that of the adapter's network with changes to it."""
    net = write(tmp_path / 'net', name, (SEGMENTORS | DETECTORS)[name])
    task = getattr(models, kind)(pretrained=str(tmp_path / 'net'), config={part: changes})
    return getattr(net.config, part).to_dict(), getattr(task.net.config, part).to_dict()


@pytest.mark.parametrize('with_type', [False, True])
@pytest.mark.parametrize(
    ('kind', 'name', 'part', 'changes'),
    [
        ('HFSegmentor', 'UperNetForSemanticSegmentation', 'backbone_config', dict(drop_path_rate=0.3)),
        ('HFSegmentor', 'MaskFormerForInstanceSegmentation', 'decoder_config', dict(dropout=0.3)),
        ('HFDetector', 'RTDetrV2ForObjectDetection', 'backbone_config', dict(hidden_act='gelu')),
        ('HFDetector', 'DetrForObjectDetection', 'backbone_config', dict(hidden_act='gelu')),
    ],
)
def test_entries_of_a_part_next_to_a_folder(kind, name, part, changes, with_type, tmp_path):
    """A network in the network keeps its other entries, with its ``model_type`` or without."""
    kept = dict(model_type=(SEGMENTORS | DETECTORS)[name][part]['model_type']) if with_type else {}
    before, after = nested(tmp_path, kind, name, part, changes | kept)
    assert all(before[key] != value for key, value in changes.items()) and after == before | changes


def test_entries_of_earlier_releases_in_a_part_of_a_folder(tmp_path):
    """Files of the hub have them; a config of a run does not, where an entry without effect is an error."""
    name, part = 'UperNetForSemanticSegmentation', 'backbone_config'
    net, file = write(tmp_path, name, SEGMENTORS[name]), tmp_path / 'config.json'
    entries = json.loads(file.read_text())
    entries[part] |= dict(pruned_heads={}, torchscript=False, drop_path_rate=0.3)
    file.write_text(json.dumps(entries))
    task = HFSegmentor.resolve(dict(pretrained=str(tmp_path)))
    assert not {'pruned_heads', 'torchscript'} & set(task['config'][part])
    found = HFSegmentor(**{**task, 'init_cfg': None}).net.config.backbone_config.to_dict()
    assert found == net.config.backbone_config.to_dict() | dict(drop_path_rate=0.3)


def test_another_network_as_a_part_next_to_a_folder(tmp_path):
    """It takes nothing of the first one; stages by their numbers replace those by their names."""
    where = 'HFSegmentor', 'UperNetForSemanticSegmentation', 'backbone_config'
    with pytest.raises(SR4IRError, match="SwinConfig has no entry 'drop_rate': correct the config, backbone_config"):
        nested(tmp_path, *where, dict(drop_rate=0.3))
    swin, changed = nested(tmp_path, *where, dict(out_indices=[2, 3, 4]))
    assert changed['out_features'] == ['stage2', 'stage3', 'stage4'] != swin['out_features']
    other = dict(DETECTORS['DetrForObjectDetection'][where[2]], out_features=swin['out_features'])
    _, after = nested(tmp_path, *where, other)
    assert after == transformers.ResNetConfig(**other).to_dict()


def test_other_classes_replace_the_head_and_say_so(folder, tmp_path, lines):
    cfg = config(tmp_path, f"dict(type='sr4ir_mm.HFSegmentor', pretrained={str(folder)!r}, num_classes=7)")
    assert 'is for 5 classes, and the task network has 7' in lines[0]
    assert 'class_names' not in cfg.model.task
    model = build_model(cfg)
    before = model.task.net.decode_head.classifier.weight.clone()
    model.init_weights()
    expected, found = weights(folder), model.task.net.state_dict()
    assert found['decode_head.classifier.weight'].shape[0] == 7
    assert torch.equal(found['decode_head.classifier.weight'], before)
    other = [key for key in expected if 'decode_head.classifier' not in key]
    assert all(torch.equal(found[key], expected[key]) for key in other)
    assert 'has no head that fits: 2 weights start from random values, for 7 classes' in lines[1]


def test_the_encoder_of_a_classifier(tmp_path, lines):
    """As in nvidia/mit-b0: the weights of ImageNet, and no decoder."""
    sizes = {key: value for key, value in SEGMENTORS[NAME].items() if key != 'decoder_hidden_size'}
    write(tmp_path / 'mit', 'SegformerForImageClassification', sizes)
    task = HFSegmentor(pretrained=str(tmp_path / 'mit'), num_classes=3)
    task.init_weights()
    expected, found = weights(tmp_path / 'mit', 'SegformerForImageClassification'), task.net.state_dict()
    assert all(torch.equal(found[key], value) for key, value in expected.items() if not key.startswith('classifier'))
    assert 'has no head that fits' in lines[1]


def test_weights_of_another_depth_are_refused(folder, tmp_path):
    deep = dict(SEGMENTORS[NAME], depths=[2, 2, 2, 2])
    init = dict(type='Pretrained', checkpoint=str(folder / 'model.safetensors'))
    task = dict(type='sr4ir_mm.HFSegmentor', architecture=NAME, config=deep, num_classes=5, init_cfg=init)
    model = MODELS.build(dict(type='sr4ir_mm.SR4IR', sr=None, task=task, scale=4, scheme='H->T'))
    with pytest.raises(SR4IRError, match='does not fit the task network'):
        model.init_weights()


def test_a_mix_with_the_data_of_a_zoo(folder):
    cfg = mix(ZOO, network=str(folder))
    assert cfg.model.task.type == 'sr4ir_mm.HFSegmentor' and cfg.model.task.num_classes == 19
    preprocessor = cfg.model.task.data_preprocessor
    assert preprocessor.size == (512, 1024) and 'size_divisor' not in preprocessor  # the crop of the data
    assert preprocessor.mean == [123.675, 116.28, 103.53]
    assert Path(cfg.filename).stem == 'fcn_r18-d8_4xb2-80k_cityscapes-512x1024_segformer_edsr_x4'
    build_model(cfg)


@pytest.mark.parametrize(
    ('data', 'classes'),
    [
        ("type='PascalVOCDataset'", 21),
        ("type='mmseg.PascalVOCDataset', metainfo=dict(classes=('sea', 'ship'))", 2),
        ("type='RepeatDataset', times=2, dataset=dict(type='CityscapesDataset')", 19),
        ("type='BaseSegDataset', metainfo=dict(classes='{folder}/classes.txt')", 3),
    ],
)
def test_data_without_a_model(data, classes, folder, tmp_path):
    """Its classes are those that the data set has, and nothing of another network is left."""
    (tmp_path / 'classes.txt').write_text('sea\nsky\nsand\n')
    cfg = mix(str(data_config(tmp_path, data.format(folder=tmp_path))), network=str(folder))
    assert cfg.model.task.num_classes == classes and '_delete_' not in cfg.model
    assert build_model(cfg).task.net.decode_head.classifier.out_channels == classes


@pytest.mark.parametrize(
    ('data', 'message'),
    [
        ("type='BaseSegDataset'", 'does not say how many classes its data have: name them, train_dataloader'),
        ("type='CityscapeDataset'", "'CityscapeDataset' is not a data set of mmseg: correct the name"),
        ("type='BaseSegDataset', metainfo=dict(classes='gone.txt')", "classes='gone.txt' of .* is no file that can be"),
    ],
)
def test_data_without_a_number_of_classes(data, message, folder, tmp_path):
    with pytest.raises(SR4IRError, match=message):
        mix(str(data_config(tmp_path, data)), network=str(folder))


def data_config(tmp_path: Path, dataset: str) -> Path:
    (tmp_path / 'data.py').write_text(
        f"default_scope = 'mmseg'\ntrain_dataloader = dict(batch_size=2, dataset=dict({dataset}))\n"
        "optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=1e-4))\n"
        'train_cfg = dict(by_epoch=True, max_epochs=1)\n'
    )
    return tmp_path / 'data.py'


def test_normalization_is_that_of_the_folder(tmp_path):
    """Not that of the config whose data are used; MobileViT takes BGR in [0, 1]."""
    small = dict(hidden_sizes=[8, 8, 16], neck_hidden_sizes=[8, 8, 8, 8, 8, 8, 8], num_attention_heads=2)
    write(tmp_path / 'vit', 'MobileViTForSemanticSegmentation', small)
    preprocessor = mix(ZOO, network=str(tmp_path / 'vit')).model.task.data_preprocessor
    assert preprocessor.mean == [0.0] * 3 and preprocessor.std == [255.0] * 3 and not preprocessor.bgr_to_rgb


@pytest.mark.parametrize(
    'name',
    ['SegformerImageProcessor', 'ViTImageProcessor', 'CLIPImageProcessor', 'MobileViTImageProcessor',
     'RTDetrImageProcessor', 'EfficientNetImageProcessor'],
)  # fmt: skip
def test_images_are_what_the_image_processor_makes(name):
    """Channel order, range, mean and deviation; EfficientNet's processor divides twice."""
    processor = getattr(transformers, name)()
    found = normalization_of(processor)
    preprocessor = SegDataPreProcessor(found['mean'], found['std'], bgr_to_rgb=found['rgb'], size_divisor=1)
    size = dict(height=32, width=32)
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    expected = processor(images=image, size=size, crop_size=size, do_center_crop=False, return_tensors='pt')
    bgr = torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)
    mine = preprocessor(dict(inputs=[bgr], data_samples=None))['inputs']
    torch.testing.assert_close(mine, expected['pixel_values'], atol=2e-5, rtol=0)


SIZES = dict(do_resize=False, do_pad=True, pad_size=dict(height=200, width=200))  # the center is padding


@pytest.mark.parametrize(
    ('name', 'entries'),
    [
        ('ViTImageProcessor', dict(do_rescale=False)),
        ('ViTImageProcessor', dict(rescale_factor=1 / 127.5)),
        ('ViTImageProcessor', dict(do_normalize=False)),
        ('ViTImageProcessor', dict(image_mean=0.4, image_std=0.2)),
        ('ViTImageProcessor', dict(image_mean=[0.4], image_std=[0.2])),
        ('ViTImageProcessor', SIZES),
        ('RTDetrImageProcessor', dict(SIZES, do_normalize=True)),
        ('DetrImageProcessor', dict(size=dict(shortest_edge=48))),  # which transformers cannot resize to
        ('MobileViTImageProcessor', dict(do_flip_channel_order=False)),
    ],
)
def test_entries_of_image_processors(name, entries):
    """The colors that transformers makes of an image of this size, whatever it does to sizes."""
    processor = getattr(transformers, name)(**entries)
    found = normalization_of(processor)
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    steps = {step: False for step in ('do_resize', 'do_pad', 'do_center_crop') if hasattr(processor, step)}
    expected = processor(images=image, return_tensors='pt', **steps)['pixel_values'][0].movedim(0, -1)
    mean, std = (torch.tensor(found[key]) for key in ('mean', 'std'))
    pixels = torch.from_numpy(image if found['rgb'] else image[..., ::-1].copy())
    torch.testing.assert_close((pixels - mean) / std, expected, atol=2e-5, rtol=0)


class Gray(transformers.ViTImageProcessor):
    """An image processor that mixes the channels."""

    def __call__(self, images: np.ndarray, **options) -> dict:
        return super().__call__(images.mean(-1, keepdims=True).repeat(3, -1).astype(np.uint8), **options)


@pytest.mark.parametrize('processor', [Gray(), transformers.ViTImageProcessor(image_std=-1.0)])
def test_image_processors_that_do_not_normalize_channels(processor):
    with pytest.raises(SR4IRError, match='does not normalize each channel by a mean and a deviation: black becomes'):
        normalization_of(processor)


@pytest.mark.slow
@pytest.mark.parametrize('kind, name', [
    (kind, name) for kind, names in dict(HFSegmentor=SEGMENTORS, HFDetector=DETECTORS).items() for name in names
])  # fmt: skip
def test_networks_come_back_from_their_folder(kind, name, tmp_path):
    """With the nested configs of their backbones."""
    write(tmp_path / 'net', name, (SEGMENTORS | DETECTORS)[name])
    node = getattr(models, kind).resolve(dict(pretrained=str(tmp_path / 'net')))
    task = MODELS.build(
        Config.fromstring(Config(dict(task=dict(node, type=f'sr4ir_mm.{kind}'))).pretty_text, '.py').task
    )
    task.init_weights()
    expected, found = weights(tmp_path / 'net', name), task.net.state_dict()
    assert found.keys() == expected.keys() and all(torch.equal(found[key], expected[key]) for key in found)


def bad(folder: Path, file: str, text: str | None) -> None:
    (folder / file).unlink() if text is None else (folder / file).write_text(text)


@pytest.mark.parametrize(
    ('file', 'text', 'message'),
    [
        ('preprocessor_config.json', None, 'preprocessor_config.json, which says how images are normalized is missing'),
        ('config.json', '{"model_type": ', r'config.json is damaged'),
        (
            'config.json',
            '{"model_type": "segformer", "num_labels": "a"}',
            r'config.json is damaged \(\w+Error.*Correct it',
        ),
        (
            'config.json',
            '{"model_type": "segformer", "use_return_dict": true}',
            r'is damaged \(AttributeError: .*Correct it',
        ),
        ('config.json', '{"model_type": "owlvit"}', r'images and texts \(owlvit\)'),
        ('config.json', '{"model_type": "depth_pro"}', 'transformers has no network of this task: choose one of beit'),
        ('config.json', '{"model_type": "new"}', r"segformer' needs a later release of transformers than [\d.]+: pip"),
        ('model.safetensors', None, 'neither model.safetensors nor pytorch_model.bin'),
        ('preprocessor_config.json', '{', 'is damaged .* Correct it, or set mean, std and the channel order of model.'),
        ('preprocessor_config.json', '{"image_processor_type": "Mine"}', 'is damaged .* or set mean, std and the chan'),
        ('preprocessor_config.json', '{"image_mean": [0.5, 0.5]}', r'is damaged \(RuntimeError: .* or set mean, std'),
        ('preprocessor_config.json', '{"rescale_factor": 0}', r'is damaged \(ZeroDivisionError: .* or set mean, std'),
        (
            'adapter_config.json',
            '{"peft_type": "LORA"}',
            r'has an adapter of PEFT .*, whose weights are not read: merge',
        ),
    ],
)
def test_folders_that_cannot_be_used(folder, file, text, message):
    bad(folder, file, text)
    with pytest.raises(SR4IRError, match=message):
        HFSegmentor(pretrained=str(folder))


def change(folder: Path, **entries) -> None:
    path = folder / 'config.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


@pytest.mark.parametrize('kind', [HFSegmentor, models.HFBackbone])
def test_quantized_weights_are_refused(kind, folder, tmp_path):
    """Their integers would be read as weights; a backbone reads no scales."""
    if kind is not HFSegmentor:
        write(folder := tmp_path / 'dino', 'Dinov2ForImageClassification', CLASSIFIERS['Dinov2ForImageClassification'])
    change(folder, quantization_config=dict(quant_method='bitsandbytes', load_in_8bit=True))
    with pytest.raises(
        SR4IRError, match=r'has quantized weights .*, which cannot be trained: name a folder with those'
    ):
        kind(pretrained=str(folder))


@pytest.mark.parametrize(('numbers', 'wrong'), [((1, 2, 3, 4, 5), 1), ((0, 1, 2, 4, 7), 4)])
def test_numbers_of_classes_that_are_not_those_of_the_outputs(numbers, wrong, folder):
    """The names would be those of other outputs; a new head needs none of them."""
    change(folder, id2label=dict(zip(map(str, numbers), NAMES)), label2id=dict(zip(NAMES, numbers)))
    with pytest.raises(SR4IRError, match=rf'5 classes, but id2label .* has the number {wrong}, .* from 0 to 4 there'):
        HFSegmentor(pretrained=str(folder))
    assert HFSegmentor(pretrained=str(folder), num_classes=3).class_names is None
    assert HFSegmentor(pretrained=str(folder), class_names=NAMES[::-1]).class_names == NAMES[::-1]


class Code:
    def __reduce__(self):
        return exec, ('raise SystemExit("it ran")',)


def test_weights_of_pytorch_are_read_as_data(folder):
    expected = weights(folder)
    (folder / 'model.safetensors').unlink()
    torch.save(expected, folder / 'pytorch_model.bin')
    task = HFSegmentor(pretrained=str(folder))
    task.init_weights()
    assert all(torch.equal(task.net.state_dict()[key], value) for key, value in expected.items())
    torch.save(dict(expected, code=Code()), folder / 'pytorch_model.bin')
    with pytest.raises(SR4IRError, match=r"pytorch_model\.bin' is not a file of weights"):
        HFSegmentor(pretrained=str(folder)).init_weights()


def test_no_file_runs_code(folder):
    content = json.loads((folder / 'config.json').read_text())
    content |= dict(model_type='mine', auto_map=dict(AutoConfig='code.Config'))
    (folder / 'config.json').write_text(json.dumps(content))
    (folder / 'code.py').write_text('raise SystemExit("it ran")')
    with pytest.raises(SR4IRError, match=r'config\.json is damaged'):
        HFSegmentor(pretrained=str(folder))


@pytest.mark.parametrize('kind', [HFSegmentor, models.HFBackbone])
@pytest.mark.parametrize('name', ['empty', 'run', 'run/iter_2.pth'])
def test_files_and_folders_of_other_kinds(kind, name, tmp_path):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run/iter_2.pth').write_bytes(b'')
    with pytest.raises(SR4IRError, match=rf"{name}': config.json is missing. Name a folder that save_pr") as error:
        kind(pretrained=str(tmp_path / name))
    assert ("prefix='task.'), or prefix='task.backbone.'" in str(error.value)) == (name != 'empty')


@pytest.mark.parametrize(
    ('kind', 'prefix', 'options'),
    [('HFSegmentor', 'task.', dict(num_classes=7)), ('HFBackbone', 'task.backbone.', dict(out_indices=[1, 4]))],
)
def test_weights_of_a_training_next_to_a_folder(kind, prefix, options, tmp_path, lines):
    """As that message says; then nothing starts from random values."""
    table = dict(HFSegmentor=(NAME, SEGMENTORS[NAME]), HFBackbone=('SwinForImageClassification', SWIN))
    write(tmp_path / 'net', *table[kind])
    node = dict(type=f'sr4ir_mm.{kind}', pretrained=str(tmp_path / 'net'), **options)
    expected = {key: value + 1 for key, value in MODELS.build(node).state_dict().items()}
    lines.clear()
    torch.save(dict(state_dict={prefix + key: value for key, value in expected.items()}), tmp_path / 'iter_2.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'iter_2.pth'), prefix=prefix)
    net = MODELS.build(dict(node, init_cfg=init_cfg))
    net.init_weights()
    assert all(torch.equal(value, expected[key]) for key, value in net.state_dict().items()) and not lines


def test_a_name_without_network(monkeypatch):
    def fails(*args, **kwargs):
        raise OSError("We couldn't connect to the hub")

    monkeypatch.setattr(transformers.AutoConfig, 'from_pretrained', fails)
    asked = []
    monkeypatch.setattr(transformers.utils.hub, 'cached_file', lambda *args, **kwargs: asked.append(args))
    with pytest.raises(SR4IRError, match=r"'nvidia/x' is no folder here, .* gives no config.json.*connect to the net"):
        HFSegmentor(pretrained='nvidia/x')
    assert not asked  # each question to a hub that does not answer takes half a minute


def test_a_normalization_of_ones_own_needs_no_processor(folder):
    (folder / 'preprocessor_config.json').unlink()
    task = HFSegmentor(
        pretrained=str(folder),
        data_preprocessor=dict(type='mmseg.SegDataPreProcessor', mean=[0.0] * 3, std=[255.0] * 3),
    )
    assert not task.data_preprocessor.channel_conversion
