"""The pictures that a training leaves, whatever happens to it."""

from pathlib import Path

import cv2
import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import make_voc, run_tool, runner_for, tiny_config
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.runner import Runner

from sr4ir_mm.analysis import TrainingPicturesHook, pictures_hook
from sr4ir_mm.models import SR4IR


class LabeledClassifier(ToyClassifier):
    """A classifier whose data samples have the names of mmpretrain's."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        """Predict as the toy does."""
        outputs = super().forward(inputs, data_samples, mode)
        if mode == 'predict':
            for sample in outputs:
                sample.set_data(dict(pred_label=sample.pred.reshape(1), gt_label=torch.tensor([sample.label])))
        return outputs


class Metric(BaseMetric):
    """A metric without a meaning."""

    def process(self, data_batch, data_samples) -> None:
        """Keep something."""
        self.results.append(0)

    def compute_metrics(self, results: list) -> dict:
        """Return it."""
        return dict(score=1.0)


def train(folder: Path, hook: TrainingPicturesHook | None, **options) -> Runner:
    torch.manual_seed(0)
    model = SR4IR(dict(EDSR), LabeledClassifier(), scale=4)
    data = ToyDataset(toy_batch(n=6))
    loader = dict(batch_size=2, dataset=data, sampler=dict(type='DefaultSampler', shuffle=False))
    validation = dict(val_dataloader=loader, val_cfg=dict(), val_evaluator=Evaluator(Metric()))
    entries = validation | dict(train_cfg=dict(by_epoch=True, max_epochs=2)) | options
    runner = runner_for(model, data, folder, **entries)
    if hook:
        runner.register_hook(hook)
    runner.train()
    return runner


def pictures(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / 'plots').glob('*'))


def test_a_training(tmp_path):
    hook = TrainingPicturesHook()
    train(tmp_path, hook)
    assert pictures(tmp_path) == ['confusion_matrix.png', 'curves.png', 'panels.png']
    assert hook.matrix.images == 6 == hook.matrix.counts.sum()
    height, width = cv2.imread(str(tmp_path / 'plots/panels.png')).shape[:2]
    assert len(hook.panels) == 4 and width == 1220 and height > 4 * 600  # below each other


def test_the_training_is_the_same_without_them(tmp_path):
    runs = [train(tmp_path / name, hook) for name, hook in (('with', TrainingPicturesHook()), ('without', None))]
    first, second = (run.model.state_dict() for run in runs)
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    assert not (tmp_path / 'without/plots').exists()


def test_a_picture_that_fails_does_not_end_the_training(tmp_path, monkeypatch):
    def fail(*_):
        raise ValueError('no ink')

    monkeypatch.setattr(pictures_hook, 'draw_panels', fail)
    warnings = []
    monkeypatch.setattr('mmengine.logging.MMLogger.warning', lambda self, text, *_: warnings.append(str(text)))
    assert train(tmp_path, TrainingPicturesHook()).epoch == 2
    assert 'panels.png is not drawn (ValueError: no ink); the training goes on.' in warnings
    assert pictures(tmp_path) == ['confusion_matrix.png', 'curves.png']


def test_they_take_little_time_before_the_last_validation(tmp_path, monkeypatch):
    """The first validation has them, for a training that is killed; then they wait until they are 2% of the time."""
    written = []
    save = TrainingPicturesHook._save_panels
    monkeypatch.setattr(TrainingPicturesHook, '_save_panels', lambda self, path: written.append(0) or save(self, path))
    train(tmp_path, TrainingPicturesHook(), train_cfg=dict(by_epoch=True, max_epochs=5))
    assert len(written) == 2


def test_a_training_without_validation_has_curves(tmp_path):
    train(tmp_path, TrainingPicturesHook(), val_dataloader=None, val_cfg=None, val_evaluator=None)
    assert pictures(tmp_path) == ['curves.png']


def test_only_the_first_process_draws(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures_hook, 'is_main_process', lambda: False)
    train(tmp_path, TrainingPicturesHook())
    assert pictures(tmp_path) == []


@pytest.mark.parametrize('option', [(), ('--no-plots',)])
def test_the_tool(option, tmp_path):
    make_voc(tmp_path / 'voc')
    tiny_config(tmp_path)
    assert run_tool('train', 'tiny.py', *option, '--cfg-options', 'train_cfg.max_epochs=1', cwd=tmp_path) == 0
    found = pictures(tmp_path / 'work_dirs/tiny')
    assert found == ([] if option else ['confusion_matrix.png', 'curves.png', 'panels.png'])
