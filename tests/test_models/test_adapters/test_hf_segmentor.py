"""Segmentors of transformers: what they compute is what transformers computes."""

import copy
import gzip
from pathlib import Path

import mmseg
import pytest
import torch
import transformers
from helpers.hf import SEGMENTORS, batch, build, cases, few_classes, train, write
from helpers.toy import EDSR
from helpers.zoo import batch_for, wrappers_for
from mmengine.registry import METRICS, VISUALIZERS, init_default_scope
from mmengine.structures import PixelData
from torch import nn
from transformers.convert_slow_tokenizer import bytes_to_unicode

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR, HFSegmentor
from sr4ir_mm.models.adapters import hf_files
from sr4ir_mm.models.adapters.hf_files import processor_for
from sr4ir_mm.models.adapters.hf_masks import MASK_NETS
from sr4ir_mm.models.feature_recorder import FeatureRecorder

FIRST = 'SegformerForSemanticSegmentation'
MASKS = 'Mask2FormerForUniversalSegmentation'
UPERNET = dict(architecture='UperNetForSemanticSegmentation')
TEXTS = 'OneFormerForUniversalSegmentation'
FIXED = 'EomtForUniversalSegmentation'


def made(name: str = FIRST, **options) -> nn.Module:
    return build('HFSegmentor', **(dict(architecture=name, config=SEGMENTORS[name]) | options))


def targets(net: nn.Module, labels: torch.Tensor) -> dict:
    """As a user of transformers gives them."""
    if net.config.model_type not in MASK_NETS:
        return dict(labels=labels)
    classes = [label.unique() for label in labels]
    classes = [found[found != 255] for found in classes]
    masks = [torch.stack([(label == c).float() for c in found]) for label, found in zip(labels, classes)]
    return dict(mask_labels=masks, class_labels=classes)


def task_inputs(net: nn.Module, count: int) -> dict:
    """What OneFormer's processor makes of the name of a task, with CLIP's tokenizer from the file that mmseg has."""
    if net.config.model_type != 'oneformer':
        return {}
    content = gzip.decompress((Path(mmseg.__file__).parent / 'utils/bpe_simple_vocab_16e6.txt.gz').read_bytes())
    merges = [tuple(line.split()) for line in content.decode().split('\n')[1 : 49152 - 256 - 2 + 1]]
    letters = list(bytes_to_unicode().values())
    words = [*letters, *(f'{letter}</w>' for letter in letters), *map(''.join, merges)]
    words += ['<|startoftext|>', '<|endoftext|>']
    tokenizer = transformers.CLIPTokenizer({word: i for i, word in enumerate(words)}, merges)
    processor = transformers.OneFormerProcessor(transformers.OneFormerImageProcessor(), tokenizer)
    image = torch.zeros(32, 32, 3, dtype=torch.uint8).numpy()
    return dict(task_inputs=processor([image] * count, ['semantic'] * count, return_tensors='pt')['task_inputs'])


