"""Exported files compute what PyTorch computes, and a message names what cannot be exported."""

import pytest
import torch
from helpers.torch_version import needs_export
from helpers.toy import EDSR, ToyClassifier, imagenet_preprocessor
from helpers.zoo import TOOLS, net_config
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from torch import nn

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.export.comparison import TOLERANCE
from sr4ir_mm.export.exporter import export
from sr4ir_mm.models import SR4IR

onnxruntime = pytest.importorskip('onnxruntime')
pytest.importorskip('onnxscript')
pytestmark = needs_export

RESNET = {'backbone.base_channels': 8, 'backbone.stem_channels': 8}
SWINIR = dict(
    type='mmagic.SwinIRNet', upscale=4, in_chans=3, img_size=48, window_size=8, depths=[2], embed_dim=8, num_heads=[2],
    mlp_ratio=2, upsampler='pixelshuffledirect',
)  # fmt: skip


def make(task: dict | nn.Module, sr: dict | None = EDSR, scheme: str = 'S+T', scale: int = 4) -> SR4IR:
    model = SR4IR(sr, task, scale, scheme)
    for module in model.modules():  # weights as large as trained ones: with tiny ones no error would show
        if isinstance(module, (nn.Linear, nn.LayerNorm)):
            nn.init.normal_(module.weight, std=0.3)
    return model.eval()


def classifier() -> dict:
    return net_config('resnet18', **RESNET, **{'head.in_channels': 64, 'head.num_classes': 10})


def segmenter() -> dict:
    init_default_scope('mmseg')
    return Config.fromfile(TOOLS.parent / 'configs/_base_/tasks/fcn_tiny.py').task


def detector() -> dict:
    neck = {'neck.in_channels': [8, 16, 32, 64], 'neck.out_channels': 8}
    head = {'bbox_head.in_channels': 8, 'bbox_head.feat_channels': 8, 'bbox_head.stacked_convs': 1}
    return net_config('retinanet', **RESNET, **neck, **head, **{'bbox_head.num_classes': 5})


def run(path, image: torch.Tensor) -> dict[str, torch.Tensor]:
    session = onnxruntime.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, map(torch.from_numpy, session.run(None, dict(image=image.numpy())))))


def close(found: torch.Tensor, expected: torch.Tensor) -> bool:
    return found.shape == expected.shape and (found - expected).abs().max() <= TOLERANCE * expected.abs().max()


@torch.no_grad()
def test_classifier(tmp_path):
    model = make(classifier())
    ((path, rows),) = export(model, tmp_path / 'a/model.onnx').items()
    assert path == tmp_path / 'a/model.onnx' and len({row.size for row in rows}) == 3
    lr = torch.rand(4, 3, 41, 26)
    found = run(path, lr)
    assert list(found) == ['sr', 'logits']
    assert close(found['sr'], model.upsample(lr)) and close(found['logits'], model(lr))
    (image,) = onnxruntime.InferenceSession(path).get_inputs()
    assert image.shape == ['batch', 3, 'height', 'width']


@torch.no_grad()
def test_sr_network_that_adds_to_the_bilinear_image(tmp_path):
    net = dict(EDSR, out_channels=48, upscale_factor=1, rgb_mean=[0.0], rgb_std=[1.0])
    model = make(None, dict(type='sr4ir_mm.BilinearSkip', net=net, pixel_shuffle=4), 'S')
    nn.init.normal_(model.sr.residual.conv_last.weight, std=0.1)
    export(model, tmp_path / 'model.onnx')
    lr = torch.rand(2, 3, 30, 41)
    assert close(run(tmp_path / 'model.onnx', lr)['sr'], model.upsample(lr))


@torch.no_grad()
def test_segmenter_gives_logits_of_the_size_of_the_image(tmp_path):
    model = make(segmenter())
    export(model, tmp_path / 'model.onnx')
    lr = torch.rand(1, 3, 30, 41)
    sr = model.upsample(lr)
    (sample,) = model.task.predict(model.data_preprocessor.normalize(sr))
    found = run(tmp_path / 'model.onnx', lr)
    assert found['logits'].shape == (1, 5, 120, 164) and close(found['logits'][0], sample.seg_logits.data)


