"""SR networks of spandrel: from scratch, from a file, in a config, and in a training."""

from pathlib import Path

import pytest
import torch
from helpers.torch_version import needs_export
from helpers.toy import ToyClassifier, toy_batch
from helpers.zoo import wrappers_for
from mmengine.config import Config
from mmengine.model import ExponentialMovingAverage
from mmengine.runner import CheckpointLoader
from safetensors.torch import load_file, save_file

from sr4ir_mm.config import load_config, mix
from sr4ir_mm.config.sr_nets import find_sr
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.export.exporter import export
from sr4ir_mm.models import SR4IR, SpandrelSR
from sr4ir_mm.models.compilation import compile_networks
from sr4ir_mm.models.sr_net import build_sr
from sr4ir_mm.utils.weights_files import write_weights

spandrel = pytest.importorskip('spandrel')
SMALL = {
    'SPAN': dict(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2),
    'Compact': dict(num_feat=8, num_conv=2, upscale=4),
    'RealPLKSR': dict(dim=8, n_blocks=1, upscaling_factor=2),
    'RCAN': dict(n_resgroups=1, n_resblocks=1, n_feats=8, reduction=4, scale=2),
    'DRCT': dict(
        embed_dim=12, depths=(1,), num_heads=(2,), window_size=4, upscale=2, img_size=8, upsampler='pixelshuffle'
    ),
}
#: with classes and functions as defaults of other arguments
_X2 = dict(embed_dim=12, num_heads=(2,), upscale=2, upsampler='pixelshuffle')
PLAIN = SMALL | {
    'SwinIR': dict(_X2, depths=(2,), img_size=16, window_size=8),
    'DAT': dict(_X2, depth=(2,), img_size=8, split_size=(2, 4)),
    'ATD': dict(_X2, depths=(2,), img_size=8, window_size=8),
}
ZOO = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'


def node(name: str) -> dict:
    return dict(type='sr4ir_mm.SpandrelSR', architecture=name, parameters=SMALL[name])


def scale_of(name: str) -> int:
    return next(SMALL[name][key] for key in ('upscale', 'upscaling_factor', 'scale') if key in SMALL[name])


def write(path: Path, name: str = 'Compact', **parameters) -> SpandrelSR:
    torch.manual_seed(0)
    net = SpandrelSR(name, {**SMALL[name], **parameters})
    torch.save(dict(params_ema=net.net.state_dict()), path)
    return net


@pytest.mark.parametrize('name', SMALL)
def test_it_trains_from_scratch(name):
    torch.manual_seed(0)
    model = SR4IR(node(name), ToyClassifier(), scale=scale_of(name))
    lr = torch.rand(2, 3, 9, 7)
    before = lr.clone()
    sr = model.sr(lr)
    assert sr.shape == (2, 3, 9 * model.scale, 7 * model.scale)  # windows need other sizes
    assert torch.equal(lr, before)  # every later step would receive what the network leaves
    sr.mean().backward()
    assert any(value.grad is not None and value.grad.any() for value in model.sr.parameters())


@pytest.mark.parametrize(
    'cfg', ['path/to/cfg.yaml', 'import os\nmodel = dict(scale=4)', "model = dict(scale=4, sr='abc')", 'a = {{}}', None]
)
def test_a_file_of_another_program_with_a_config(cfg, tmp_path):
    """It is no training of ours, so that spandrel decides."""
    torch.save(dict(meta=dict(cfg=cfg), state_dict=write(tmp_path / 'net.pth').net.state_dict()), tmp_path / 'a.pth')
    assert find_sr(str(tmp_path / 'a.pth'), 4)['architecture'] == 'Compact'


@pytest.mark.parametrize('file', ['a.pth', 'a.safetensors'])
def test_a_file_that_is_missing(file, tmp_path):
    for sr in (str(tmp_path / file), dict(type='sr4ir_mm.SpandrelSR', checkpoint=str(tmp_path / file))):
        with pytest.raises(SR4IRError, match=f"{file}' not found"):
            find_sr(sr, 4)


