"""Small archives in the layout of the official ones. Importing this module makes the data set converters importable."""

import io
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

FOLDER = Path(__file__).parents[2] / 'tools/dataset_converters'
sys.path.insert(0, str(FOLDER))  # where the converters import each other from

Files = dict[str, bytes]
CLASSES = ('AM General Hummer SUV 2000', 'Acura RL Sedan 2012', 'Ram C/V Cargo Van Minivan 2012')


def image(seed: int, size: tuple[int, int] = (40, 30), mode: str = 'RGB') -> bytes:
    shape = size[::-1] + ((3,) if mode == 'RGB' else ())
    pixels = np.random.default_rng(seed).integers(0, 3 if mode == 'P' else 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels, mode).save(file, 'PNG' if mode == 'P' else 'JPEG')
    return file.getvalue()


def voc_files(size: tuple[int, int] = (40, 30)) -> Files:
    root, names = 'VOCdevkit/VOC2012', ['2007_000027', '2007_000032', '2008_000002', '2008_000003']
    box = '<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>20</ymax></bndbox>'
    xml = (
        f'<annotation><size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>'
        f'<object><name>dog</name><difficult>0</difficult>{box}</object></annotation>'
    )
    files = {f'{root}/Annotations/{name}.xml': xml.encode() for name in names}
    for split, segmentation, detection in (('train', names[:2], names[:3]), ('val', names[2:3], names[3:])):
        files[f'{root}/ImageSets/Segmentation/{split}.txt'] = '\n'.join(segmentation).encode() + b'\n'
        files[f'{root}/ImageSets/Main/{split}.txt'] = '\n'.join(detection).encode() + b'\n'
    for label in ('dog', 'cat'):
        files[f'{root}/ImageSets/Main/{label}_trainval.txt'] = b'2007_000027 -1\n'
    files |= {f'{root}/JPEGImages/{name}.jpg': image(i, size) for i, name in enumerate(names)}
    return files | {f'{root}/SegmentationClass/{name}.png': image(i, size, 'P') for i, name in enumerate(names[:3])}


def cub_files() -> Files:
    images = ['001.Black_footed_Albatross/A_1.jpg', '001.Black_footed_Albatross/A_2.jpg']
    images += ['002.Laysan_Albatross/L_1.jpg', '002.Laysan_Albatross/L_2.jpg']
    tables = dict(images=images, image_class_labels=[1, 1, 2, 2], train_test_split=[1, 1, 1, 0])
    files = {'attributes.txt': b'1 has_bill_shape::curved\n', 'CUB_200_2011/images/._A_1.jpg': b'macOS'}
    for name, values in tables.items():
        files[f'CUB_200_2011/{name}.txt'] = ''.join(f'{i} {value}\n' for i, value in enumerate(values, 1)).encode()
    return files | {f'CUB_200_2011/images/{name}': image(i) for i, name in enumerate(images)}


def mat(rows: list[dict], **arrays) -> bytes:
    """Make a file of annotations as in the devkit: a 1 x N array of structs."""
    table = np.empty((1, len(rows)), [(key, object) for key in rows[0]])
    for i, row in enumerate(rows):
        table[0, i] = tuple(row.values())
    file = io.BytesIO()
    savemat(file, dict(annotations=table, **arrays))
    return file.getvalue()


def class_names() -> np.ndarray:
    return np.array([CLASSES], dtype=object)


def car(i: int, box: tuple[int, int, int, int]) -> dict:
    edges = zip(('bbox_x1', 'bbox_y1', 'bbox_x2', 'bbox_y2'), box)
    return {**dict(edges), 'class': i % 3 + 1, 'fname': f'{i + 1:05d}.jpg'}


CARS = [('train', 6), ('test', 3)]  # split, images; image i is of class i % 3


def devkit_archives(folder: Path, size: tuple[int, int] = (40, 30), box: tuple = (1, 1, 9, 9)) -> list[Path]:
    sources = []
    for split, number in CARS:
        files = {f'cars_{split}/{i + 1:05d}.jpg': image(i, size) for i in range(number)}
        sources.append(pack(folder / f'cars_{split}.tgz', files))
    meta = io.BytesIO()
    savemat(meta, dict(class_names=class_names()))
    annotations = {split: mat([car(i, box) for i in range(number)]) for split, number in CARS}
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
