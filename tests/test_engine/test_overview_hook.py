"""What a training says when it begins and when it has ended."""

from pathlib import Path

import pytest
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from helpers.zoo import runner_for
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.structures import BaseDataElement

from sr4ir_mm.engine.overview_hook import enlargement_warning
from sr4ir_mm.engine.runner import LateDumpRunner
from sr4ir_mm.models import SR4IR


class Metric(BaseMetric):
    """A metric that is better with each validation."""

    value = 0

    def process(self, data_batch, data_samples) -> None:
        """Keep something."""
        self.results.append(0)

    def compute_metrics(self, results: list) -> dict:
        """Return it."""
        self.value += 1
        return dict(score=self.value)


def run(folder, scheme: str = 'SR4IR', **options) -> LateDumpRunner:
    model = SR4IR(dict(EDSR), ToyClassifier(), scale=4, scheme=scheme)
    data = ToyDataset(toy_batch(n=4))
    loader = dict(batch_size=2, dataset=data, sampler=dict(type='DefaultSampler', shuffle=False))
    hooks = dict(
        runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'),
        checkpoint=dict(type='CheckpointHook', interval=1, save_best='score', rule='greater'),
    )
    validation = dict(val_dataloader=loader, val_cfg=dict(), val_evaluator=Evaluator(Metric()))
    entries = validation | dict(default_hooks=hooks, train_cfg=dict(by_epoch=True, max_epochs=2)) | options
    runner = runner_for(model, data, folder, kind=LateDumpRunner, **entries)
    runner.train()
    return runner


def test_a_training(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('sys.argv', ['tools/train.py', 'x'])
    runner = run(tmp_path / 'run')
    lines = [line.partition(' ')[2] for line in capfd.readouterr().out.splitlines()]
    start = lines.index('Scheme SR4IR, x4')
    assert lines[start + 1].startswith('Super-resolution network: EDSRNet, ')
    assert lines[start + 2] == 'Task network: ToyClassifier, Sequential, 1.6 k parameters'
    assert lines[start + 3] == '4 iterations = 2 epochs of 2; validation every epoch'
    assert lines[start + 4] == 'Checkpoints: run (every epoch, best score)'
    assert lines[start + 6] == 'First batch: 2 images, HR 32 x 32, LR 8 x 8 px'
    end = next(i for i, line in enumerate(lines) if line.startswith('Finished 2 epochs; '))
    assert lines[end + 1 : end + 3] == [
        'Best checkpoint: score 2.0000, run/best_score_epoch_2.pth',
        'Last checkpoint: run/epoch_2.pth',
    ]
    assert lines[end + 4] == 'Next: python tools/test.py run --show-dir panels'
    assert sum(line.startswith('First batch') for line in lines) == 1
    assert all(len(line) < 120 for line in lines if line.startswith('Epoch'))
    assert not any('mmengine' in line for line in lines[start:])
    assert 'System environment' in Path(runner.logger.log_file).read_text()


def test_a_frozen_network_and_no_validation(tmp_path, capfd):
    no = dict(val_dataloader=None, val_cfg=None, val_evaluator=None)
    checkpoint = dict(type='CheckpointHook', interval=-1, by_epoch=False)
    hooks = dict(runtime_info=dict(type='sr4ir_mm.DeferredRuntimeInfoHook'), checkpoint=checkpoint)
    run(tmp_path, 'S->T', default_hooks=hooks, train_cfg=dict(by_epoch=False, max_iters=2), **no)
    output = capfd.readouterr().out
    for text in ('EDSRNet, 8.0 k parameters, frozen', '2 iterations; no validation', '(at the end)', 'Finished 2 iter'):
        assert text in output, output
    assert 'Best' not in output


def samples(*sizes: tuple[int, int], new: tuple[int, int] = (800, 1067), **more) -> list[BaseDataElement]:
    return [BaseDataElement(metainfo=dict(ori_shape=size, img_shape=new, **more)) for size in sizes]


def test_enlarged_images():
    pipeline = [dict(type='LoadImageFromFile'), dict(type='Resize', scale=(1333, 800))]
    loader = dict(dataset=dict(type='RepeatDataset', dataset=dict(pipeline=pipeline)))
    text = enlargement_warning(samples((240, 320)), (1, 3, 200, 267), loader)
    assert 'enlarges the images of the first batch 3.3 times: from 320 x 240 px, one became 1067 x 800 px (HR)' in text
    assert 'LR image is 267 x 200 px' in text and 'set the scale of Resize in train_dataloader' in text


@pytest.mark.parametrize(
    'batch',
    [
        samples((800, 1067)),
        samples((600, 800)),  # a little
        samples((240, 320), (1600, 2134), (1600, 2134)),  # one small image among others
        samples((500, 500), new=(512, 512), scale_factor=(0.5, 0.5)),  # padded
        [BaseDataElement()],
        [],
    ],
)
def test_other_images(batch):
    assert enlargement_warning(batch, (1, 3, 200, 267), {}) == ''


def test_a_crop_does_not_hide_that_an_image_was_enlarged():
    assert '3.0 times' in enlargement_warning(samples((300, 300), new=(256, 256), scale_factor=3.0), (1, 3, 64, 64), {})
