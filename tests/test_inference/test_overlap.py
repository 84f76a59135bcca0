"""Images are read, predicted and written at the same time: in order, in batches, and until the consumer stops."""

import threading
from concurrent.futures import Future

import numpy as np
import pytest
from test_inferencer import config, picture

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference import overlap
from sr4ir_mm.inference.inferencer import SR4IRInferencer
from sr4ir_mm.inference.overlap import Job, in_order, read_ahead, thread

LARGE = 10**9


def jobs(sizes: list[int]) -> list[Job]:
    return [Job(str(i), str(i), np.zeros((size, size, 3), np.uint8)) for i, size in enumerate(sizes)]


class Predictor:
    """Keeps the names of each batch, and gives each image its name as the result."""

    def __init__(self):
        self.batches = []

    def __call__(self, batch: list[Job]) -> None:
        assert len({job.image.shape for job in batch}) == 1
        self.batches.append([job.name for job in batch])
        for job in batch:
            job.result = Future()
            job.result.set_result(job.name)


@pytest.mark.parametrize('batch_size', [1, 2, 3, 8])
@pytest.mark.parametrize('max_pixels', [1, 50, LARGE])
def test_results_are_in_order_and_each_image_is_predicted_once(batch_size, max_pixels):
    sizes = np.random.default_rng(0).integers(3, 6, 30).tolist()
    predict = Predictor()
    names = [job.result.result() for job in in_order(jobs(sizes), batch_size, predict, max_pixels)]
    assert names == [str(i) for i in range(30)]
    assert sorted(int(name) for batch in predict.batches for name in batch) == list(range(30))
    assert all(len(batch) <= batch_size for batch in predict.batches)


def test_images_of_one_size_are_found_among_others():
    predict = Predictor()
    assert len(list(in_order(jobs([4, 5] * 8), 4, predict, LARGE))) == 16
    assert [len(batch) for batch in predict.batches] == [4, 4, 4, 4]


def test_a_batch_is_predicted_while_the_one_before_is_written():
    predict = Predictor()
    found = in_order(jobs([4] * 6), 2, predict, LARGE)
    assert next(found).name == '0' and predict.batches == [['0', '1'], ['2', '3']]


@pytest.mark.parametrize(('max_pixels', 'most'), [(LARGE, 8 + 4), (3 * 16, 4 + 2)])
def test_few_images_wait(max_pixels, most):
    taken = []

    def reading():
        for job in jobs([4, 5] * 20):
            taken.append(job)
            yield job

    for done, _ in enumerate(in_order(reading(), 2, Predictor(), max_pixels), 1):
        assert len(taken) - done <= most


def test_images_without_a_result_do_not_wait_for_others():
    def refuse(batch):
        for job in batch:
            job.reason = 'is too small'

    taken = []

    def reading():
        for job in jobs([4] * 20):
            taken.append(job)
            yield job

    for done, _ in enumerate(in_order(reading(), 2, refuse, LARGE), 1):
        assert len(taken) - done <= 8 + 2


def test_an_error_comes_after_the_results_before_it():
    def predict(batch):
        if batch[0].name == '2':
            raise RuntimeError('CUDA error')
        Predictor()(batch)

    found = in_order(jobs([4] * 5), 1, predict, LARGE)
    assert [next(found).result.result() for _ in range(2)] == ['0', '1']
    with pytest.raises(RuntimeError, match='CUDA error'):
        next(found).result.result()


def test_an_error_of_the_reader_comes_after_the_results_before_it(monkeypatch):
    def read(image, max_pixels):
        if image == '2.png':
            raise MemoryError('no memory')
        return np.zeros((4, 4, 3), np.uint8)

    monkeypatch.setattr(overlap, 'read_image', read)
    with thread('reads') as reader:
        found = in_order(read_ahead([f'{i}.png' for i in range(4)], LARGE, reader), 4, Predictor(), LARGE)
        assert [next(found).result.result() for _ in range(2)] == ['0', '1']
        with pytest.raises(MemoryError, match='no memory'):
            next(found).result.result()


def test_reading_is_ahead_by_few_images(monkeypatch):
    read = []
    monkeypatch.setattr(overlap, 'read_image', lambda image, max_pixels: read.append(image) or np.zeros((4, 4, 3)))
    with thread('reads') as reader:
        images = read_ahead([f'{i}.png' for i in range(20)], LARGE, reader)
        assert next(images).path == '0.png'
        reader.submit(int).result()  # what waits is done
        assert read == ['0.png', '1.png', '2.png']


@pytest.fixture(scope='module')
def inferencer() -> SR4IRInferencer:
    return SR4IRInferencer(config('segformer'), 'random', 'cpu', show_progress=False)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith('sr4ir')]


def test_a_consumer_that_stops_ends_the_threads(inferencer, tmp_path):
    stream = inferencer.stream([picture(8, 8, i) for i in range(9)], out_dir=str(tmp_path), no_save_vis=True)
    assert next(stream)['input'] == '000000'
    assert threads() and (tmp_path / 'preds/000000.json').is_file()
    stream.close()
    assert not threads()
    assert all(path.suffix in ('.png', '.json') and path.stat().st_size for path in (tmp_path / 'sr').iterdir())
    assert len(list((tmp_path / 'sr').iterdir())) <= 3


def test_a_result_that_cannot_be_written_ends_the_run_after_those_before(inferencer, tmp_path):
    (tmp_path / 'sr').mkdir()
    (tmp_path / 'sr/000002.png').mkdir()
    found = []
    with pytest.raises(SR4IRError, match=r"000002\.png' cannot be written"):
        for result in inferencer.stream([picture(8, 8, i) for i in range(6)], out_dir=str(tmp_path)):
            found.append(result['input'])
    assert found == ['000000', '000001'] and not threads()


def test_what_is_skipped_is_reported_in_order(inferencer, tmp_path):
    images = [picture(8, 8), 'no.png', picture(8, 9), 'nor.png', picture(8, 8)]
    skipped: dict[str, str] = {}
    names = [result['input'] for result in inferencer.stream(images, 4, skipped=skipped)]
    assert names == ['000000', '000002', '000004'] and list(skipped) == ['no.png', 'nor.png']


def test_the_bar_ends_at_its_end(inferencer, capsys, monkeypatch):
    monkeypatch.setattr(inferencer, 'show_progress', True)
    assert len(list(inferencer.stream(['no.png', picture(8, 8), picture(8, 8)]))) == 2
    assert '3/3' in capsys.readouterr().err
