"""What a benchmark runs: jobs, predictions, data loaders, losses."""

import runpy
import sys

import pytest
import torch
from helpers.zoo import TOOLS

from sr4ir_mm.analysis.benchmark import training
from sr4ir_mm.analysis.benchmark.inference import Bare, inference, write_images
from sr4ir_mm.analysis.benchmark.jobs import PAPER, Job, find_jobs
from sr4ir_mm.analysis.benchmark.loading import loading
from sr4ir_mm.analysis.benchmark.losses import deviation
from sr4ir_mm.analysis.benchmark.variants import INFERENCE, TRAINING, choose
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference import SR4IRInferencer

DEMO = Job('fcn-tiny_edsr-tiny_x4_demo', size=(64, 96))


def test_jobs_of_the_paper():
    jobs = find_jobs(['paper'])
    assert [job.name for job in jobs] == list(PAPER) and (jobs[0].batch, jobs[0].size) == (8, (224, 224))
    assert all(job.load().model.scheme == 'SR4IR' for job in jobs)
    (job,) = find_jobs(['configs/paper/tv-deeplabv3_edsr_x4_voc.py'], batch=1, size=[64, 64])
    assert job.title == 'tv-deeplabv3_edsr_x4_voc, batch 1, 64 x 64 px'
    assert job.load().model.task.data_preprocessor['size'] == (64, 64)


def test_a_config_of_a_zoo_needs_an_sr_network():
    name = 'mmpretrain::resnet/resnet18_8xb32_in1k.py'
    with pytest.raises(SR4IRError, match='--sr'):
        Job(name).load()
    assert Job(name, sr='edsr').load().model.scale == 4


@pytest.mark.parametrize('name', [DEMO.config, 'tv-faster-rcnn_edsr_x4_voc', 'tv-resnet18_edsr_x4_cars'])
def test_labels_of_batches_are_classes_of_the_task_network(name):
    job = Job(name, batch=8, size=(32, 48))
    batch = job.make_batch(job.load())
    assert [tuple(image.shape) for image in batch['inputs']] == [(3, 32, 48)] * 8
    sample = batch['data_samples'][0]
    assert any(key in sample for key in ('gt_sem_seg', 'gt_instances', 'gt_label'))


@pytest.mark.parametrize('way', INFERENCE)
def test_ways_to_predict(way, tmp_path):
    paths = write_images(tmp_path, 2, DEMO)
    assert inference(DEMO, paths, way, str(tmp_path / 'out'))() == 2
    all_of_them = {'preds', 'sr', 'vis'}
    wanted = {'infer-no_pictures': {'preds', 'sr'}, 'infer': all_of_them, 'infer-amp': all_of_them}.get(way, set())
    assert {path.name for path in (tmp_path / 'out').glob('*')} == wanted


def test_the_bare_loop_predicts_what_the_inferencer_predicts(tmp_path):
    (path,) = write_images(tmp_path, 1, DEMO)
    torch.manual_seed(0)
    inferencer = SR4IRInferencer(DEMO.load(), 'random', 'cpu', show_progress=False)
    (sample,) = Bare(inferencer, path)(path)
    own = inferencer(path)['predictions'][0]
    assert torch.equal(sample.pred_sem_seg.data, own.pred_sem_seg.data) and len(own.pred_sem_seg.data.unique()) > 1


@pytest.mark.parametrize('has_workers', [False, True])
def test_loading(has_workers, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['make_demo_data.py', str(tmp_path), '--train', '9', '--val', '2'])
    runpy.run_path(str(TOOLS / 'make_demo_data.py'), run_name='__main__')
    options = dict(data_root=str(tmp_path)) | {'train_dataloader.num_workers': 1}
    job = Job('fcn-tiny_edsr-tiny_x4_demo', options=options)
    load = loading(job, has_workers)
    assert [load(), load()] == [18, 18]  # 4 batches of 8 and 1, 8 and 1: epochs follow each other


def test_deviation():
    found = deviation([1.0, 2.2, -4.0], [1.0, 2.0, -5.0])
    assert found == dict(first=0, max=pytest.approx(0.2), mean=pytest.approx(0.1))


def test_choice_of_variants():
    assert choose(None, 'inference') == list(INFERENCE)
    assert choose(['infer', 'floor', 'amp'], 'training') == ['floor', 'amp']
    with pytest.raises(SR4IRError, match='None of --variants'):
        choose(['infer'], 'training')


def test_jobs_with_other_options_have_another_name():
    """Benchmarks are compared by it."""
    assert Job('a/b.py', options={'model.scale': 2}).name == 'b model.scale=2'


@pytest.mark.parametrize('variant', TRAINING.values(), ids=TRAINING)
def test_a_variant_and_its_floor_have_the_same_allocator(variant, monkeypatch):
    calls = []
    monkeypatch.setattr(training, 'keep_freed_memory', lambda: calls.append(1))
    monkeypatch.setattr(training, 'training', lambda variant: None)
    training.training_process(variant)
    alone = len(calls)
    training.training_process(TRAINING[variant.floor] if variant.floor else variant)
    assert len(calls) == 2 * alone == 2 * variant.channels_last
