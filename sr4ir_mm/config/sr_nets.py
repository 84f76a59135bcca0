"""Super-resolution networks by name."""

from pathlib import Path

from mmengine.config import Config, ConfigDict

from ..compat.known_types import check_types
from ..compat.stored_configs import parse_config
from ..errors import SR4IRError
from ..models.scheme import build_scheme
from .checks import find_checkpoint
from .nodes import type_name
from .reading import read_config
from .stored import SUFFIXES, read_meta
from .zoo import config_folder, load_zoo_config

#: generators of mmagic that map one image of any size to one image
NETS = (
    'EDSRNet', 'RDNNet', 'RRDBNet', 'MSRResNet', 'SRCNNNet', 'SwinIRNet', 'LIIFEDSRNet', 'LIIFRDNNet', 'NAFNet',
    'NAFNetLocal', 'NAFBaseline', 'NAFBaselineLocal', 'Restormer', 'DeblurGanV2Generator',
)  # fmt: skip
#: suffixes of files of weights
_WEIGHTS = (*SUFFIXES, '.safetensors')
_CHANNELS = ('in_channels', 'in_chans', 'img_channels', 'img_channel', 'inp_channels')


def find_sr(sr: str | dict | None, scale: int) -> dict | None:
    """Return the config of a super-resolution (SR) network.

    Args:
        sr (str or dict, optional): One of these: short name such as 'edsr' or 'swinir' (file
            ``_base_/sr/<name>_x<scale>.py`` of our configs); such a file of your own; config of mmagic with a generator
            that maps one image to one image ('mmagic::swinir/swinir_x4s48w8d6e180_8xb4-lr2e-4-500k_div2k.py'), which
            starts from the weights that mmagic publishes; file of weights of the community ('4x-something.pth'), whose
            architecture spandrel recognizes; checkpoint of a training here, whose SR network it is; or the config
            itself.
        scale (int): Up-sampling factor of the network.

    Returns:
        dict or None: Argument ``sr`` of :class:`SR4IR`.

    Raises:
        SR4IRError: If the name is unknown, or the network does not fit.

    Example:
        >>> find_sr('edsr', 4)['type']
        'mmagic.EDSRNet'
    """
    if not isinstance(sr, str):
        return sr and _without_file(sr, scale)
    if sr.startswith('mmagic::'):
        return _from_mmagic(sr, scale)
    if sr.endswith(_WEIGHTS):
        return _of_training(sr, scale) or of_file(sr, scale)
    path = Path(sr) if sr.endswith('.py') else _folder() / f'{sr}_x{scale}.py'
    if not path.is_file():
        names = ', '.join(_names(scale)) or 'none'
        raise SR4IRError(
            f"Unknown super-resolution network '{sr}' for scale {scale}; choose from: {names}. Or give a config of "
            "mmagic ('mmagic::...'), a file with a dict 'sr' in it, or one of weights ('4x-something.pth', also a "
            'checkpoint of a training here).'
        )
    cfg = read_config(path)
    if 'sr' not in cfg or cfg.get('scale', scale) != scale:
        raise SR4IRError(f"'{sr}' has no dict 'sr' for scale {scale}: set it there, or choose the scale of the file.")
    return _without_file(cfg.sr.to_dict(), scale)


def is_name(sr: str | dict | None) -> bool:
    """Return whether an SR network is given by a short name such as 'edsr'."""
    return isinstance(sr, str) and '::' not in sr and not sr.endswith(('.py', *_WEIGHTS))


def of_file(file: str, scale: int) -> dict:
    """Return the config of the network in a file of weights, which starts from them.

    Raises:
        SR4IRError: If the file is missing, of no architecture that spandrel knows, or for another scale.
    """
    from ..models.adapters.spandrel_sr import config_of, describe  # spandrel, an optional package that takes seconds

    found = describe(find_checkpoint(file))
    if found.scale != scale:
        raise SR4IRError(
            f"'{file}' ({found.architecture.name}) enlarges by {found.scale}, not by {scale}: set scale={found.scale} "
            '(--scale), or choose another file.'
        )
    return dict(config_of(found.model), init_cfg=dict(type='Pretrained', checkpoint=file))


