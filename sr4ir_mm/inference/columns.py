"""Batches as columns: the form in which Ray Data passes them."""

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SR4IRError
from .predictions import to_row
from .tables import column_types, pyarrow

if TYPE_CHECKING:
    from .inferencer import SR4IRInferencer

#: columns that may hold images
IMAGES = ('image', 'bytes')


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
        same types. An image without a result has empty entries, and the reason in ``error``.

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
    return {**others, **_columns([rows.get(name, {}) for name in names]), 'error': errors}


def _bgr(image: Any) -> Any:
    image = image['bytes'] if isinstance(image, Mapping) else image  # as the Hugging Face Hub has them in Parquet
    is_color = isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] >= 3
    return image[..., [2, 1, 0]] if is_color else image


def _columns(rows: list[dict]) -> dict[str, list]:
    arrow, types = pyarrow(), column_types()
    found: dict[str, list] = {}
    for name in dict.fromkeys(key for row in rows for key in row):
        if name in types:
            found[name] = [arrow.array(row.get(name, []), types[name].value_type) for row in rows]
        else:
            empty = type(next(row[name] for row in rows if name in row))()
            found[name] = [row.get(name, empty) for row in rows]
    return found