@pytest.mark.parametrize('file', ['4x-net.pth', '4x-net.safetensors'])
def test_a_file_says_architecture_parameters_and_scale(file, tmp_path, monkeypatch):
    net, path = write(tmp_path / '4x-net.pth'), tmp_path / file
    if path.suffix == '.safetensors':
        save_file(net.net.state_dict(), path)
    read, load = [], CheckpointLoader.load_checkpoint
    monkeypatch.setattr(CheckpointLoader, 'load_checkpoint', lambda *a, **k: read.append(a[0]) or load(*a, **k))
    sr = find_sr(str(path), 4)
    # only a file of PyTorch may hold the config of a training, too
    assert len(read) == (1 if path.suffix == '.safetensors' else 2)
    assert sr['architecture'] == 'Compact' and sr['parameters']['num_feat'] == 8
    model = SR4IR(dict(sr), ToyClassifier(), scale=4)
    model.init_weights()
    lr = torch.rand(1, 3, 8, 8)
    assert torch.equal(model.sr.eval()(lr), net.eval()(lr))
    assert torch.equal(SpandrelSR(checkpoint=str(path)).eval()(lr), net.eval()(lr))


def test_a_run_does_without_the_file(tmp_path):
    """The config of a run holds what the file said, and its checkpoint the weights."""
    path = tmp_path / '4x-net.pth'
    write(path)
    named = f"dict(type='sr4ir_mm.SpandrelSR', checkpoint={str(path)!r})"
    (tmp_path / 'mine.py').write_text(
        f"model = dict(type='sr4ir_mm.SR4IR', scale=4, task=None, scheme='S', sr={named})"
    )
    cfg = load_config(tmp_path / 'mine.py')
    assert cfg.model.sr.architecture == 'Compact' and 'checkpoint' not in cfg.model.sr
    stored = Config.fromstring(cfg.pretty_text, '.py').model.sr
    stored.pop('init_cfg')
    path.unlink()
    model = SR4IR(stored.to_dict(), ToyClassifier(), scale=4)
    state = {f'sr.{name}': value + 1 for name, value in model.sr.state_dict().items()}
    torch.save(dict(state_dict=state, meta={}), tmp_path / 'epoch_1.pth')
    again = SR4IR(
        dict(stored, init_cfg=dict(type='Pretrained', prefix='sr.', checkpoint=str(tmp_path / 'epoch_1.pth'))),
        ToyClassifier(), scale=4,
    )  # fmt: skip
    again.init_weights()
    assert all(torch.equal(value, state[f'sr.{name}']) for name, value in again.sr.state_dict().items())


def test_any_config_of_a_zoo_takes_a_file(tmp_path):
    write(tmp_path / '4x-net.pth')
    cfg = mix(ZOO, str(tmp_path / '4x-net.pth'), 4)
    assert cfg.model.sr.type == 'sr4ir_mm.SpandrelSR' and cfg.model.sr.init_cfg.checkpoint.endswith('4x-net.pth')
    with pytest.raises(SR4IRError, match=r'enlarges by 4, not by 2: set scale=4 \(--scale\)'):
        mix(ZOO, str(tmp_path / '4x-net.pth'), 2)


@pytest.mark.parametrize('name', PLAIN)
def test_a_config_holds_what_a_file_says(name, tmp_path):
    """Without the arguments that a config cannot hold."""
    torch.manual_seed(0)
    torch.save(SpandrelSR(name, PLAIN[name]).net.state_dict(), tmp_path / 'net.pth')
    sr = find_sr(str(tmp_path / 'net.pth'), scale_of(name) if name in SMALL else 2)
    text = Config(dict(sr=sr)).pretty_text
    (tmp_path / 'own.py').write_text(text)
    again = SpandrelSR(**{key: Config.fromfile(tmp_path / 'own.py').sr[key] for key in ('architecture', 'parameters')})
    assert {key: value.shape for key, value in again.net.state_dict().items()} == {
        key: value.shape for key, value in torch.load(tmp_path / 'net.pth', weights_only=True).items()
    }


@pytest.mark.parametrize('given', ['file', 'dict'])
def test_a_mix_does_without_the_file_too(given, tmp_path):
    write(tmp_path / 'net.pth')
    named = dict(type='sr4ir_mm.SpandrelSR', checkpoint=str(tmp_path / 'net.pth'))
    (tmp_path / 'my_sr.py').write_text(f'sr = {named}')
    sr = mix(ZOO, str(tmp_path / 'my_sr.py') if given == 'file' else named, 4).model.sr
    assert sr.architecture == 'Compact' and 'checkpoint' not in sr


def test_the_start_of_a_named_file_can_be_another_one(tmp_path):
    write(tmp_path / 'net.pth')
    named = dict(type='sr4ir_mm.SpandrelSR', checkpoint=str(tmp_path / 'net.pth'), init_cfg=None)
    assert find_sr(named, 4)['init_cfg'] is None