def _of_training(file: str, scale: int) -> dict | None:
    """Return the config of the SR network of a training here, which starts from its weights; None of other files."""
    model = _stored_model(file)
    if not {'sr', 'scale'} <= set(model) or not isinstance(model['sr'], dict | None):
        return None
    if not model['sr'] or not build_scheme(model.get('scheme', 'SR4IR')).uses_sr_net:
        raise SR4IRError(f"'{file}' is of a training without a super-resolution network: choose another file.")
    if model['scale'] != scale:
        raise SR4IRError(
            f"'{file}' is of a training with scale={model['scale']}, not {scale}: set --scale {model['scale']}, or "
            'choose another file.'
        )
    check_types(model['sr'], file)
    return dict(model['sr'], init_cfg=dict(type='Pretrained', prefix='sr.', checkpoint=file))


def _stored_model(file: str) -> dict:
    """Return the entry ``model`` of the config in a file of PyTorch; nothing in it is run."""
    text = read_meta(file).get('cfg') if file.endswith(SUFFIXES) else None
    try:
        model = parse_config(text).get('model') if isinstance(text, str) else None
    except (SyntaxError, ValueError, TypeError, RecursionError):  # of another program, which may keep a path there
        return {}
    return model if isinstance(model, dict) else {}


def read_sr_file(cfg: Config) -> Config:
    """Replace the file of weights that a config names for its SR network by what it holds, so that it can be lost."""
    model = cfg.get('model')
    if isinstance(model, dict) and isinstance(model.get('sr'), dict):
        model.sr = ConfigDict(_without_file(model.sr, model.get('scale')))
    return cfg


def _without_file(sr: dict, scale: int) -> dict:
    if type_name(sr.get('type', '')) != 'SpandrelSR' or not sr.get('checkpoint'):
        return sr
    return {**of_file(sr['checkpoint'], scale), **{key: sr[key] for key in sr if key not in ('type', 'checkpoint')}}


def _from_mmagic(name: str, scale: int) -> dict:
    cfg = load_zoo_config(name, weights=True)
    generator = _generator(name, cfg.get('model') or ConfigDict(), scale)
    net = {key: value for key, value in generator.items() if key not in ('init_cfg', 'pretrained')}
    net['type'] = f'mmagic.{generator["type"]}'
    weights = dict(type='Pretrained', prefix='generator.', checkpoint=cfg.get('model_path'))
    around = _around(cfg.model.data_preprocessor)
    if 'LIIF' in net['type']:
        net = dict(type='sr4ir_mm.LIIFUpsampler', generator=net, scale=scale, **around)
    elif around:
        net = dict(type='sr4ir_mm.ImageToImage', generator=net, **around)
    if 'generator' in net:
        del weights['prefix']  # our wrapper has the network under the same name
    return dict(net, init_cfg=weights) if weights['checkpoint'] else net


def _generator(name: str, model: ConfigDict, scale: int) -> dict:
    """Return the network of a model if it can be an SR network."""
    generator = model.get('generator')
    kind = generator.get('type') if isinstance(generator, dict) else None
    if kind not in NETS:
        raise SR4IRError(
            f"'{name}' ({model.get('type')}, generator: {kind}) has no network that maps one image of any size, and "
            f'nothing else, to one image, so it cannot be the super-resolution network. These can: {", ".join(NETS)}.'
        )
    channels = [generator[key] for key in _CHANNELS if generator.get(key, 3) != 3]
    if channels:
        raise SR4IRError(
            f"'{name}' is for images of {channels[0]} channels, but the super-resolution network receives RGB: choose "
            'one for color images.'
        )
    enlarges = generator.get('upscale_factor', generator.get('upscale', 1))
    if enlarges != scale and 'LIIF' not in kind:
        raise SR4IRError(f"'{name}' enlarges by {enlarges}, not by {scale}: choose another config or scale={enlarges}.")
    return generator.to_dict()


def _around(preprocessor: dict) -> dict:
    """Return the normalization of the network's input if it is other than [0, 1]."""
    mean, std = ([value / 255 for value in preprocessor[key]] for key in ('mean', 'std'))
    return dict(mean=mean, std=std) if any(mean) or set(std) != {1} else {}


def _folder() -> Path:
    return config_folder() / '_base_/sr'


def _names(scale: int) -> list[str]:
    return sorted(path.stem.rpartition('_x')[0] for path in _folder().glob(f'*_x{scale}.py'))
