"""The data set converters, on small archives in the layout of the official ones."""

import bz2
import gzip
import lzma
import os
import tarfile
from pathlib import Path

import pytest
from helpers.data_archives import (
    CLASSES,
    car,
    car_ims_archives,
    cub_files,
    devkit_archives,
    image,
    mat,
    pack,
    sorted_files,
    tree,
    voc_files,
)
from mmengine.registry import DATASETS

import archives  # isort: skip
import cub200  # isort: skip
import stanford_cars  # isort: skip
import voc2012  # isort: skip


@pytest.fixture(autouse=True)
def few_images(monkeypatch):
    """The archives of these tests are not the published ones, and have fewer images."""
    monkeypatch.setattr(archives, 'MD5', {})
    splits = {'segmentation train': 2, 'segmentation val': 1, 'detection train': 3, 'detection val': 1}
    monkeypatch.setattr(voc2012, 'EXPECTED', {'images': 4, **splits, 'classes': 2})
    monkeypatch.setattr(cub200, 'EXPECTED', {'images': 4, 'train': 3, 'test': 1, 'classes': 2})
    monkeypatch.setattr(stanford_cars, 'EXPECTED', {'train': 6, 'val': 3, 'classes': 3})


def test_voc_is_what_mmseg_and_mmdet_read(convert, tmp_path):
    import mmdet.datasets  # noqa: F401
    import mmseg.datasets  # noqa: F401

    files = voc_files()
    code, text = convert(voc2012, pack(tmp_path / 'voc.tar', files))
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
def test_cub_is_what_mmpretrain_reads(name, convert, tmp_path):
    import mmpretrain.datasets  # noqa: F401

    assert convert(cub200, pack(tmp_path / name, cub_files()))[0] == 0
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
def test_cars_become_folders_of_classes_from_whatever_archives_there_are(kind, convert, tmp_path):
    import mmpretrain.datasets  # noqa: F401

    (tmp_path / 'in').mkdir()
    code, text = convert(stanford_cars, *cars_from(kind, tmp_path / 'in'))
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


def test_cars_without_their_labels_say_what_is_missing(convert, tmp_path):
    train, test, devkit, labels = devkit_archives(tmp_path)
    for sources, missing in (([train, test], 'cars_meta.mat'), ([train, test, devkit], 'cars_test_annos_withlabels')):
        code, message = convert(stanford_cars, *sources)
        assert code == 2 and f"'{missing}" in message and 'is missing' in message
    code, message = convert(stanford_cars, train, devkit, labels)
    assert code == 2 and '0 val, not 3' in message and not (tmp_path / 'out').exists()


