"""PASCAL VOC's boxes."""

from xml.etree.ElementTree import ElementTree

from mmdet.datasets import VOCDataset as _VOCDataset

from ..errors import SR4IRError
from ..registry import DATASETS


@DATASETS.register_module()
class InclusiveVOCDataset(_VOCDataset):
    """mmdet's ``VOCDataset`` that reads boxes and difficult objects as the paper does; arguments as in mmdet.

    PASCAL VOC counts pixels from 1, and ``xmax`` and ``ymax`` belong to the box. So its edges are at ``xmin - 1`` and
    ``xmax``. mmdet subtracts 1 from all four numbers: a box of one pixel then has no area, and its losses are NaN.
    Objects that are marked as difficult count like all others; mmdet ignores them in training and in testing.

    Raises:
        SR4IRError: If an annotation file is missing or broken, or if no object is of one of the classes.

    Example:
        >>> dataset = dict(
        ...     type='sr4ir_mm.InclusiveVOCDataset', data_root='data/voc', data_prefix=dict(sub_data_root=''),
        ...     ann_file='ImageSets/Main/train.txt', metainfo=dict(classes=('cat', 'dog')))
    """

    def load_data_list(self) -> list[dict]:
        """Read the annotation files of all images of the list."""
        self.names: set[str] = set()
        data_list = super().load_data_list()
        if self.names and self.names.isdisjoint(self.metainfo['classes']):
            raise SR4IRError(
                f"No object in '{self.ann_file}' is of the classes {', '.join(self.metainfo['classes'])}; its objects "
                f"are {', '.join(sorted(self.names))}. Set metainfo=dict(classes=(...)) in the data set's config."
            )
        return data_list

    def parse_data_info(self, img_info: dict) -> dict:
        """Read the annotation file of one image; boxes are (x1, y1, x2, y2) in pixels, from 0 to width and height."""
        path = img_info['xml_path']
        try:
            return super().parse_data_info(img_info)
        except FileNotFoundError as error:
            raise SR4IRError(
                f"Annotation file '{path}' is missing, but '{self.ann_file}' lists it: add it, or remove the entry."
            ) from error
        except Exception as error:  # not XML, or without a size, box or number; such errors do not name the file
            raise SR4IRError(f"Annotation file '{path}' cannot be read ({error}): fix or remove it.") from error

    def _parse_instance_info(self, raw_ann_info: ElementTree, minus_one: bool = True) -> list[dict]:
        self.names.update(obj.findtext('name') for obj in raw_ann_info.findall('object'))
        for flag in raw_ann_info.iter('difficult'):
            flag.text = '0'
        instances = super()._parse_instance_info(raw_ann_info, minus_one)
        for instance in instances:
            x1, y1, x2, y2 = instance['bbox']
            if x1 > x2 or y1 > y2:
                raise ValueError(f'a box ends at {x2 + 1}, {y2 + 1}, before it begins at {x1 + 1}, {y1 + 1}')
            instance['bbox'] = [x1, y1, x2 + 1, y2 + 1]
        return instances