def test_networks_of_mmagic_with_a_convert_of_their_own_still_start(tmp_path):
    node = dict(type='mmagic.NAFNetLocal', mid_channels=4, enc_blk_nums=[1], middle_blk_num=1, dec_blk_nums=[1])
    model = SR4IR(node, ToyClassifier(), scale=1)
    torch.save(dict(state_dict=model.sr.state_dict()), tmp_path / 'net.pth')
    again = SR4IR(
        dict(node, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'net.pth'))), ToyClassifier(), 1
    )
    again.init_weights()
    assert all(torch.equal(value, again.sr.state_dict()[name]) for name, value in model.sr.state_dict().items())


def test_all_weights_that_are_trained_get_a_gradient():
    """In a distributed training the others would be waited for."""
    net = SpandrelSR('SPAN', SMALL['SPAN'])
    net(torch.rand(2, 3, 8, 8)).mean().backward()
    assert all(value.grad is not None for value in net.parameters() if value.requires_grad)


def test_files_that_are_no_sr_network_for_rgb(tmp_path, monkeypatch):
    path = tmp_path / 'net.pth'
    torch.save(dict(conv=torch.zeros(3)), path)
    with pytest.raises(SR4IRError, match=r"net\.pth' is of no architecture that spandrel knows"):
        find_sr(str(path), 4)
    state = write(path).net.state_dict()
    torch.save(state | {'body.99.weight': torch.zeros(3)}, path)
    with pytest.raises(SR4IRError, match=r'no architecture that spandrel knows \(\w+: '):
        find_sr(str(path), 4)
    for purpose in ('FaceSR', 'Inpainting'):
        monkeypatch.setattr(spandrel.ImageModelDescriptor, 'purpose', purpose)
        write(path)
        with pytest.raises(SR4IRError, match=rf'no super-resolution network \(RealESRGAN Compact, {purpose}\)'):
            find_sr(str(path), 4)
        monkeypatch.undo()
    write(path, upscale=1)
    with pytest.raises(SR4IRError, match='enlarges by 1, not by 4'):
        find_sr(str(path), 4)
    assert find_sr(str(path), 1)['parameters']['upscale'] == 1  # restoration
    for channels in (1, 4):  # gray, RGBA
        write(path, num_in_ch=channels, num_out_ch=channels)
        with pytest.raises(SR4IRError, match=rf'\({channels}, {channels}\) channels, not RGB'):
            find_sr(str(path), 4)
    with pytest.raises(SR4IRError, match=r"missing\.pth' not found: name a .pth file or a URL"):
        find_sr(str(tmp_path / 'missing.pth'), 4)


def test_half_precision_becomes_float32(tmp_path):
    net = write(tmp_path / 'net.pth')
    torch.save({name: value.half() for name, value in net.net.state_dict().items()}, tmp_path / 'half.pth')
    loaded = SpandrelSR(checkpoint=str(tmp_path / 'half.pth'))
    assert {value.dtype for value in loaded.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(architecture='SPANN'), "no architecture 'SPANN'. Did you mean SPAN"),
        (dict(architecture='Compact', parameters=dict(features=8)), "SpandrelSR, Compact: .*'features'"),
        (dict(), 'give one of them'),
        (dict(architecture='Compact', checkpoint='x.pth'), 'give one of them'),
    ],
)
def test_mistakes(arguments, message):
    with pytest.raises(SR4IRError, match=message):
        SpandrelSR(**arguments)


def test_span_computes_its_test_weights_from_its_training_weights():
    """Whatever updates, copies or averages weights must not leave those of the test behind."""
    torch.manual_seed(0)
    net, lr = SpandrelSR('SPAN', SMALL['SPAN']), torch.rand(1, 3, 8, 8)
    net.eval()(lr)
    with torch.no_grad():
        for value in net.parameters():
            value.add_(0.01)
        assert torch.allclose(net.eval()(lr), net.train()(lr), atol=1e-4)


def test_a_compiled_span_has_the_weights_of_its_last_update(monkeypatch):
    """Also where PyTorch, before 2.7, does not tell an export from a compilation."""
    if hasattr(torch.compiler, 'is_exporting'):
        monkeypatch.setattr(torch.compiler, 'is_exporting', lambda: torch.compiler.is_compiling())  # in a trace, True
    torch.manual_seed(0)
    model, lr = SR4IR(node('SPAN'), None, scale=2, scheme='S'), torch.rand(1, 3, 8, 8)
    compile_networks(model, backend='eager')
    with torch.no_grad():
        first = model.sr.eval()(lr)
        for value in model.parameters():
            value.add_(0.01)
        second = model.sr(lr)
        assert not torch.allclose(first, second, atol=1e-3)
        assert torch.allclose(second, model.sr.train()(lr), atol=1e-4)


