"""What users give to the inferencer: options, images in memory, and several threads."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import BaseDataElement
from PIL import Image
from test_inferencer import config, picture

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.images import list_images, read_image
from sr4ir_mm.inference.inferencer import SR4IRInferencer


def make(cfg: Config) -> SR4IRInferencer:
    return SR4IRInferencer(cfg, 'random', 'cpu', show_progress=False)


@pytest.fixture(scope='module')
def inferencer() -> SR4IRInferencer:
    torch.manual_seed(0)
    return make(config('segformer'))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(coords='hr'), "coords='hr' must be 'lr', the LR image, or 'sr', the SR image"),
        (dict(coord='sr'), "Unknown option 'coord'; the visualizer has: .*"),
        (dict(return_vis=True, pred_score_th=0.5), "Unknown option 'pred_score_th'"),
        (dict(draw_gt=True), "Unknown option 'draw_gt'"),
        (dict(batch_size=0), 'batch_size=0 must be a whole number, 1 or more'),
        (dict(show=True), 'No window can be shown, as there is no display: leave out show'),
    ],
    ids=str,
)
def test_wrong_options(options, message, inferencer, monkeypatch):
    monkeypatch.setattr('matplotlib.pyplot.get_backend', lambda: 'agg')
    with pytest.raises(SR4IRError, match=message):
        inferencer(picture(20, 30), **options)


def test_options_of_each_visualizer():
    for name, option in (('retinanet', 'pred_score_thr'), ('resnet18', 'resize'), ('segformer', 'with_labels')):
        assert make(config(name))(picture(20, 30), return_vis=True, **{option: None if name == 'resnet18' else 0})


def rgb(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)


FORMS: dict[str, Callable] = {
    'Pillow': lambda image, path: Image.fromarray(image[..., ::-1]),
    'Pillow, RGBA': lambda image, path: Image.fromarray(image[..., ::-1]).convert('RGBA'),
    'Pillow, file': lambda image, path: Image.open(path),
    'tensor of bytes': lambda image, path: rgb(image),
    'tensor of floats': lambda image, path: rgb(image).float() / 255,
    'batch': lambda image, path: rgb(image)[None],
    'generator': lambda image, path: (image for _ in range(1)),
    'mapped': lambda image, path: map(Path, [path]),
    'path': lambda image, path: path,
    'address': lambda image, path: f'file://{path}',
    'address of localhost': lambda image, path: f'file://localhost{path}',
    'nested': lambda image, path: [(image,)],
}


NAMES = [(form, name) for form in ('path', 'address') for name in ('a#b.png', 'a[1].png', 'a b.png', '100%.png')]


@pytest.mark.parametrize(('form', 'name'), [*((form, 'a?.png') for form in FORMS), *NAMES])
def test_forms_of_images(form, name, tmp_path):
    image = picture(8, 12)
    path = tmp_path / name
    path.write_bytes(cv2.imencode('.png', image)[1].tobytes())
    (found,) = list_images(FORMS[form](image, path))
    assert np.array_equal(read_image(found), image)


def test_gray_images_of_pillow_and_of_16_bits():
    gray = np.full((8, 12), 200, np.uint8)
    for image in (Image.fromarray(gray), Image.fromarray(gray.astype(np.uint16) * 257), torch.from_numpy(gray)[None]):
        (found,) = list_images(image)
        assert np.array_equal(read_image(found), np.repeat(gray[..., None], 3, 2))


@pytest.mark.parametrize(
    ('image', 'message'),
    [
        (torch.zeros(8, 12), r'A tensor is torch.float32 of shape \(8, 12\), but an image is 3 x h x w'),
        (torch.zeros(8, 12, 3), r'of shape \(8, 12, 3\)'),
        (torch.zeros(3, 8, 12, dtype=torch.int64), 'A tensor is torch.int64'),
        (torch.full((3, 8, 12), 255.0), 'A tensor of floats has values of 255 to 255, but an image has 0 to 1: divide'),
        (torch.full((3, 8, 12), torch.nan), 'has values of nan to nan'),
        ({'img': 1}, 'or numbers of cameras, not dict'),
        (b'a.png', 'not bytes'),
        (None, 'not NoneType'),
    ],
)
def test_what_is_no_image(image, message):
    with pytest.raises(SR4IRError, match=message):
        list_images(image)


def test_the_same_missing_image_twice(inferencer):
    """It ended as if all were well: two images, one name."""
    with pytest.raises(SR4IRError, match=r"image 'no\.png' cannot be read"):
        inferencer(['no.png', 'no.png'])
    assert len(inferencer(['no.png', picture(8, 8), 'no.png'])['predictions']) == 1


def test_threads_take_turns(inferencer):
    """They mixed their pictures, and raised errors in MMEngine's scope."""
    images = [picture(20, 30, seed) for seed in range(4)]
    alone = [inferencer(image, return_vis=True)['visualization'][0] for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: inferencer(image, return_vis=True)['visualization'][0], images * 2))
    assert all(np.array_equal(one, other) for one, other in zip(alone * 2, together))
    assert not np.array_equal(alone[0], alone[1])


def test_two_are_constructed_at_once():
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(make, [config('segformer'), config('retinanet')]))
        found = list(pool.map(lambda inferencer: inferencer(picture(20, 30))['predictions'][0], made))
    assert 'pred_sem_seg' in found[0] and 'pred_instances' in found[1]


