"""Measure slices on mosaics of test images, which the task network's pipeline makes as small as one of them:

    python .dev_scripts/compare_slices.py work_dirs/atss-efficientnet-lite0_edsr-s_x8_bccd --slice 480 --overlap 0.4

Prints the AP of each image alone, and of mosaics without and with slices.
"""

import contextlib
import io
from argparse import Namespace

import cv2
import numpy as np
from mmengine.registry import DATASETS, DefaultScope
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from sr4ir_mm.config.cli import Parser, at_least
from sr4ir_mm.errors import SR4IRError, user_errors
from sr4ir_mm.inference import SR4IRInferencer
from sr4ir_mm.inference.lr_predictor import lr_image
from sr4ir_mm.utils import to_uint8

Boxes = list[tuple[list[float], int]]


def main() -> None:
    """Predict, and print a table."""
    parser = Parser(description=__doc__)
    parser.add_argument('model', help='work dir or checkpoint of a detector')
    parser.add_argument('--side', type=at_least(2), default=4, help='images along a side of a mosaic')
    parser.add_argument('--mosaics', type=at_least(1), default=2)
    parser.add_argument('--slice', type=at_least(32), default=640)
    parser.add_argument('--overlap', type=float, default=0.2)
    args = parser.parse_args()
    run = SR4IRInferencer(args.model, show_progress=False, window=0)
    images, boxes = zip(*test_images(run, args))
    mosaics = [mosaic(images[i : i + args.side**2], args.side) for i in range(0, len(images), args.side**2)]
    moved = [
        mosaic_boxes(boxes[i : i + args.side**2], images[0], args.side) for i in range(0, len(boxes), args.side**2)
    ]
    options = dict(slice_size=args.slice, slice_overlap=args.overlap)
    sliced = SR4IRInferencer(args.model, show_progress=False, **options)
    print('| images | AP | AP50 |\n|---|---:|---:|')
    name = f'mosaics in slices of {args.slice} px, {args.overlap} in common'
    rows = (('each alone', run, images, boxes), ('mosaics', run, mosaics, moved), (name, sliced, mosaics, moved))
    for name, inferencer, hr, truth in rows:
        scores = average_precision(predict(inferencer, hr), truth)
        print(f'| {name} | {scores[0]:.1f} | {scores[1]:.1f} |', flush=True)


def test_images(run: SR4IRInferencer, args: Namespace) -> list[tuple[np.ndarray, Boxes]]:
    """Return test images of one size, that of the first, with their boxes."""
    with DefaultScope.overwrite_default_scope(run.scope):
        dataset = DATASETS.build(run.cfg.test_dataloader.dataset)
    found = []
    for info in (dataset.get_data_info(index) for index in range(len(dataset))):
        image = cv2.imread(info['img_path'])
        if not found or image.shape == found[0][0].shape:
            found.append((image, [(entry['bbox'], entry['bbox_label']) for entry in info['instances']]))
    count = args.side**2 * args.mosaics
    if len(found) < count:
        raise SR4IRError(f'{count} images of one size are needed, and there are {len(found)}: choose fewer --mosaics.')
    return found[:count]


def mosaic(images: list[np.ndarray], side: int) -> np.ndarray:
    """Put images side by side, row by row."""
    return np.vstack([np.hstack(images[i : i + side]) for i in range(0, side**2, side)])


def mosaic_boxes(boxes: list[Boxes], image: np.ndarray, side: int) -> Boxes:
    """Move the boxes of images to where their images are in a mosaic."""
    height, width = image.shape[:2]
    places = [(index % side * width, index // side * height) * 2 for index in range(side**2)]
    moved = zip(places, boxes)
    return [([a + b for a, b in zip(box, place)], label) for place, entries in moved for box, label in entries]


def predict(run: SR4IRInferencer, images: list[np.ndarray]) -> list[dict]:
    """Degrade HR images, and return the objects in COCO's format and in coordinates of the HR images."""
    degrade, found = run.model.data_preprocessor.degradation, []
    for index, image in enumerate(images):
        lr = to_uint8(degrade(lr_image(image)[None])[0])[..., ::-1] if run.pipeline.scale > 1 else image
        (sample,) = run(np.ascontiguousarray(lr), coords='sr')['predictions']
        objects = sample.pred_instances
        for (left, top, right, bottom), score, label in zip(
            *(objects[key].tolist() for key in ('bboxes', 'scores', 'labels'))
        ):
            box = [left, top, right - left, bottom - top]
            found.append(dict(image_id=index, category_id=label, score=score, bbox=box))
    return found


def average_precision(found: list[dict], truth: list[Boxes]) -> tuple[float, float]:
    """Return AP and AP50 in percent, with any number of objects in an image."""
    entries = [(index, box, label) for index, boxes in enumerate(truth) for box, label in boxes]
    annotations = [
        dict(id=number, image_id=index, category_id=label, bbox=[a, b, c - a, d - b], area=(c - a) * (d - b), iscrowd=0)
        for number, (index, (a, b, c, d), label) in enumerate(entries, 1)
    ]
    coco, labels = COCO(), sorted({label for *_, label in entries})
    coco.dataset = dict(
        images=[dict(id=i) for i in range(len(truth))], annotations=annotations, categories=[dict(id=i) for i in labels]
    )
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        scores = COCOeval(coco, coco.loadRes(found), 'bbox')
        scores.params.maxDets = [10**5]
        scores.evaluate()
        scores.accumulate()
    precision = scores.eval['precision'][:, :, :, 0, 0]
    return 100 * precision[precision > -1].mean(), 100 * precision[0][precision[0] > -1].mean()


if __name__ == '__main__':
    with user_errors():
        main()