@torch.no_grad()
@pytest.mark.slow
def test_detector_in_two_files_pads_as_its_preprocessor_does(tmp_path):
    model = make(detector())
    assert list(export(model, tmp_path / 'model.onnx', split=True, raw=True)) == [
        tmp_path / 'model_sr.onnx', tmp_path / 'model_task.onnx'
    ]  # fmt: skip
    lr = torch.rand(1, 3, 30, 41)  # 120 x 164 px in SR, which become 128 x 192
    sr = run(tmp_path / 'model_sr.onnx', lr)
    found = run(tmp_path / 'model_task.onnx', sr['sr'])
    batch = model.task.data_preprocessor(dict(inputs=[model.upsample(lr)[0].flip(0) * 255]))
    scores, boxes = model.task(batch['inputs'], mode='tensor')
    assert list(found) == [f'task_{i}_{j}' for i in range(2) for j in range(5)] and scores[0].shape[-2:] == (16, 24)
    assert all(close(found[f'task_0_{i}'], scores[i]) and close(found[f'task_1_{i}'], boxes[i]) for i in range(5))


@torch.no_grad()
def test_bilinear_and_hr(tmp_path):
    for scheme, inside in ('L->T', ['sr', 'logits']), ('H->T', ['logits']):
        model = make(ToyClassifier(), None, scheme)
        export(model, tmp_path / 'model.onnx')
        image = torch.rand(2, 3, 36, 50)
        found = run(tmp_path / 'model.onnx', image)
        assert list(found) == inside and close(found['logits'], model(image))
    with pytest.raises(SR4IRError, match='nothing to split'):
        export(model, tmp_path / 'model.onnx', split=True)


@pytest.mark.slow
@torch.no_grad()
def test_swinir_has_no_fixed_size(tmp_path):
    model = make(ToyClassifier(), SWINIR, 'S')  # the SR network alone
    export(model, tmp_path / 'model.onnx')
    for size in (1, 48, 48), (3, 17, 40):  # the network has masks for the first size
        image = torch.rand(size[0], 3, *size[1:])
        assert close(run(tmp_path / 'model.onnx', image)['sr'], model.sr(image))


@torch.no_grad()
def test_pt2_runs_without_this_package(tmp_path):
    model = make(ToyClassifier())
    export(model, tmp_path / 'model.pt2')
    image = torch.rand(1, 3, 20, 20)
    found = torch.export.load(tmp_path / 'model.pt2').module(check_guards=False)(image)
    assert close(found['logits'], model(image))


class Odd(BaseModel):
    """Task network with one layer of a kind that is hard to export."""

    def __init__(self, kind: str) -> None:
        super().__init__(imagenet_preprocessor())
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 4, 4))
        self.head = OddHead(kind)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        outputs = self.head(self.backbone(inputs))
        return data_samples if mode == 'predict' else outputs


class OddHead(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.positions = nn.Parameter(torch.rand(1, 4, 40, 56))

    def forward(self, x):
        if self.kind == 'position':
            return x + self.positions
        if self.kind == 'op':
            return torch.linalg.eigvals(x.mean((2, 3))[:, :, None] * torch.eye(4)).real
        return x if x.sum() > 0 else -x


@pytest.mark.parametrize(
    ('kind', 'named'), [('op', 'aten.linalg_eig'), ('position', 'must match'), ('branch', 'data-dependent')]
)
def test_what_cannot_be_exported_is_named(tmp_path, kind, named):
    with pytest.raises(SR4IRError, match=named) as error:
        export(make(Odd(kind)), tmp_path / 'model.onnx')
    message = str(error.value)
    assert message.startswith(f"'{tmp_path}/model.onnx' cannot be exported: ") and '--split' in message
    assert kind == 'op' or 'in OddHead.forward (test_exporter, line' in message
    assert message.count('\n') < 3 and not list(tmp_path.iterdir())


def test_one_size(tmp_path):
    ((_, rows),) = export(make(Odd('position')), tmp_path / 'model.onnx', shape=(40, 56)).items()
    assert {row.size for row in rows} == {(batch, 40, 56) for batch in (1, 2, 3)}


def test_a_wrong_file_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr('sr4ir_mm.export.exporter.check_repeats', lambda reference, size: None)
    monkeypatch.setattr('sr4ir_mm.export.comparison.TOLERANCE', -1)
    with pytest.raises(SR4IRError, match=r"differs from the prediction in PyTorch by .* in 'sr' at \(1, 40, 56\)"):
        export(make(ToyClassifier()), tmp_path / 'model.pt2')
    assert not list(tmp_path.iterdir())


def test_format(tmp_path, monkeypatch):
    model = make(ToyClassifier())
    with pytest.raises(SR4IRError, match=r'name it \*.onnx or \*.pt2'):
        export(model, tmp_path / 'model.pth')
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(SR4IRError, match='ONNX needs onnx, onnxscript, onnxruntime: pip install'):
        export(model, tmp_path / 'model.onnx')
