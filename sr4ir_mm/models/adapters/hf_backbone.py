"""Backbones of transformers under heads of mmseg, mmdet and mmpretrain."""

import re
from collections.abc import Sequence

from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor

from ...errors import SR4IRError
from ...registry import MODELS
from ..loads import State, first_few
from ..starts import find_prefixes, start
from .hf_build import build_config, build_from, check_source
from .hf_entries import change_entries
from .hf_files import read_pretrained
from .hf_patches import check_patches
from .hf_weights import read_state

_MAPPINGS = ('MODEL_FOR_BACKBONE_MAPPING_NAMES',)


@MODELS.register_module()
class HFBackbone(BaseModule):
    """Features of a backbone of transformers: DINOv2, DINOv3, Swin, ConvNeXt V2 and the other classes ``...Backbone``.

    Args:
        architecture (str, optional): Name of a class of transformers, e.g. 'Dinov2Backbone'.
        config (dict, optional): Arguments of its config class; for the others those of the folder, or transformers'
            defaults.
        pretrained (str, optional): Folder of transformers, or name on the Hugging Face Hub, instead; also of the same
            network with a head. Configs hold what it says in its place.
        out_indices (Sequence[int], optional): Stages whose maps are returned; 0 is the embedding of the patches. By
            default that of the config, which is the last one in most.
        frozen (bool): Whether the backbone is not trained and stays in eval mode.
        init_cfg (dict, optional): Initialization as in MMEngine; also from a file of transformers.

    Raises:
        SR4IRError: If the folder, the class or its config is wrong, or the patches do not divide an image.

    Example:
        >>> backbone = dict(type='sr4ir_mm.HFBackbone', pretrained='facebook/dinov2-small', out_indices=[3, 6, 9, 12])
    """

    def __init__(
        self,
        architecture: str | None = None,
        config: dict | None = None,
        pretrained: str | None = None,
        out_indices: Sequence[int] | None = None,
        frozen: bool = False,
        init_cfg: dict | list | None = None,
    ) -> None:
        check_source('HFBackbone', dict(architecture=architecture, pretrained=pretrained))
        if pretrained:
            found = self.resolve(dict(pretrained=pretrained, config=config, init_cfg=init_cfg or None))
            architecture, config, init_cfg = (found[key] for key in ('architecture', 'config', 'init_cfg'))
        super().__init__(init_cfg)
        config = dict(config or {})
        if out_indices is not None:
            config = change_entries(config, dict(out_indices=list(out_indices)))
        self.net = build_from(architecture, build_config(architecture, config, _MAPPINGS))
        self.frozen = frozen
        self.net.requires_grad_(not frozen)

    @staticmethod
    def resolve(node: dict) -> dict:
        """Replace ``pretrained`` in a config of this class by what the folder says."""
        check_source('HFBackbone', node)
        node = {key: value for key, value in node.items() if value is not None}
        found = read_pretrained(node.pop('pretrained'), _MAPPINGS, normalized=False, changes=node.get('config'))
        weights = dict(type='Pretrained', checkpoint=found['file'])
        entries = dict(architecture=found['architecture'], config=found['config'])
        return {'init_cfg': weights, **node, **entries}

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute one feature map for each stage of ``out_indices``, of N x 3 x H x W."""
        check_patches(type(self.net).__name__, self.net.config, x.shape[-2:])
        return tuple(self.net(x).feature_maps)

    def train(self, mode: bool = True) -> 'HFBackbone':
        """Set the mode; a frozen backbone stays in eval mode."""
        return super().train(mode and not self.frozen)

    def init_weights(self) -> None:
        """Load ``init_cfg`` into the network; without one, transformers' own initialization stays."""
        if self.init_cfg and not self.is_init:
            start(self, self.init_cfg)
        self._is_init = True

    def with_own_names(self, state: State, file: str) -> State:
        """Return the weights of a file of transformers with the names of this backbone, without its head.

        Norms of the feature maps, and the one behind the last layer, which files may not have, keep their initial
        values.

        Raises:
            SR4IRError: If other weights are missing, or have other shapes.
        """
        if find_prefixes(state, self.state_dict()):
            return state
        read, mine = read_state(self.net, state), self.net.state_dict()
        final = re.compile(rf'({re.escape(self.net.base_model_prefix)}\.)?(layer)?norm\.(weight|bias)')
        initial = [key for key in read.missing if key.startswith('hidden_states_norms.') or final.fullmatch(key)]
        if lost := sorted({*read.missing, *read.shapes} - set(initial)):
            raise SR4IRError(
                f"'{file}' does not fit {type(self.net).__name__}: it does not have, or has in other shapes, "
                f'{first_few(lost)}. Use the config of the file, or a file of this network.'
            )
        if initial:
            print_log(
                f"'{file}' has no norms of the feature maps, which keep their initial values: {first_few(initial)}",
                'current',
            )
        found = {key: value for key, value in read.found.items() if key in mine}
        return {f'net.{key}': value for key, value in (found | {key: mine[key] for key in initial}).items()}