@pytest.mark.parametrize('name', ['voc.tar', 'voc.tgz', 'voc.zip'])
@pytest.mark.parametrize('part', [0.2, 0.4, 0.41, 0.7])
def test_a_truncated_archive_writes_nothing(name, part, convert, tmp_path):
    archive = pack(tmp_path / name, voc_files())
    size = int(archive.stat().st_size * part)
    archive.write_bytes(archive.read_bytes()[: size // 512 * 512 if part == 0.4 else size])
    code, message = convert(voc2012, archive)
    assert code == 2 and name in message and 'cut off' in message and 'download it again' in message
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize('name', ['voc.tgz', 'voc.zip'])
def test_a_damaged_archive_is_not_taken_for_complete(name, convert, tmp_path):
    good = pack(tmp_path / name, voc_files()).read_bytes()
    middle = good.index(b'JFIF') if name == 'voc.zip' else len(good) // 2
    (tmp_path / name).write_bytes(
        good[:middle] + bytes(255 - b for b in good[middle : middle + 9]) + good[middle + 9 :]
    )
    code, message = convert(voc2012, tmp_path / name)
    assert code == 2 and name in message and not (tmp_path / 'out').exists()
    (tmp_path / name).write_bytes(good)
    assert convert(voc2012, tmp_path / name)[0] == 0
    assert len(tree(tmp_path / 'out')) == len(voc_files())


@pytest.mark.parametrize(
    ('data', 'message'),
    [(b'<html>404</html>', 'no archive'), (None, "no folder 'VOC2012/', but 'attributes.txt'")],
)
def test_a_wrong_archive_is_named(data, message, convert, tmp_path):
    archive = pack(tmp_path / 'x.tgz', cub_files())
    if data:
        archive.write_bytes(data)
    code, text = convert(voc2012, archive)
    assert code == 2 and message in text and 'x.tgz' in text
    assert convert(voc2012, tmp_path / 'none.tar') == (2, f"'{tmp_path}/none.tar' is missing: check the path.")


def test_a_file_with_a_published_name_must_be_the_published_one(convert, tmp_path, monkeypatch):
    archive = pack(tmp_path / 'VOC.tar', voc_files())
    monkeypatch.setattr(archives, 'MD5', {'VOC.tar': '0' * 32})
    code, message = convert(voc2012, archive)
    assert code == 2 and 'not the published file' in message
    monkeypatch.setattr(archives, 'MD5', {'VOC.tar': archives._md5(archive)})
    assert convert(voc2012, archive)[0] == 0


@pytest.mark.parametrize('name', ['../../VOC2012/evil.txt', '/VOC2012/evil.txt', 'VOC2012/{folder}/evil.txt'])
def test_nothing_is_written_outside_the_folder(name, convert, tmp_path):
    archive = pack(tmp_path / 'x.zip', {**voc_files(), name.format(folder=tmp_path): b'evil'})
    code, message = convert(voc2012, archive)
    assert code == 2 and 'outside' in message and not list(tmp_path.rglob('evil.txt'))


def test_a_run_that_was_cut_continues(convert, tmp_path, monkeypatch):
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
        convert(voc2012, archive)
    assert not (tmp_path / 'out').exists() and (tmp_path / 'out.partial').is_dir()
    assert convert(voc2012, archive)[0] == 0
    assert len(written) == len(voc_files()) + 1  # the sixth twice, no other one
    assert not (tmp_path / 'out.partial').exists()
    expected = {name.removeprefix('VOCdevkit/VOC2012/'): data for name, data in voc_files().items()}
    assert tree(tmp_path / 'out') == expected
    archive.unlink()
    code, text = convert(voc2012, archive)  # which is not needed any more
    assert code == 0 and 'complete already' in text


def test_a_link_to_an_empty_folder_is_filled(convert, tmp_path):
    (tmp_path / 'disk/voc').mkdir(parents=True)
    (tmp_path / 'out').symlink_to(tmp_path / 'disk/voc')
    assert convert(voc2012, pack(tmp_path / 'voc.tar', voc_files()))[0] == 0
    assert (tmp_path / 'out').is_symlink() and len(tree(tmp_path / 'disk/voc')) == len(voc_files())


def test_a_folder_that_is_not_complete_is_not_taken_for_it(convert, tmp_path):
    files = voc_files()
    del files['VOCdevkit/VOC2012/JPEGImages/2008_000003.jpg']
    code, message = convert(voc2012, pack(tmp_path / 'voc.tar', files))
    assert code == 2 and '3 images, not 4; 0 detection val, not 1' in message and 'out.partial' in message
    assert not (tmp_path / 'out').exists()
    (tmp_path / 'out.partial').rename(tmp_path / 'out')  # as if unpacked by hand
    code, message = convert(voc2012, pack(tmp_path / 'voc.tar', voc_files()))
    assert code == 2 and '3 images, not 4' in message and 'was there before' in message


def encrypted(path: Path, files: dict) -> Path:
    """A zip whose files are marked as encrypted."""
    data = bytearray(pack(path, files).read_bytes())
    for signature, flags in (b'PK\x03\x04', 6), (b'PK\x01\x02', 8):
        start = data.find(signature)
        while start >= 0:
            data[start + flags] |= 1
            start = data.find(signature, start + 4)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    'converter, files', [(voc2012, voc_files()), (cub200, cub_files()), (stanford_cars, sorted_files())]
)
def test_an_encrypted_archive(converter, files, convert, tmp_path):
    code, message = convert(converter, encrypted(tmp_path / 'a.zip', files))
    assert code == 2 and "a.zip' cannot be unpacked here" in message and 'password' in message
    assert 'Unpack it with the program that packed it, and give the folder.' in message


@pytest.mark.parametrize(
    'content',
    [
        b'', b'hello', b'<!DOCTYPE html>', bytes(5000), b'Rar!\x1a\x07\x01\x00' + bytes(500),
        b"7z\xbc\xaf'\x1c" + bytes(500), b'\xfd7zXZ\x00' + bytes(30), b'BZh9' + bytes(40),
        b'\x1f\x8b\x08' + bytes(40), b'PK\x05\x06' + bytes(18),
    ],
)  # fmt: skip
def test_what_is_no_archive(content, convert, tmp_path):
    (tmp_path / 'a.tar').write_bytes(content)
    code, message = convert(voc2012, tmp_path / 'a.tar')
    assert code == 2 and message.count('\n') == 0
    assert 'is cut off, damaged or no archive' in message or "has no folder 'VOC2012/', but no file." in message


@pytest.mark.parametrize('compress', [bz2.compress, lzma.compress, gzip.compress])
@pytest.mark.parametrize('damage', ['cut', 'flipped'])
def test_a_damaged_compression(compress, damage, convert, tmp_path):
    data = bytearray(compress(pack(tmp_path / 'a.tar', voc_files()).read_bytes()))
    if damage == 'cut':
        data = data[: len(data) // 2]
    else:
        data[len(data) // 2] ^= 255
    (tmp_path / 'b.tar').write_bytes(data)
    code, message = convert(voc2012, tmp_path / 'b.tar')
    assert code == 2 and 'b.tar' in message and 'download it again' in message


def test_a_pipe_is_not_waited_for(convert, tmp_path):
    os.mkfifo(tmp_path / 'a.tar')
    code, message = convert(voc2012, tmp_path / 'a.tar')
    assert code == 2 and "a.tar' is no file or folder" in message


@pytest.mark.parametrize(
    'table, content, message',
    [
        ('images', b'only\n', "images.txt' has a line of 1 words, not 2: 'only'"),
        ('images', b'1 a b\n', 'a line of 3 words, not 2'),
        ('images', '1 a.jpg'.encode('utf-16'), "images.txt' is no text file"),
        ('image_class_labels', b'1\n', "image_class_labels.txt' has a line of 1 words"),
        ('train_test_split', b'1 2 3\n', "train_test_split.txt' has a line of 3 words"),
        ('images', b'', '0 images, not 4'),
    ],
)
def test_malformed_lists_of_cub(table, content, message, convert, tmp_path):
    files = {**cub_files(), f'CUB_200_2011/{table}.txt': content}
    code, output = convert(cub200, pack(tmp_path / 'cub.tgz', files))
    assert code == 2 and message in output


ROW = car(0, (1, 1, 9, 9))


@pytest.mark.parametrize(
    'content, message',
    [
        (b'', 'MatReadError'),
        (b'no table' * 30, 'Unknown mat file type'),
        (mat([ROW])[:300], "cars_test_annos_withlabels.mat' is damaged or another file"),
        (mat([dict(a=1, b=2)]), 'no field of name fname'),
        (mat([{**ROW, 'class': 'x'}]), 'invalid literal'),
        (mat([{**ROW, 'class': 99}]), "give 'cars_test/00001.jpg' the class 99, but there are names of 3 classes"),
        (mat([{**ROW, 'class': 0}]), 'the class 0, but'),
        (b'MATLAB 7.3 MAT-file' + b' ' * 105 + b'\x00\x02IM' + bytes(600), 'v7.3'),
    ],
)
def test_malformed_tables_of_cars(content, message, convert, tmp_path):
    sources = devkit_archives(tmp_path)
    sources[3].write_bytes(content)
    code, output = convert(stanford_cars, *sources)
    assert code == 2 and message in output and not (tmp_path / 'out').exists()