@pytest.mark.parametrize('batch_size', [1, 3])
def test_an_image_that_is_too_small_for_the_task_network_is_skipped(batch_size):
    inferencer = make(config('segformer'))
    first = next(m for m in inferencer.model.task.modules() if isinstance(m, torch.nn.Conv2d))
    first.padding = (0, 0)  # no task network of the tests has a limit of its own
    result = inferencer([picture(20, 30), picture(1, 1), picture(24, 24)], batch_size=batch_size)
    assert result['inputs'] == ['000000', '000002'] and list(result['skipped']) == ['000001']
    reason = r"makes an SR image of 4 x 4 px, which is too small for the task network \(.*Kernel size can't be greater"
    assert re.match(reason, result['skipped']['000001'])
    with pytest.raises(SR4IRError, match=f"image '000000' {reason}"):  # there is nothing else
        inferencer(picture(1, 1))


def test_other_errors_of_the_task_network_are_not_taken_for_small_images(inferencer, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError('CUDA error')

    monkeypatch.setattr(inferencer.model.task, 'forward', fail)
    with pytest.raises(RuntimeError, match='CUDA error'):
        inferencer(picture(20, 30))


def tensors(sample: BaseDataElement) -> list[torch.Tensor]:
    fields = [[value] if isinstance(value, torch.Tensor) else tensors(value) for value in sample.values()]
    return [tensor for field in fields for tensor in field]


@pytest.mark.parametrize('name', ['segformer', 'retinanet', 'resnet18'])
def test_mixed_precision(name, tmp_path):
    """SR images, predictions and files are as in float32, up to the precision of bfloat16."""
    full = make(config(name))
    amp = SR4IRInferencer(config(name), 'random', 'cpu', show_progress=False, amp=True)
    amp.model.load_state_dict(full.model.state_dict())
    types = set()
    for net in (amp.model.sr, amp.model.task):
        layer = next(module for module in net.modules() if isinstance(module, torch.nn.Conv2d))
        layer.register_forward_hook(lambda module, args, output: types.add(output.dtype))
    first, second = (run([picture(20, 30)] * 2, out_dir=str(tmp_path), batch_size=2) for run in (full, amp))
    assert types == {torch.bfloat16}
    for one, other in zip(first['predictions'], second['predictions']):
        assert other.task_input.dtype == torch.float32
        assert torch.allclose(one.task_input, other.task_input, atol=0.02)
        assert {value.dtype for value in tensors(other) if value.is_floating_point()} == {torch.float32}
    if name == 'resnet18':
        assert torch.allclose(first['predictions'][0].pred_score, second['predictions'][0].pred_score, atol=0.01)


def test_a_device_without_mixed_precision():
    inferencer = SR4IRInferencer(config('resnet18', 'H->T'), 'random', 'cpu', show_progress=False, amp=True)
    inferencer.model.to('meta')
    with pytest.raises(SR4IRError, match="device 'meta' has no mixed precision: leave out --amp"):
        inferencer(picture(20, 30))


@pytest.mark.parametrize('name', ['segformer', 'retinanet', 'resnet18'])
def test_results_do_not_depend_on_the_images_before(name):
    """What is remembered of a size changes nothing."""
    inferencer = make(config(name))
    for size in ((40, 50), (20, 30), (19, 31)):
        first, *others = inferencer([picture(*size)] * 3, return_vis=True)['visualization']
        assert all(np.array_equal(first, other) for other in others)


def test_an_image_in_which_a_network_fails_ends_no_run_that_keeps_going(inferencer, monkeypatch, tmp_path):
    forward = SR4IRInferencer.forward

    def failing(self, batch, *args):
        if any(job.image.shape[0] == 21 for job in batch):
            raise MemoryError('an array of 20 GiB')
        return forward(self, batch, *args)

    monkeypatch.setattr(SR4IRInferencer, 'forward', failing)
    images, skipped = [picture(20, 30), picture(21, 30), picture(21, 30), picture(22, 30)], {}
    names = ['a', 'b', 'c/d', 'e']
    options = dict(batch_size=2, names=names, out_dir=str(tmp_path), no_save_vis=True)
    found = [result['name'] for result in inferencer.stream(images, keep_going=True, skipped=skipped, **options)]
    assert found == ['a', 'e'] and list(skipped) == ['b', 'c/d']
    assert skipped['b'].startswith('needs more memory than there is (MemoryError)')
    assert sorted(path.stem for path in (tmp_path / 'preds').glob('*.json')) == ['a', 'e']
    with pytest.raises(MemoryError):
        list(inferencer.stream(images, **options))
    assert not list(inferencer.stream(images[1:2], keep_going=True, skipped=skipped, names=['b']))


def test_a_picture_that_cannot_be_drawn_ends_no_run_that_keeps_going(inferencer, monkeypatch):
    visualize, skipped = SR4IRInferencer.visualize, {}

    def failing(self, image, sample, **options):
        if image.shape[0] == 4 * 21:
            raise RuntimeError('no picture')
        return visualize(self, image, sample, **options)

    monkeypatch.setattr(SR4IRInferencer, 'visualize', failing)
    images = [picture(20, 30), picture(21, 30), picture(22, 30)]
    found = [r['name'] for r in inferencer.stream(images, keep_going=True, skipped=skipped, return_vis=True)]
    assert found == ['000000', '000002'] and skipped['000001'] == 'has no result (RuntimeError: no picture)'
