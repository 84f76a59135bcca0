"""Batches as columns, and Ray Data."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from test_inferencer import config, picture

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.inferencer import SR4IRInferencer

pytest.importorskip('pyarrow', exc_type=ImportError)  # later than 21, it fails with NumPy 1


def make(name: str) -> SR4IRInferencer:
    torch.manual_seed(0)
    return SR4IRInferencer(config(name), 'random', 'cpu')


def objects(images: list[np.ndarray]) -> np.ndarray:
    found = np.empty(len(images), object)
    found[:] = images
    return found


def test_objects_and_images_without_a_result(capsys):
    inferencer = make('retinanet')
    images = [picture(16, 20), picture(17, 20, 1), picture(18, 20, 2)]
    expected = inferencer(images)['predictions']
    capsys.readouterr()
    batch = dict(image=objects([images[0][..., ::-1], np.zeros((0, 3, 3), np.uint8), images[1][..., ::-1]]))
    found = inferencer({**batch, 'id': np.arange(3)})
    assert 'Inference' not in capsys.readouterr().err
    assert list(found['id']) == [0, 1, 2] and 'image' not in found and found['width'] == [20, 0, 20]
    for i, sample in ((0, expected[0]), (2, expected[1])):
        np.testing.assert_array_equal(found['bboxes'][i].to_pylist(), sample.pred_instances.bboxes.numpy())
        assert found['labels'][i].to_pylist() == sample.pred_instances.labels.tolist()
    assert found['error'][::2] == ['', ''] and found['error'][1].startswith('image is an array of uint8 and shape')
    assert not len(found['bboxes'][1]) and found['bboxes'][1].type == found['bboxes'][0].type


def test_contents_of_files_and_maps():
    inferencer = make('segformer')
    image = picture(20, 30)
    data = cv2.imencode('.png', image)[1].tobytes()
    found = inferencer(dict(bytes=[data, b'no image', None]), batch_size=2)
    expected = inferencer(image)['predictions'][0].pred_sem_seg.data[0].numpy()
    decoded = cv2.imdecode(np.frombuffer(found['pred_sem_seg'][0], np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(decoded, expected)
    assert found['pred_sem_seg'][1] == b'' and 'is not an image that OpenCV can decode' in found['error'][1]
    assert 'has no result' in found['error'][2]
    assert inferencer(dict(image=[dict(bytes=data, path='a.png')]))['pred_sem_seg'] == found['pred_sem_seg'][:1]
    with pytest.raises(SR4IRError, match=r"No column of the batch holds images \(img\): name it 'image' or 'bytes'"):
        inferencer(dict(img=[image]))


@pytest.mark.parametrize('name', ['retinanet', 'segformer', 'resnet18'])
def test_a_batch_without_any_result_has_the_same_columns(name):
    """Otherwise the blocks of Ray differ, and Parquet takes one kind."""
    damaged, image = make(name)(dict(bytes=[b'no image'])), cv2.imencode('.png', picture(20, 30))[1].tobytes()
    expected = make(name)(dict(bytes=[image, b'no image']))
    assert list(damaged) == list(expected) and len(damaged) > 3
    for column, (entry,) in damaged.items():
        assert all(type(other) is type(entry) for other in expected[column])
        assert getattr(entry, 'type', None) == getattr(expected[column][0], 'type', None)
        assert column == 'error' or entry == expected[column][1]


def test_what_shows_the_columns_has_the_size_that_an_exported_file_is_for(monkeypatch):
    inferencer, sizes, forward = make('resnet18'), [], SR4IRInferencer.forward

    def noted(self, batch, *args):
        sizes.extend(job.size for job in batch)
        return forward(self, batch, *args)

    monkeypatch.setattr(SR4IRInferencer, 'forward', noted)
    inferencer.model.sr.run = SimpleNamespace(size=(20, 24))
    for _ in range(2):
        assert 'pred_label' in inferencer(dict(bytes=[b'no image']))
    assert sizes == [(20, 24)], 'only once'


@pytest.mark.slow
def test_ray_data(tmp_path, monkeypatch):
    ray = pytest.importorskip('ray')
    pytest.importorskip('ray.data')
    from pyarrow import parquet

    cfg = config('retinanet')
    for i in range(7):
        (tmp_path / 'in').mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / f'in/{i}.png'), picture(16 + i % 2, 20, i))
    (tmp_path / 'in/00.png').write_bytes(b'no image')
    torch.manual_seed(0)
    inferencer = SR4IRInferencer(cfg, 'random', 'cpu')
    torch.save(dict(state_dict=inferencer.model.state_dict(), meta=dict(cfg=cfg.pretty_text)), tmp_path / 'w.pth')
    cfg.dump(tmp_path / 'net.py')
    # one CPU for the actor, one for what reads
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=2**28, log_to_driver=False)
    try:
        options = dict(weights=str(tmp_path / 'w.pth'), device='cpu')
        options = dict(fn_constructor_args=[str(tmp_path / 'net.py')], fn_constructor_kwargs=options, batch_size=1)
        pool = ray.data.ActorPoolStrategy(size=1)
        files = ray.data.read_binary_files(str(tmp_path / 'in'), include_paths=True)
        files.map_batches(SR4IRInferencer, compute=pool, **options).write_parquet(str(tmp_path / 'out'))
        images = ray.data.read_images([str(tmp_path / f'in/{i}.png') for i in range(7)], include_paths=True, mode='RGB')
        rows = images.map_batches(SR4IRInferencer, compute=pool, **{**options, 'batch_size': 3}).take_all()
    finally:
        ray.shutdown()
    paths = [str(tmp_path / f'in/{i}.png') for i in range(7)]
    expected = [sample.pred_instances.bboxes.numpy() for sample in inferencer(paths)['predictions']]
    table = {row['path']: row for row in parquet.read_table(tmp_path / 'out').to_pylist()}
    assert len(table) == 8 and 'OpenCV' in table[str(tmp_path / 'in/00.png')]['error']
    rows = {row['path']: row for row in rows}
    for path, boxes in zip(paths, expected):
        for found in (table[path], rows[path]):
            np.testing.assert_array_equal(np.array(list(map(list, found['bboxes'])), np.float32), boxes)
            assert not found['error']
