import pytest

from sr4ir_mm.compat.known_types import check_types
from sr4ir_mm.errors import SR4IRError


@pytest.mark.parametrize(
    'name',
    [
        'os.system', 'subprocess.run', 'builtins.exec', 'mmengine.load', 'mmengine.fileio.io.load', 'mmcv.imwrite',
        'torch.load', 'torch.hub.load',
        'torch.nn.init.os.system', 'torch.nn.Parameter', 'torch.optim.lr_scheduler.os',
        'mmengine.config.config.Config.fromfile',
        'mmcv.ops.nms.__class__', 'mmseg.models.NoSuchNet',
        'sr4ir_mm.errors.sys.exit', 'mmengine.runner.checkpoint.os.system',
    ],
)  # fmt: skip
def test_what_is_not_registered_is_refused(name):
    model = dict(type='SR4IR', task=dict(backbone=[dict(type=name, command='true')]))
    with pytest.raises(SR4IRError, match=f"'epoch_1.pth' has type='{name}'"):
        check_types(dict(model=model), 'epoch_1.pth')


@pytest.mark.parametrize(
    'name',
    [
        'EncoderDecoder', 'mmseg.EncoderDecoder', 'mmagic.EDSRNet', 'sr4ir_mm.AlternatingUpdateHook', 'mmdet.NoSuchNet',
        'mmseg.models.segmentors.encoder_decoder.EncoderDecoder', 'mmseg.models.EncoderDecoder',
        'mmpretrain.datasets.transforms.PackInputs', 'mmengine.hooks.checkpoint_hook.CheckpointHook',
        'torch.nn.modules.activation.ReLU', 'torch.nn.BatchNorm2d', 'torch.optim.sgd.SGD',
        'sr4ir_mm.models.sr4ir.SR4IR',
    ],
)  # fmt: skip
def test_registered_names_are_accepted(name):
    check_types(dict(model=dict(type=name)), 'epoch_1.pth')


@pytest.mark.parametrize(
    'entry',
    [
        dict(trust_remote_code=True),
        dict(trust_remote_code=1),
        dict(decode_backend='pickle'),
        dict(type='OpenImagesChallengeDataset'),
        dict(type='mmdet.OpenImagesChallengeDataset'),
    ],
    ids=str,
)
def test_entries_that_let_a_class_run_code(entry):
    model = dict(task={'type': 'mmpretrain.HuggingFaceClassifier', 'model_name': 'a/b', **entry})
    with pytest.raises(SR4IRError, match=rf"'epoch_1\.pth' has {next(iter(entry))}="):
        check_types(dict(model=model), 'epoch_1.pth')
    check_types(dict(model=dict(trust_remote_code=False, decode_backend='numpy')), 'epoch_1.pth')
