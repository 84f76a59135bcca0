"""Networks of transformers in exported files, which are compared with PyTorch when they are written."""

import pytest
import torch
from helpers.hf import CLASSIFIERS, DETECTORS, SEGMENTORS, build
from helpers.torch_version import needs_export
from helpers.toy import EDSR

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.export.exporter import export
from sr4ir_mm.models import SR4IR

pytest.importorskip('onnxscript')
ort = pytest.importorskip('onnxruntime')

pytestmark = needs_export
CASES = [
    ('HFSegmentor', 'SegformerForSemanticSegmentation', SEGMENTORS, None),  # of all sizes
    ('HFSegmentor', 'EomtForUniversalSegmentation', SEGMENTORS, (12, 24)),  # in windows of 16 x 16
    ('HFClassifier', 'ViTForImageClassification', CLASSIFIERS, (16, 24)),
    ('HFDetector', 'RTDetrV2ForObjectDetection', DETECTORS, (16, 24)),  # transformers checks sizes while it is traced
]


@pytest.mark.slow
@pytest.mark.parametrize(('kind', 'name', 'configs', 'shape'), CASES, ids=[case[1] for case in CASES])
def test_a_file_predicts_what_the_network_predicts(kind, name, configs, shape, tmp_path):
    torch.manual_seed(0)
    model = SR4IR(dict(EDSR), build(kind, name, configs[name]), scale=4).eval()
    with torch.no_grad():  # random weights make queries that are equal, whose order would be left to chance
        for value in model.task.parameters():
            value.add_(0.05 * torch.randn_like(value))
    reports = export(model, tmp_path / 'net.onnx', shape=shape)
    assert list(reports) == [tmp_path / 'net.onnx'] and reports[tmp_path / 'net.onnx']
    names = {output.name for output in ort.InferenceSession(tmp_path / 'net.onnx').get_outputs()}
    assert names == {'sr', *(('boxes', 'scores', 'labels') if kind == 'HFDetector' else ('logits',))}


@pytest.mark.parametrize(
    ('kind', 'name', 'options', 'shape', 'message'),
    [
        ('HFDetector', 'RfDetrForObjectDetection', {}, None, 'square images alone: export it .*--shape N N'),
        ('HFDetector', 'RfDetrForObjectDetection', {}, (14, 28), 'square images alone: export it .*--shape N N'),
        ('HFSegmentor', 'DPTForSemanticSegmentation', {}, None, 'square images alone: export it .*--shape N N'),
        ('HFSegmentor', 'DPTForSemanticSegmentation', {}, (16, 64), 'square images alone: export it .*--shape N N'),
        ('HFSegmentor', 'EomtForUniversalSegmentation', dict(test_cfg=dict(mode='whole')), None, '--shape N N'),
        ('HFSegmentor', 'EomtForUniversalSegmentation', {}, None, r'in windows .* for one size, --shape H W\.$'),
    ],
)
def test_networks_that_take_squares_alone_say_how_they_are_exported(kind, name, options, shape, message, tmp_path):
    model = SR4IR(dict(EDSR), build(kind, name, (SEGMENTORS | DETECTORS)[name], **options), scale=4)
    with pytest.raises(SR4IRError, match=message):
        export(model, tmp_path / 'net.onnx', shape=shape)
