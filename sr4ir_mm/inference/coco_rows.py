"""Rows of predictions in COCO's format."""

from collections.abc import Iterator, Sequence

from ..errors import SR4IRError


def coco_categories(classes: Sequence[str]) -> list[dict]:
    """Return the entries of ``categories``; ids count from 1."""
    return [dict(id=i, name=str(name)) for i, name in enumerate(classes, 1)]


def coco_image(row: dict, image_id: int) -> dict:
    """Return the entry of ``images`` of a row, see :func:`to_row`."""
    return dict(id=image_id, file_name=row['image'], width=row['width'], height=row['height'])


def coco_annotations(row: dict, image_id: int, first_id: int) -> Iterator[dict]:
    """Yield the entries of ``annotations`` of a row; a box that is not finite is no object.

    Args:
        row (dict): Row, see :func:`to_row`.
        image_id (int): Id of the image.
        first_id (int): Id of the first entry.

    Raises:
        SR4IRError: If the prediction is no detection.
    """
    check_coco(row)
    masks = row.get('masks')
    found = [i for i, box in enumerate(row['bboxes']) if None not in box]
    for annotation_id, i in enumerate(found, first_id):
        left, top, right, bottom = row['bboxes'][i]
        width, height = right - left, bottom - top
        entry = dict(id=annotation_id, image_id=image_id, iscrowd=0, category_id=row['labels'][i] + 1)
        entry.update(bbox=[left, top, width, height], score=row['scores'][i], area=width * height)
        if masks is not None:
            entry.update(area=_area(masks[i]), segmentation=masks[i])
        yield entry


def check_coco(row: dict) -> None:
    """Check that COCO has a form for a prediction.

    Raises:
        SR4IRError: If not.
    """
    if 'bboxes' not in row:
        found = ', '.join(key for key in row if key.startswith('pred_')) or 'no predictions'
        raise SR4IRError(f"COCO has no form for {found}: write '.jsonl' or '.parquet' (--predictions).")


def _area(mask: dict) -> int:
    from pycocotools.mask import area  # installed with mmdet

    return int(area(mask))