def test_an_averaged_and_a_shared_span_have_the_test_weights_of_their_own(tmp_path):
    torch.manual_seed(0)
    model, lr = SR4IR(node('SPAN'), None, scale=2, scheme='S'), torch.rand(1, 3, 8, 8)
    model.eval().upsample(lr)
    average = ExponentialMovingAverage(model, momentum=0.5)
    with torch.no_grad():
        for _ in range(3):
            for value in model.parameters():
                value.add_(0.01)
            average.update_parameters(model)
        net = average.module.sr
        assert torch.allclose(net.eval()(lr), net.train()(lr), atol=1e-4)
        assert not torch.allclose(net.eval()(lr), model.sr.eval()(lr), atol=1e-3)
        # the file holds test weights from before the last update
        write_weights(tmp_path / 'model.safetensors', average.module.state_dict(), {})
        shared = SR4IR(node('SPAN'), None, scale=2, scheme='S')
        shared.load_state_dict(load_file(tmp_path / 'model.safetensors'))
        assert torch.equal(shared.sr.eval()(lr), net.eval()(lr))


def test_blocks_of_span_run_again_to_save_memory():
    """They are attributes, in no list."""
    lr, outputs, sizes, gradients = torch.rand(2, 3, 16, 16), [], [], []
    for with_cp in (False, True):
        torch.manual_seed(0)
        net, _ = build_sr(dict(node('SPAN'), with_cp=with_cp), 2)
        kept = {}
        with torch.autograd.graph.saved_tensors_hooks(
            lambda value, kept=kept: kept.setdefault(value.data_ptr(), value), lambda value: value
        ):
            outputs.append(net(lr))
        sizes.append(sum(value.numel() for value in kept.values()))
        outputs[-1].square().mean().backward()
        gradients.append([value.grad for value in net.parameters() if value.requires_grad])
    assert torch.equal(*outputs) and all(map(torch.equal, *gradients)) and sizes[1] < 0.3 * sizes[0]


@needs_export
def test_an_exported_span_has_the_weights_of_its_last_update(tmp_path):
    onnxruntime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    torch.manual_seed(0)
    model = SR4IR(node('SPAN'), None, scale=2, scheme='S').eval()
    model.upsample(torch.rand(1, 3, 8, 8))
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.01)
    export(model, tmp_path / 'net.onnx')
    lr = torch.rand(1, 3, 20, 17)
    (found,) = onnxruntime.InferenceSession(tmp_path / 'net.onnx').run(None, dict(image=lr.numpy()))
    with torch.no_grad():
        assert torch.allclose(torch.from_numpy(found), model.sr.train()(lr), atol=1e-4)


@needs_export
@pytest.mark.slow
@pytest.mark.parametrize('name', ['SwinIR', 'DAT'])
def test_windows_are_exported_for_all_sizes_and_numbers_of_images(name, tmp_path):
    """Their code computes the number of images by a division of floats; the file is compared with PyTorch."""
    pytest.importorskip('onnxscript')
    torch.manual_seed(0)
    parameters = PLAIN[name] | (dict(embed_dim=32) if name == 'DAT' else {})
    sr = dict(type='sr4ir_mm.SpandrelSR', architecture=name, parameters=parameters)
    (report,) = export(SR4IR(sr, None, scale=2, scheme='S').eval(), tmp_path / 'net.onnx').values()
    assert len(report) >= 3


def test_a_batch_of_one_image_and_a_network_with_batch_norm():
    model = SR4IR(
        dict(node('Compact'), architecture='DAT', parameters=dict(PLAIN['DAT'], embed_dim=32)), ToyClassifier(), scale=2
    )
    with pytest.raises(SR4IRError, match='a BatchNorm of a network has only one value per channel'):
        model.train_step(toy_batch(1), wrappers_for(model))


def test_a_training_step():
    torch.manual_seed(0)
    model = SR4IR(node('Compact'), ToyClassifier(), scale=4)
    losses = model(**model.data_preprocessor(toy_batch(2), True), mode='loss')
    assert all(torch.as_tensor(value).isfinite().all() for value in losses.values())
