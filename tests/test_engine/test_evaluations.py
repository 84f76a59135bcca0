from types import SimpleNamespace

import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, toy_batch
from mmengine.evaluator import DumpResults, Evaluator
from mmengine.hooks import CheckpointHook

from sr4ir_mm.engine import TaskEvaluationHook
from sr4ir_mm.engine.evaluations import best_metrics, prepare_evaluation
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR


class DumpOfAnother(DumpResults):
    """As mmdet's DumpDetResults, which changes what it has kept."""

    def process(self, data_batch, data_samples):
        super().process(data_batch, data_samples)
        self.results[-1]['last'] = True


@pytest.mark.parametrize('kind', [DumpResults, DumpOfAnother])
def test_metrics_that_keep_data_samples_do_not_keep_images(kind, tmp_path):
    model = SR4IR(EDSR, ToyClassifier(), scale=4).eval()
    model.random_parts = []
    evaluator = Evaluator([kind(str(tmp_path / 'a.pkl')), dict(type='sr4ir_mm.SRQuality', metrics=['PSNR'])])
    for _ in range(2):  # two validations
        prepare_evaluation(model, evaluator)
        evaluator.process(model.test_step(toy_batch()), {})
        dump, quality = evaluator.metrics
        assert [{'pred', 'label', 'img_path'} == set(sample) - {'last'} for sample in dump.results] == [True, True]
        assert ('last' in dump.results[1]) == (kind is DumpOfAnother)
        assert len(quality.results) == 2
        dump.results.clear()
        quality.results.clear()


@pytest.mark.parametrize(
    'scheme, is_early, warns', [('SR4IR', False, 1), ('S->T', False, 1), ('SR4IR', True, 0), ('L->T', False, 0)]
)
def test_sr_images_are_compared_with_bilinear_ones(scheme, is_early, warns, monkeypatch):
    """Under L->T the image is bilinear itself, with other corners."""
    messages = []
    monkeypatch.setattr('sr4ir_mm.evaluation.sr_quality.print_log', lambda text, *args: messages.append(text))
    model = SR4IR(EDSR, ToyClassifier(), scale=4, scheme=scheme).eval()
    model.random_parts = []
    model.sr.register_forward_hook(lambda module, inputs, output: torch.zeros_like(output))
    evaluator = Evaluator(dict(type='sr4ir_mm.SRQuality', metrics=['PSNR']))
    prepare_evaluation(model, evaluator, is_early)
    evaluator.process(model.test_step(toy_batch()), {})
    evaluator.evaluate(2)
    assert len(messages) == warns and all('worse than bilinear' in text for text in messages)


def test_random_weights_are_refused():
    with pytest.raises(SR4IRError, match='A test would use random weights'):
        prepare_evaluation(SR4IR(EDSR, ToyClassifier(), scale=4), Evaluator([]))


def test_a_task_network_without_a_gallery_stays_as_it_is():
    model = SR4IR(EDSR, ToyClassifier(), scale=4)
    model.random_parts, before = [], dict(vars(model.task))
    prepare_evaluation(model, Evaluator([]))
    assert vars(model.task).keys() == before.keys()
    without = SR4IR(EDSR, None, scale=4, scheme='S')
    without.random_parts = []
    prepare_evaluation(without, Evaluator([]))


def test_only_hooks_that_save_checkpoints_say_which_is_the_best():
    """A hook of a user may have an entry of that name, too."""
    other = SimpleNamespace(save_best=True)
    hooks = [TaskEvaluationHook(), CheckpointHook(save_best='mIoU', rule='greater'), CheckpointHook(), other]
    assert best_metrics(SimpleNamespace(hooks=hooks)) == ['mIoU']