def gradients(net: nn.Module, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    net.zero_grad()
    loss.backward()
    return {name: value.grad for name, value in net.named_parameters() if value.grad is not None}


@pytest.mark.parametrize('name', cases(SEGMENTORS, FIRST, MASKS, TEXTS, FIXED))
def test_loss_gradients_and_maps_are_those_of_transformers(name):
    task = made(name).train()
    bare = copy.deepcopy(task.net)
    data = batch(task, 'mmseg')
    labels = torch.cat([sample.gt_sem_seg.data for sample in data['data_samples']])
    labels[:, :5] = 255
    for sample, label in zip(data['data_samples'], labels):
        sample.gt_sem_seg.data = label[None]
    torch.manual_seed(1)
    losses = task(**data, mode='loss')
    torch.manual_seed(1)
    given = dict(pixel_values=data['inputs'], **task_inputs(bare, len(labels)))
    expected = bare(**given, **targets(bare, labels)).loss.sum()
    assert list(losses) == ['loss'] and torch.equal(losses['loss'], expected)
    mine, theirs = gradients(task.net, losses['loss']), gradients(bare, expected)
    assert mine.keys() == theirs.keys() and all(torch.equal(mine[key], theirs[key]) for key in mine)

    task.eval(), bare.eval()
    size = tuple(data['inputs'].shape[-2:])
    with torch.no_grad():
        samples = task(**data, mode='predict')
        outputs = bare(**given)
        raw = task(**data, mode='tensor')
    assert all(torch.equal(raw[key], value) for key, value in outputs.items() if isinstance(value, torch.Tensor))
    processor = processor_for(bare.config)
    if 'eomt' in bare.config.model_type:
        processor.size = dict(shortest_edge=size[0], longest_edge=None)
    maps = processor.post_process_semantic_segmentation(outputs, [size] * 2)
    assert all(torch.equal(sample.pred_sem_seg.data[0], found) for sample, found in zip(samples, maps))


@pytest.mark.parametrize('name', cases(SEGMENTORS, FIRST))
def test_training(name):
    model, logs, _ = train(made(name), 'mmseg')
    assert all(value.isfinite() for value in logs.values()) and logs['sr.loss_tdp'] > 0
    (path,) = model.recorder.paths().values()
    assert any(part in path for part in ('segformer', 'backbone', 'encoder', 'beit', 'layers.1'))


@torch.no_grad()
def test_the_layer_of_the_tdp_loss_is_the_same_in_a_training_and_in_a_test():
    """As S+T and T->S run it; EoMT without masks of its attention skips its upscale blocks between layers in a test."""
    task = made(FIXED)
    task.net.attn_mask_probs.zero_()
    recorder = FeatureRecorder(task, task.tdp_layers)
    images = torch.rand(2, 3, 64, 64)
    learned, tested = (next(iter(recorder.task.train(mode) and recorder(images).values())) for mode in (True, False))
    assert learned.shape == (2, 16, 4, 4) and torch.equal(learned, tested)


def test_a_frozen_network_has_losses_too():
    _, logs, _ = train(made(), 'mmseg', 'T->S')
    assert logs['task.sr.loss'].isfinite()


def test_mixed_precision_and_channels_last():
    """As mixed configs have them."""
    model = SR4IR(dict(EDSR), made(), scale=4, channels_last=True).train()
    wrappers = wrappers_for(model, type='sr4ir_mm.AnyDeviceAmpOptimWrapper', dtype='bfloat16')
    logs = model.train_step(few_classes(batch_for(dict(_scope_='mmseg'))), wrappers)
    assert all(value.isfinite() for value in logs.values())


def test_metric_and_visualizer_of_mmseg():
    init_default_scope('mmseg')
    task = made().eval()
    data = batch(task, 'mmseg', (50, 62), training=False)
    data['data_samples'][0].set_metainfo(dict(ori_shape=(25, 31)))
    with torch.no_grad():
        (sample,) = task(**data, mode='predict')
    assert sample.pred_sem_seg.data.shape == (1, 25, 31) and sample.seg_logits.data.shape == (5, 25, 31)
    sample.gt_sem_seg = PixelData(data=sample.gt_sem_seg.data[:, ::2, ::2])
    metric = METRICS.build(dict(type='mmseg.IoUMetric'))
    metric.dataset_meta = dict(classes=list('abcde'))
    metric.process({}, [sample.to_dict()])
    assert 'mIoU' in metric.evaluate(1)
    visualizer = VISUALIZERS.build(dict(type='mmseg.SegLocalVisualizer', name='seg', save_dir=None))
    visualizer.dataset_meta = dict(classes=list('abcde'), palette=[(0, 0, 0)] * 5)
    visualizer.add_datasample('x', torch.zeros(25, 31, 3).byte().numpy(), sample)


def test_windows_of_mmseg():
    task = made(test_cfg=dict(mode='slide', crop_size=(32, 32), stride=(32, 32))).eval()
    data = batch(task, 'mmseg', training=False)
    with torch.no_grad():
        logits = task(**data, mode='predict')[0].seg_logits.data
        expected = task.encode_decode(data['inputs'][..., 32:, :32])[0]
    assert torch.equal(logits[:, 32:, :32], expected)


def test_pixels_of_no_class_do_not_count():
    task = made().train()
    data = batch(task, 'mmseg')
    for sample in data['data_samples']:
        sample.gt_sem_seg.data[:] = 255
    loss = task(**data, mode='loss')['loss']
    loss.backward()
    assert loss == 0 and not any(value.grad.any() for value in task.parameters() if value.grad is not None)


def test_positions_are_resized_for_images_of_another_size():
    task = made('BeitForSemanticSegmentation').eval()
    assert task.encode_decode(torch.rand(1, 3, 48, 96)).shape == (1, 5, 48, 96)


@torch.no_grad()
@pytest.mark.parametrize(('name', 'padded'), [('BeitForSemanticSegmentation', 80), (MASKS, 96)])
def test_pixels_keep_their_places_where_patches_do_not_divide_an_image(name, padded):
    """mmseg pads in tests only if it is told to; without it, the map of fewer pixels would be stretched."""
    task = made(name).eval()
    data = batch_for(dict(_scope_='mmseg'), (70, 70))
    image = (data['inputs'][0].flip(0) - task.data_preprocessor.mean) / task.data_preprocessor.std
    sample = task(**task.data_preprocessor(data, False), mode='predict')[0]
    expected = task.encode_decode(nn.functional.pad(image, (0, padded - 70) * 2)[None])[0, :, :70, :70]
    torch.testing.assert_close(sample.seg_logits.data, expected)


@pytest.mark.parametrize('size', [(16, 64), (32, 64)])
def test_images_that_are_not_square_for_a_network_that_takes_patches_for_a_square(size):
    """DPT made 2 x 2 patches of 1 x 4 without a word, and named tensors for 2 x 4."""
    task = made('DPTForSemanticSegmentation')
    with pytest.raises(SR4IRError, match=r'DPT.* takes square images alone, not 64 x .* px: set Resize\(scale='):
        task(**batch(task, 'mmseg', size, size), mode='loss')


@torch.no_grad()
def test_windows_of_a_network_that_takes_images_of_one_size():
    task = made(FIXED).eval()
    assert task.data_preprocessor.size_divisor == 64
    data = batch_for(dict(_scope_='mmseg'), (50, 100))
    image = (data['inputs'][0].flip(0) - task.data_preprocessor.mean) / task.data_preprocessor.std
    sample = task(**task.data_preprocessor(data, False), mode='predict')[0]
    image = nn.functional.pad(image, (0, 0, 0, 14))[None]
    found = sample.seg_logits.data
    torch.testing.assert_close(found[..., :36], task.encode_decode(image[..., :64])[0, :, :50, :36])
    torch.testing.assert_close(found[..., 64:], task.encode_decode(image[..., 36:])[0, :, :50, 28:])
    with pytest.raises(SR4IRError, match=r'images of 64 x 64 px alone, not 128 x 64 px: set crops of this size'):
        task.encode_decode(torch.rand(1, 3, 64, 128))


@pytest.mark.skipif(TEXTS not in SEGMENTORS, reason='refused')
def test_names_of_classes_are_not_downloaded(tmp_path):
    """Which the processor of OneFormer does, although the normalization alone is read."""
    write(tmp_path / 'net', TEXTS, SEGMENTORS[TEXTS])
    assert 'class_info_file' in (tmp_path / 'net/preprocessor_config.json').read_text()
    assert HFSegmentor(pretrained=str(tmp_path / 'net')).data_preprocessor.mean.numel() == 3


@pytest.mark.skipif(TEXTS not in SEGMENTORS, reason='refused')
def test_texts_are_not_learned():
    with pytest.raises(SR4IRError, match=r'also learns texts.*is_training=False'):
        made(TEXTS, config=dict(SEGMENTORS[TEXTS], is_training=True))


def test_a_release_in_which_a_network_has_no_loss_without_texts(monkeypatch):
    monkeypatch.setattr(hf_files, 'version', lambda name: '5.22.0')
    with pytest.raises(SR4IRError, match=r'OneFormer.* needs a later release of transformers than 5.22.0'):
        build('HFSegmentor', TEXTS, {})


def test_sizes_that_patches_do_not_divide_are_refused(tmp_path):
    name = 'BeitForSemanticSegmentation'
    write(tmp_path / 'net', name, SEGMENTORS[name])
    for given in (dict(size=(64, 70)), dict(test_cfg=dict(size=(64, 70))), dict(size=(64, 70), mean=[0], std=[1])):
        with pytest.raises(SR4IRError, match=r'leave out the border of 70 x 64 px.*size_divisor=16'):
            HFSegmentor(pretrained=str(tmp_path / 'net'), data_preprocessor=given)
    with pytest.raises(SR4IRError, match='BeitForSemanticSegmentation would leave out'):  # of windows, too
        made(name).encode_decode(torch.rand(1, 3, 64, 70))
    found = HFSegmentor.resolve(dict(pretrained=str(tmp_path / 'net'), data_preprocessor=dict(size=(64, 96))))
    assert found['data_preprocessor']['test_cfg'] == dict(size_divisor=16)


def test_names_of_classes_next_to_a_folder(tmp_path):
    write(tmp_path / 'net', FIRST, SEGMENTORS[FIRST])
    task = HFSegmentor(pretrained=str(tmp_path / 'net'), class_names=['sea', 'sky', 'sand'])
    assert task.num_classes == 3 and task.class_names == ['sea', 'sky', 'sand']
    assert HFSegmentor(pretrained=str(tmp_path / 'net'), class_names=list('abcde')).class_names == list('abcde')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(num_classes=1), 'num_classes=1'),
        (dict(num_classes=None), 'needs num_classes'),
        (dict(architecture='SegformerForImageClassification'), "no network 'SegformerForImageClassification' for this"),
        (dict(config=dict(depth=[1])), "SegformerConfig has no entry 'depth'"),
        (dict(config=dict(hidden_sizes='wide')), r'SegformerForSemanticSegmentation cannot be built .*hidden_sizes'),
        (dict(pretrained='x'), 'give one of them'),
        (UPERNET | dict(config=dict(backbone_config=dict(depths=[1]))), 'needs a model_type .*not None'),
        (UPERNET | dict(config=dict(backbone_config=dict(model_type='swan'))), "needs a model_type .*not 'swan'"),
        (
            dict(architecture=MASKS, config=dict(backbone_config=dict(model_type='swin', drop_rate=0.3))),
            "SwinConfig has no entry 'drop_rate': correct the config, backbone_config",
        ),
    ],
)
def test_mistakes(options, message):
    with pytest.raises(SR4IRError, match=message):
        made(**options)
