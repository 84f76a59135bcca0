"""Batches as columns: the form in which Ray Data passes them."""

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from ..errors import SR4IRError
from .predictions import to_row
from .tables import column_types, pyarrow

if TYPE_CHECKING:
    from .inferencer import SR4IRInferencer

#: columns that may hold images
IMAGES = ('image', 'bytes')
#: side of the image, in LR px, that shows the columns if no other has a result
_SIDE = 64
#: what the columns of an inferencer hold for an image without a result: each batch has all that were seen
_EMPTY: WeakKeyDictionary['SR4IRInferencer', dict] = WeakKeyDictionary()


def predict_columns(
    inferencer: 'SR4IRInferencer', batch: Mapping[str, Sequence], batch_size: int = 1, **options: Any
) -> dict[str, Sequence]:
    """Predict a batch of columns.

    Args:
        inferencer (SR4IRInferencer): Inferencer.
        batch (Mapping[str, Sequence]): Columns, among them ``image``, arrays h x w x 3, **RGB**, of any sizes, as
            ``ray.data.read_images`` reads them; or ``bytes``, contents of image files.
        batch_size (int): Largest number of images of the same size that go through the networks together.
        **options: Arguments of :meth:`SR4IRInferencer.stream`.

    Returns:
        dict[str, Sequence]: The other columns, and those of predictions: ``width``, ``height``, and ``bboxes``,
        ``scores``, ``labels`` and ``masks`` (run lengths) of objects; other fields ``pred_...``, of which a map is the
        content of a PNG; and ``error``. Lists of objects are arrays of Arrow, so that each batch has columns of the
        same types. An image without a result has empty entries, and the reason in ``error``; so has each image of a
        batch without any result.

    Raises:
        SR4IRError: If no column holds images, or pyarrow is missing.
    """
    column = next((name for name in IMAGES if name in batch), None)
    if column is None:
        found = ', '.join(batch) or 'none'
        raise SR4IRError(f'No column of the batch holds images ({found}): name it {" or ".join(map(repr, IMAGES))}.')
    images = [_bgr(image) for image in batch[column]]
    names = [f'{i:06d}' for i in range(len(images))]
    failed: dict[str, str] = {}
    quiet = copy.copy(inferencer)
    quiet.show_progress = False  # a bar for each batch
    rows = {}
    for result in quiet.stream(images, batch_size, names=names, keep_going=True, skipped=failed, **options):
        rows[result['name']] = to_row(result['prediction'], result['name'], has_files=False)
    others = {name: values for name, values in batch.items() if name != column}
    errors = [f'image {failed[name]}' if name in failed else '' for name in names]
    empty = _EMPTY.setdefault(inferencer, {})
    for row in rows.values() if rows or empty else _plain_rows(quiet):
        for name, value in row.items():
            empty.setdefault(name, type(value)())
    return {**others, **_columns([rows.get(name, {}) for name in names], empty), 'error': errors}


def _bgr(image: Any) -> Any:
    image = image['bytes'] if isinstance(image, Mapping) else image  # as the Hugging Face Hub has them in Parquet
    is_color = isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] >= 3
    return image[..., [2, 1, 0]] if is_color else image


def _plain_rows(inferencer: 'SR4IRInferencer') -> list[dict]:
    """Return the row of a black image, whose columns are those of any; none if the networks fail in this one, too."""
    height, width = getattr(getattr(inferencer.model.sr, 'run', None), 'size', None) or (_SIDE, _SIDE)
    image = np.zeros((height, width, 3), np.uint8)
    results = inferencer.stream([image], names=['0'], keep_going=True)
    return [to_row(result['prediction'], '0', has_files=False) for result in results]


def _columns(rows: list[dict], empty: dict) -> dict[str, list]:
    arrow, types = pyarrow(), column_types()
    found: dict[str, list] = {}
    for name, value in empty.items():
        entries = [row.get(name, value) for row in rows]
        found[name] = [arrow.array(e, types[name].value_type) for e in entries] if name in types else entries
    return found
