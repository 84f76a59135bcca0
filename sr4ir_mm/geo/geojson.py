"""Writing boxes and objects as GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..utils import new_file
from .place import Place
from .raster import RasterScene


def write_geojson(path: str | Path, found: Iterable[Mapping], scene: RasterScene, classes: Sequence[str]) -> None:
    """Write objects in the reference system of their scene, which the member ``crs`` names, as GDAL does.

    Without a reference system the member is null. Without a transform, coordinates are pixels of the scene: columns and
    rows from the top.

    Args:
        path (str or Path): File.
        found (Iterable[Mapping]): Objects: ``bbox`` (left, top, right, bottom in pixels of the scene), ``label``,
            ``score``, and optionally ``polygons``, the outlines of its parts, in pixels, too. (0, 0) is the corner of
            the first pixel. Objects without an outline of three points get their box.
        scene (RasterScene): Scene.
        classes (Sequence[str]): Name of each label.

    Raises:
        SR4IRError: If the file cannot be written.

    Example:
        >>> write_geojson('ships.geojson', [dict(bbox=(10, 20, 30, 40), label=0, score=0.9)], scene, ['ship'])
    """
    digits = scene.place.decimals()
    with new_file(path) as file, open(file, 'w', encoding='utf-8') as stream:
        stream.write(f'{{"type": "FeatureCollection", "crs": {json.dumps(_crs(scene.place))}, "features": [')
        for i, entry in enumerate(found):
            stream.write((',' if i else '') + '\n' + json.dumps(_feature(entry, scene.place, classes, digits)))
        stream.write('\n]}\n')


def _feature(entry: Mapping, place: Place, classes: Sequence[str], digits: int) -> dict[str, Any]:
    left, top, right, bottom = entry['bbox']
    outlines = [outline for outline in entry.get('polygons') or () if len(outline) > 2]
    outlines = outlines or [[(left, top), (left, bottom), (right, bottom), (right, top)]]
    rings = [_ring(outline, place, digits) for outline in outlines]
    one = len(rings) == 1
    geometry = dict(type='Polygon' if one else 'MultiPolygon', coordinates=rings if one else [[ring] for ring in rings])
    label = int(entry['label'])
    properties = {'class': classes[label], 'label': label, 'score': round(float(entry['score']), 4)}
    return dict(type='Feature', properties=properties, geometry=geometry)


def _ring(outline: Sequence, place: Place, digits: int) -> list[list[float]]:
    """Return a closed ring, counterclockwise as the standard wants outlines."""
    points = place.coordinates(np.asarray(outline, float))
    x, y = (points - points[0]).T
    if (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() < 0:
        points = points[::-1]
    ring = points.round(digits).tolist()
    return ring if ring[0] == ring[-1] else [*ring, ring[0]]


def _crs(place: Place) -> dict[str, Any] | None:
    if place.crs is None or (place.transform is None and not place.points):
        return None
    authority = place.crs.to_authority()
    if authority == ('EPSG', '4326'):  # whose order would be latitude, longitude
        name = 'urn:ogc:def:crs:OGC:1.3:CRS84'
    else:
        name = f'urn:ogc:def:crs:{authority[0]}::{authority[1]}' if authority else place.crs.to_wkt()
    return dict(type='name', properties=dict(name=name))
