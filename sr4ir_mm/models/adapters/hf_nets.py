"""Networks of transformers as task networks in MMEngine's form: the part that all tasks share."""

import inspect
import math
from collections.abc import Sequence
from typing import Any

from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmengine.utils import is_seq_of
from torch import Tensor, nn

from ...errors import SR4IRError
from ...utils import check_number
from ..loads import State, first_few
from ..starts import find_prefixes, start
from .hf_build import build_config, build_net, check_source
from .hf_files import names_of, processor_for, read_pretrained
from .hf_images import normalization_of
from .hf_masks import MASK_NETS
from .hf_patches import check_patches, patch_of, side_of, takes_squares
from .hf_weights import read_state


class HFNet(BaseModel):
    """Common part of the adapters for networks of transformers.

    The network itself is the submodule ``net``, with transformers' own names in it. With ``pretrained``, architecture,
    config, normalization and weights are those of a folder. Configs hold them in its place, so that a run does without
    the folder.

    Args:
        architecture (str, optional): Name of a class of transformers, e.g. 'SegformerForSemanticSegmentation'.
        config (dict, optional): Arguments of its config class; for the others those of the folder, or transformers'
            defaults.
        pretrained (str, optional): Folder of transformers, or name on the Hugging Face Hub, instead.
        num_classes (int, optional): Number of classes of the data, by default that of ``class_names`` or of the folder.
            If the folder has another number, the layers that depend on it start from random weights.
        class_names (Sequence[str], optional): Names of the classes that the weights are for, by default the folder's.
        data_preprocessor (dict, optional): Data preprocessor of the zoo whose data samples the network takes. By
            default it normalizes as the image processor of the network does, and pads to multiples of the patches.
        init_cfg (dict, optional): Initialization of the whole model, as in MMEngine; also from a file of transformers.

    Raises:
        SR4IRError: If the folder, the class or its config is wrong.
    """

    #: lists of classes in transformers' ``modeling_auto``
    mappings: Sequence[str | dict]
    #: type of the zoo's data preprocessor, and its names for the channel order and for the divisor of sizes
    preprocessor: tuple[str, str, str]
    least_classes = 1

    def __init__(
        self,
        architecture: str | None = None,
        config: dict | None = None,
        pretrained: str | None = None,
        num_classes: int | None = None,
        class_names: Sequence[str] | None = None,
        data_preprocessor: dict | nn.Module | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        name = type(self).__name__
        check_source(name, dict(architecture=architecture, pretrained=pretrained))
        if pretrained:
            given = dict(pretrained=pretrained, config=config, num_classes=num_classes, class_names=class_names)
            given |= dict(data_preprocessor=data_preprocessor, init_cfg=init_cfg or None)
            return self.__init__(**self.resolve(given))
        num_classes = num_classes or len(class_names or ()) or None
        if num_classes is None:
            raise SR4IRError(f'{name} needs num_classes, the number of classes of the data.')
        check_number(name, low=self.least_classes, whole=True, num_classes=num_classes)
        net = build_net(architecture, dict(config or {}), num_classes, class_names, self.mappings)
        if data_preprocessor is None:
            data_preprocessor = self.preprocessor_of(normalization_of(processor_for(net.config)), net.config)
        super().__init__(data_preprocessor, init_cfg)
        self.net = net
        self.num_classes = num_classes
        #: names of the classes that the weights are for, or None
        self.class_names = list(class_names) if class_names and len(class_names) == num_classes else None
        parts = [net, getattr(net, 'vision_model', net)]  # to which CLIP passes it on
        self._sized = any('interpolate_pos_encoding' in inspect.signature(part.forward).parameters for part in parts)

    @classmethod
    def resolve(cls, node: dict) -> dict:
        """Replace ``pretrained`` in a config of this class by what the folder says.

        Args:
            node (dict): Config; what it has in addition wins over the folder.

        Returns:
            dict: Config with ``architecture``, ``config``, ``data_preprocessor`` and ``init_cfg`` of the weights.
        """
        check_source(cls.__name__, node)
        node = {key: value for key, value in node.items() if value is not None}
        given = node.get('data_preprocessor') or {}
        known = isinstance(given, nn.Module) or {'mean', 'std'} <= set(given)
        folder = node.pop('pretrained')
        found = read_pretrained(folder, cls.mappings, not known, node.get('config'))
        node['config'] = found['config']
        if 'class_names' in node:
            node.setdefault('num_classes', len(node['class_names']))
        if node.get('num_classes', found['num_classes']) == found['num_classes']:
            node.setdefault('num_classes', found['num_classes'])
            node['class_names'] = node.get('class_names') or names_of(folder, found['labels'])
        elif 'init_cfg' not in node:
            print_log(
                f"'{found['file']}' is for {found['num_classes']} classes, and the task network has "
                f'{node["num_classes"]}: the layers that depend on it start from random weights.'
            )
        if not known or (isinstance(given, dict) and given.get('type', cls.preprocessor[0]) == cls.preprocessor[0]):
            config = build_config(found['architecture'], node['config'], cls.mappings)
            node['data_preprocessor'] = cls.preprocessor_of(found['normalization'], config, given)
        weights = dict(type='Pretrained', checkpoint=found['file'])
        return {**dict(architecture=found['architecture'], init_cfg=weights), **node}

    @classmethod
    def preprocessor_of(cls, normalization: dict, config: Any, given: dict | None = None) -> dict:
        """Return the data preprocessor of the zoo that normalizes as an image processor does.

        Args:
            normalization (dict, optional): See ``normalization_of``; None if it is set already.
            config (PreTrainedConfig): Config of the network, whose patches divide the size of the images.
            given (dict, optional): Entries that are set already.

        Raises:
            SR4IRError: If its ``size`` is no multiple of the patches.
        """
        given, (kind, flip, divisor) = dict(given or {}), cls.preprocessor
        if given.get('size'):
            check_patches(cls.__name__, config, given['size'])
            sizes = {}
        else:
            sizes = {divisor: math.lcm(cls.divisor(config), given.pop(divisor, None) or 1)}
        found = normalization and dict(
            mean=normalization['mean'], std=normalization['std'], **{flip: normalization['rgb']}
        )
        return {**dict(type=kind), **(found or {}), **given, **sizes}

    @classmethod
    def divisor(cls, config: Any) -> int:
        """Return what the sides of images must be multiples of, so that a network of patches misses no border."""
        if side := side_of(config):
            return side
        if config.model_type in MASK_NETS:  # as their image processors pad
            return 32
        return patch_of(config)

    @property
    def takes_squares(self) -> bool:
        """Whether the network takes square images alone."""
        return takes_squares(self.net.config)

    @property
    def encoder(self) -> str:
        """Path of the part that makes features of the image."""
        modules = dict(self.named_modules())
        base = f'net.{self.net.base_model_prefix}' if hasattr(self.net, self.net.base_model_prefix) else 'net'
        parts = (
            'net.backbone',
            'net.vision_model',
            f'{base}.backbone.conv_encoder',  # without the positions behind it
            f'{base}.backbone',
            f'{base}.pixel_level_module.encoder',
            f'{base}.encoder',
            base,
        )
        return next(path for path in parts if path in modules)

    @property
    def tdp_layers(self) -> dict[str, float]:
        """Default layers of the TDP loss: the two finest maps of a neck, or the last map of the encoder."""
        return {f'{self.encoder}[map]': 1.0}

    def init_weights(self) -> None:
        """Load ``init_cfg`` where it is given; the rest stays as transformers initialized it."""
        if self.init_cfg and not self.is_init:
            start(self, self.init_cfg)
        self._is_init = True

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = 'tensor') -> Any:
        """Run on N x 3 x H x W as the data preprocessor makes them.

        Args:
            inputs (Tensor): Images, N x 3 x H x W.
            data_samples (list, optional): Data samples of the zoo.
            mode (str): 'loss' for a dict of losses, 'predict' for samples with predictions, 'tensor' for what the
                network of transformers returns.
        """
        if mode not in ('loss', 'predict', 'tensor'):
            raise RuntimeError(f"Invalid mode '{mode}'; choose loss, predict or tensor.")
        run = dict(loss=self.loss, predict=self.predict, tensor=self.run)[mode]
        return run(inputs, data_samples)

    def run(self, inputs: Tensor, data_samples: list | None = None, **targets: Any) -> Any:
        """Run the network of transformers, with targets as it takes them."""
        check_patches(type(self.net).__name__, self.net.config, inputs.shape[-2:])
        config = self.net.config
        size = getattr(config, 'image_size', None) or getattr(
            getattr(config, 'vision_config', None), 'image_size', None
        )
        native = tuple(size) if is_seq_of(size, int) else (size, size)
        if self._sized and tuple(inputs.shape[-2:]) != native:
            targets['interpolate_pos_encoding'] = True
        return self.net(pixel_values=inputs, **targets)

    def extract_feat(self, inputs: Tensor, data_samples: list | None = None) -> tuple[Tensor, ...]:
        """Compute what the encoder returns for N x 3 x H x W."""
        from ..feature_recorder import FeatureRecorder  # which runs only what comes before

        return tuple(FeatureRecorder(self, self.tdp_layers)(inputs, data_samples).values())

    def with_own_names(self, state: State, file: str) -> State:
        """Return the weights of a file of transformers with the names of this network; those of a run stay as they are.

        Layers for other classes, and heads that the file does not have, keep their random values.
        """
        if find_prefixes(state, self.state_dict()):
            return state
        read = read_state(self.net, state)
        mine = self.net.state_dict()
        initial = [key for key in read.missing if self._is_outside(key)]
        initial += [key for key, shape in read.shapes.items() if self._is_of_classes(shape, tuple(mine[key].shape))]
        if initial:
            text = f'{len(initial)} weights start from random values, for {self.num_classes} classes'
            print_log(f"'{file}' has no head that fits: {text}: {first_few(sorted(initial))}", 'current')
        return {f'net.{key}': value for key, value in (read.found | {key: mine[key] for key in initial}).items()}

    def _is_outside(self, key: str) -> bool:
        """Return whether a weight is outside of what transformers calls the base model."""
        base = self.net.base_model_prefix
        return hasattr(self.net, base) and not key.startswith(f'{base}.')

    def _is_of_classes(self, theirs: tuple, ours: tuple) -> bool:
        """Return whether two shapes differ in the number of classes alone, with or without one for no object."""
        counts = self.num_classes, self.num_classes + 1
        differ = [(one, other) for one, other in zip(theirs, ours) if one != other]
        return len(theirs) == len(ours) and len(differ) == 1 and differ[0][1] in counts
