"""The data set converters, on small archives laid out as the real ones are."""

import io
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image
from scipy.io import savemat

sys.path.insert(0, str(Path(__file__).parents[2] / 'tools/dataset_converters'))
import archives
import cub200
import stanford_cars
import voc2012

from sr4ir_mm.errors import user_errors

Files = dict[str, bytes]
CLASSES = ('AM General Hummer SUV 2000', 'Acura RL Sedan 2012', 'Ram C/V Cargo Van Minivan 2012')


@pytest.fixture(autouse=True)
def few_images(monkeypatch):
    """The archives of these tests are not the published ones, and have fewer images."""
    monkeypatch.setattr(archives, 'MD5', {})
    splits = {'segmentation train': 2, 'segmentation val': 1, 'detection train': 3, 'detection val': 1}
    monkeypatch.setattr(voc2012, 'EXPECTED', {'images': 4, **splits, 'classes': 2})
    monkeypatch.setattr(cub200, 'EXPECTED', {'images': 4, 'train': 3, 'test': 1, 'classes': 2})
    monkeypatch.setattr(stanford_cars, 'EXPECTED', {'train': 6, 'val': 3, 'classes': 3})


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run a converter with ``--out tmp_path/out``; returns its exit code and its last words."""

    def run(module, *sources: Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, 'argv', ['tool', *map(str, sources), '--out', str(tmp_path / 'out')])
        code = 0
        try:
            with user_errors():
                module.main()
        except SystemExit as exit:
            code = exit.code
        output = capsys.readouterr()
        return code, output.err.partition('error: ')[2].strip() if code else output.out

    return run


def image(seed: int, size: tuple[int, int] = (40, 30), mode: str = 'RGB') -> bytes:
    shape = size[::-1] + ((3,) if mode == 'RGB' else ())
    pixels = np.random.default_rng(seed).integers(0, 3 if mode == 'P' else 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels, mode).save(file, 'PNG' if mode == 'P' else 'JPEG')
    return file.getvalue()


def voc_files() -> Files:
    root, names = 'VOCdevkit/VOC2012', ['2007_000027', '2007_000032', '2008_000002', '2008_000003']
    box = '<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>20</ymax></bndbox>'
    xml = (
        '<annotation><size><width>40</width><height>30</height><depth>3</depth></size>'
        f'<object><name>dog</name><difficult>0</difficult>{box}</object></annotation>'
    )
    files = {f'{root}/Annotations/{name}.xml': xml.encode() for name in names}
    for split, segmentation, detection in (('train', names[:2], names[:3]), ('val', names[2:3], names[3:])):
        files[f'{root}/ImageSets/Segmentation/{split}.txt'] = '\n'.join(segmentation).encode() + b'\n'
        files[f'{root}/ImageSets/Main/{split}.txt'] = '\n'.join(detection).encode() + b'\n'
    for label in ('dog', 'cat'):
        files[f'{root}/ImageSets/Main/{label}_trainval.txt'] = b'2007_000027 -1\n'
    files |= {f'{root}/JPEGImages/{name}.jpg': image(i) for i, name in enumerate(names)}
    return files | {f'{root}/SegmentationClass/{name}.png': image(i, mode='P') for i, name in enumerate(names[:3])}


def cub_files() -> Files:
    images = ['001.Black_footed_Albatross/A_1.jpg', '001.Black_footed_Albatross/A_2.jpg']
    images += ['002.Laysan_Albatross/L_1.jpg', '002.Laysan_Albatross/L_2.jpg']
    tables = dict(images=images, image_class_labels=[1, 1, 2, 2], train_test_split=[1, 1, 1, 0])
    files = {'attributes.txt': b'1 has_bill_shape::curved\n', 'CUB_200_2011/images/._A_1.jpg': b'macOS'}
    for name, values in tables.items():
        files[f'CUB_200_2011/{name}.txt'] = ''.join(f'{i} {value}\n' for i, value in enumerate(values, 1)).encode()
    return files | {f'CUB_200_2011/images/{name}': image(i) for i, name in enumerate(images)}


def mat(rows: list[dict], **arrays) -> bytes:
    """Annotations as the devkit has them: a 1 x N array of structs."""
    table = np.empty((1, len(rows)), [(key, object) for key in rows[0]])
    for i, row in enumerate(rows):
        table[0, i] = tuple(row.values())
    file = io.BytesIO()
    savemat(file, dict(annotations=table, **arrays))
    return file.getvalue()


def class_names() -> np.ndarray:
    return np.array([CLASSES], dtype=object)


def car(split: str, i: int) -> dict:
    return {'bbox_x1': 1, 'bbox_y1': 1, 'bbox_x2': 9, 'bbox_y2': 9, 'class': i % 3 + 1, 'fname': f'{i + 1:05d}.jpg'}


CARS = [('train', 6), ('test', 3)]  # split, images; image i is of class i % 3


def devkit_archives(folder: Path) -> list[Path]:
    sources = []
    for split, number in CARS:
        files = {f'cars_{split}/{i + 1:05d}.jpg': image(i) for i in range(number)}
        sources.append(pack(folder / f'cars_{split}.tgz', files))
    meta = io.BytesIO()
    savemat(meta, dict(class_names=class_names()))
    annotations = {split: mat([car(split, i) for i in range(number)]) for split, number in CARS}
    devkit = {'devkit/cars_meta.mat': meta.getvalue(), 'devkit/cars_train_annos.mat': annotations['train']}
    sources.append(pack(folder / 'car_devkit.tgz', devkit))
    sources.append(folder / 'cars_test_annos_withlabels.mat')
    sources[-1].write_bytes(annotations['test'])
    return sources


def car_ims_archives(folder: Path) -> list[Path]:
    rows = [(split, i) for split, number in CARS for i in range(number)]
    names = [f'car_ims/{i + 1:06d}.jpg' for i in range(len(rows))]
    table = [
        {'relative_im_path': name, 'bbox_x1': 1, 'class': i % 3 + 1, 'test': int(split == 'test')}
        for name, (split, i) in zip(names, rows)
    ]
    (folder / 'cars_annos.mat').write_bytes(mat(table, class_names=class_names()))
    files = {name: image(i) for name, (_, i) in zip(names, rows)}
    return [pack(folder / 'car_ims.tgz', files), folder / 'cars_annos.mat']


def sorted_files(root: str = 'car_data/car_data') -> Files:
    return {
        f'{root}/{split}/{CLASSES[i % 3].replace("/", "-")}/{i + 1:05d}.jpg': image(i)
        for split, number in CARS
        for i in range(number)
    }


def pack(path: Path, files: Files) -> Path:
    if path.suffix == '.zip':
        with zipfile.ZipFile(path, 'w') as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return path
    with tarfile.open(path, 'w:gz' if path.suffix == '.tgz' else 'w') as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def test_voc_is_what_mmseg_and_mmdet_read(run, tmp_path):
    import mmdet.datasets  # noqa: F401
    import mmseg.datasets  # noqa: F401

    files = voc_files()
    code, text = run(voc2012, pack(tmp_path / 'voc.tar', files))
    assert code == 0
    assert 'segmentation train        2 (expected: 2)' in text and 'detection val             1 (expected: 1)' in text
    out = tmp_path / 'out'
    assert tree(out) == {name.removeprefix('VOCdevkit/VOC2012/'): data for name, data in files.items()}
    folders = dict(img_path='JPEGImages', seg_map_path='SegmentationClass')
    dataset = dict(type='mmseg.PascalVOCDataset', data_root=str(out), data_prefix=folders, pipeline=[])
    train, val = (DATASETS.build(dict(dataset, ann_file=f'ImageSets/Segmentation/{x}.txt')) for x in ('train', 'val'))
    assert (len(train), len(val)) == (2, 1)
    assert all(Path(train[i][key]).is_file() for i in range(2) for key in ('img_path', 'seg_map_path'))
    out.rename(tmp_path / 'VOC2012')
    detection = DATASETS.build(
        dict(type='mmdet.VOCDataset', data_root=str(tmp_path), ann_file='VOC2012/ImageSets/Main/train.txt',
             data_prefix=dict(sub_data_root='VOC2012/')))  # fmt: skip
    assert len(detection) == 3 and len(detection.get_data_info(0)['instances']) == 1


@pytest.mark.parametrize('name', ['cub.tgz', 'archive.zip'])
def test_cub_is_what_mmpretrain_reads(name, run, tmp_path):
    import mmpretrain.datasets  # noqa: F401

    assert run(cub200, pack(tmp_path / name, cub_files()))[0] == 0
    out = tmp_path / 'out'
    assert not (out / 'attributes.txt').exists() and not list(out.rglob('._*'))
    train, test = (DATASETS.build(dict(type='mmpretrain.CUB', data_root=str(out), split=x)) for x in ('train', 'test'))
    assert (len(train), len(test)) == (3, 1)
    assert [train.get_data_info(i)['gt_label'] for i in range(3)] == [0, 0, 1]
    assert all(Path(train.get_data_info(i)['img_path']).is_file() for i in range(3))


def cars_from(kind: str, folder: Path) -> list[Path]:
    if kind == 'devkit':
        return devkit_archives(folder)
    if kind == 'car_ims':
        return car_ims_archives(folder)
    if kind == 'zip and devkit':  # a .zip on Kaggle repeats the folders, and has the table of car_ims, to no use
        train, test, *rest = devkit_archives(folder)
        images = {
            f'{Path(name).parts[0]}/{name}': data for archive in (train, test) for name, data in unpacked(archive)
        }
        table = car_ims_archives(folder)[1].read_bytes()
        return [pack(folder / 'archive.zip', {**images, 'cars_annos.mat': table}), *rest]
    if kind == 'sorted zip':
        return [pack(folder / 'archive.zip', {**sorted_files(), 'names.csv': b'x', 'anno_train.csv': b'x'})]
    for name, data in sorted_files('car_data').items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return [folder / 'car_data']


def unpacked(archive: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(archive) as file:
        return [(info.name, file.extractfile(info).read()) for info in file]


@pytest.mark.parametrize('kind', ['devkit', 'car_ims', 'zip and devkit', 'sorted zip', 'sorted folder'])
def test_cars_become_folders_of_classes_from_whatever_archives_there_are(kind, run, tmp_path):
    import mmpretrain.datasets  # noqa: F401

    (tmp_path / 'in').mkdir()
    code, text = run(stanford_cars, *cars_from(kind, tmp_path / 'in'))
    assert code == 0 and 'train                     6 (expected: 6)' in text
    out = tmp_path / 'out'
    folders = [name.replace('/', '-') for name in CLASSES]
    expected = {('train', folders[i % 3], image(i)) for i in range(6)} | {
        ('val', folders[i], image(i)) for i in range(3)
    }
    assert {(*path.parts[-3:-1], path.read_bytes()) for path in out.glob('*/*/*')} == expected
    for split, number in (('train', 6), ('val', 3)):
        dataset = DATASETS.build(dict(type='mmpretrain.CustomDataset', data_root=str(out), data_prefix=split))
        assert len(dataset) == number and list(dataset.CLASSES) == sorted(folders)


def test_cars_without_their_labels_say_what_is_missing(run, tmp_path):
    train, test, devkit, labels = devkit_archives(tmp_path)
    for sources, missing in (([train, test], 'cars_meta.mat'), ([train, test, devkit], 'cars_test_annos_withlabels')):
        code, message = run(stanford_cars, *sources)
        assert code == 2 and f"no '{missing}" in message
    code, message = run(stanford_cars, train, devkit, labels)
    assert code == 2 and '0 val, not 3' in message and not (tmp_path / 'out').exists()


@pytest.mark.parametrize('name', ['voc.tar', 'voc.tgz', 'voc.zip'])
@pytest.mark.parametrize('part', [0.2, 0.4, 0.41, 0.7])
def test_a_truncated_archive_writes_nothing(name, part, run, tmp_path):
    archive = pack(tmp_path / name, voc_files())
    size = int(archive.stat().st_size * part)
    archive.write_bytes(archive.read_bytes()[: size // 512 * 512 if part == 0.4 else size])
    code, message = run(voc2012, archive)
    assert code == 2 and name in message and 'cut off' in message and 'download it again' in message
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize('name', ['voc.tgz', 'voc.zip'])
def test_a_damaged_archive_is_not_taken_for_complete(name, run, tmp_path):
    good = pack(tmp_path / name, voc_files()).read_bytes()
    middle = good.index(b'JFIF') if name == 'voc.zip' else len(good) // 2
    (tmp_path / name).write_bytes(
        good[:middle] + bytes(255 - b for b in good[middle : middle + 9]) + good[middle + 9 :]
    )
    code, message = run(voc2012, tmp_path / name)
    assert code == 2 and name in message and not (tmp_path / 'out').exists()
    (tmp_path / name).write_bytes(good)
    assert run(voc2012, tmp_path / name)[0] == 0
    assert len(tree(tmp_path / 'out')) == len(voc_files())


@pytest.mark.parametrize(
    ('data', 'message'),
    [(b'<html>404</html>', 'no archive'), (None, "no folder 'VOC2012/', but 'attributes.txt'")],
)
def test_a_wrong_archive_is_named(data, message, run, tmp_path):
    archive = pack(tmp_path / 'x.tgz', cub_files())
    if data:
        archive.write_bytes(data)
    code, text = run(voc2012, archive)
    assert code == 2 and message in text and 'x.tgz' in text
    assert run(voc2012, tmp_path / 'none.tar') == (2, f"There is no '{tmp_path}/none.tar'.")


def test_a_file_with_a_published_name_must_be_the_published_one(run, tmp_path, monkeypatch):
    archive = pack(tmp_path / 'VOC.tar', voc_files())
    monkeypatch.setattr(archives, 'MD5', {'VOC.tar': '0' * 32})
    code, message = run(voc2012, archive)
    assert code == 2 and 'not the published file' in message
    monkeypatch.setattr(archives, 'MD5', {'VOC.tar': archives._md5(archive)})
    assert run(voc2012, archive)[0] == 0


@pytest.mark.parametrize('name', ['../../VOC2012/evil.txt', '/VOC2012/evil.txt', 'VOC2012/{folder}/evil.txt'])
def test_nothing_is_written_outside_the_folder(name, run, tmp_path):
    archive = pack(tmp_path / 'x.zip', {**voc_files(), name.format(folder=tmp_path): b'evil'})
    code, message = run(voc2012, archive)
    assert code == 2 and 'outside' in message and not list(tmp_path.rglob('evil.txt'))


def test_a_run_that_was_cut_continues(run, tmp_path, monkeypatch):
    archive = pack(tmp_path / 'voc.tar', voc_files())
    written, copy = [], archives.shutil.copyfileobj

    def cut(source, file, length):
        written.append(file.name)
        if len(written) == 6:
            file.write(source.read()[:50])
            raise KeyboardInterrupt
        copy(source, file, length)

    monkeypatch.setattr(archives.shutil, 'copyfileobj', cut)
    with pytest.raises(KeyboardInterrupt):
        run(voc2012, archive)
    assert not (tmp_path / 'out').exists() and (tmp_path / 'out.partial').is_dir()
    assert run(voc2012, archive)[0] == 0
    assert len(written) == len(voc_files()) + 1  # the sixth twice, no other one
    assert not (tmp_path / 'out.partial').exists()
    expected = {name.removeprefix('VOCdevkit/VOC2012/'): data for name, data in voc_files().items()}
    assert tree(tmp_path / 'out') == expected
    archive.unlink()
    code, text = run(voc2012, archive)  # which is not needed any more
    assert code == 0 and 'complete already' in text


def test_a_link_to_an_empty_folder_is_filled(run, tmp_path):
    (tmp_path / 'disk/voc').mkdir(parents=True)
    (tmp_path / 'out').symlink_to(tmp_path / 'disk/voc')
    assert run(voc2012, pack(tmp_path / 'voc.tar', voc_files()))[0] == 0
    assert (tmp_path / 'out').is_symlink() and len(tree(tmp_path / 'disk/voc')) == len(voc_files())


def test_a_folder_that_is_not_complete_is_not_taken_for_it(run, tmp_path):
    files = voc_files()
    del files['VOCdevkit/VOC2012/JPEGImages/2008_000003.jpg']
    code, message = run(voc2012, pack(tmp_path / 'voc.tar', files))
    assert code == 2 and '3 images, not 4; 0 detection val, not 1' in message and 'out.partial' in message
    assert not (tmp_path / 'out').exists()
    (tmp_path / 'out.partial').rename(tmp_path / 'out')  # as if unpacked by hand
    code, message = run(voc2012, pack(tmp_path / 'voc.tar', voc_files()))
    assert code == 2 and '3 images, not 4' in message and 'was there before' in message
