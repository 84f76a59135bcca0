"""PASCAL VOC boxes."""

from xml.etree.ElementTree import ElementTree

from mmdet.datasets import VOCDataset

from ..errors import SR4IRError
from ..registry import DATASETS


@DATASETS.register_module()
class InclusiveVOCDataset(VOCDataset):
    """Images and boxes in PASCAL VOC's layout, read as the paper does; arguments as in mmdet's class of this name.

    VOC counts pixels from 1, and its boxes include ``xmax`` and ``ymax``; so the edges are at ``xmin - 1`` and
    ``xmax``. mmdet subtracts 1 from all four numbers, which leaves no area to a box of one pixel, and losses that are
    NaN. Objects marked as difficult count like any other; mmdet ignores them in training and testing.

    Raises:
        SR4IRError: If an annotation file is missing or broken, or no object is of one of the classes.
    """

    def load_data_list(self) -> list[dict]:
        """Read the annotation file of each image of the list."""
        self.names: set[str] = set()
        data_list = super().load_data_list()
        if self.names and self.names.isdisjoint(self.metainfo['classes']):
            raise SR4IRError(
                f"No object in '{self.ann_file}' is of the classes {', '.join(self.metainfo['classes'])}; there are "
                f"{', '.join(sorted(self.names))}. Name yours: metainfo=dict(classes=(...)) in the data set's config."
            )
        return data_list

    def parse_data_info(self, img_info: dict) -> dict:
        """Read the annotation file of one image; boxes are x1, y1, x2, y2 in pixels, 0 to width and height."""
        path = img_info['xml_path']
        try:
            return super().parse_data_info(img_info)
        except FileNotFoundError as error:
            raise SR4IRError(f"There is no annotation file '{path}', but '{self.ann_file}' lists it.") from error
        except Exception as error:  # not XML, or without size, box or number; none of the errors names the file
            raise SR4IRError(f"Annotation file '{path}' cannot be read ({error}); mend or remove it.") from error

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
