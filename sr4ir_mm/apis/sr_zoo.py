"""SR nets by name."""

from pathlib import Path

from mmengine.config import Config
from mmengine.hub import get_config

from ..errors import SR4IRError

_BASE = 'sr4ir_mm::_base_/sr'


def find_sr(sr: str | dict | None, scale: int) -> dict | None:
    """The config of S.

    Args:
        sr (str or dict, optional): A short name such as 'edsr' or 'swinir' (the file ``_base_/sr/<name>_x<scale>.py``
            of our configs), such a file of your own, a config of mmagic with a generator that maps one image to one
            image ('mmagic::swinir/swinir_x4s48w8d6e180_8xb4-lr2e-4-500k_div2k.py'; it starts from mmagic's weights),
            or the config itself.
        scale (int): Up-sampling factor that it is for.

    Returns:
        dict or None: As :class:`SR4IR` takes it.

    Raises:
        SR4IRError: If there is no such net.
    """
    if not isinstance(sr, str):
        return sr
    if sr.startswith('mmagic::'):
        return _from_mmagic(sr)
    path = sr if sr.endswith('.py') else f'{_BASE}/{sr}_x{scale}.py'
    try:
        cfg = Config.fromfile(path) if sr.endswith('.py') else Config.fromstring(f'_base_ = {path!r}', '.py')
    except FileNotFoundError as error:
        names = ', '.join(_names(scale)) or 'none'
        raise SR4IRError(
            f"There is no SR net '{sr}' for scale {scale}; by name there are: {names}. Or give a config of mmagic "
            "('mmagic::...'), or a file with a dict 'sr' in it."
        ) from error
    if 'sr' not in cfg or cfg.get('scale', scale) != scale:
        raise SR4IRError(f"'{sr}' holds no dict 'sr' for scale {scale}: set it there, or choose the scale of the file.")
    return cfg.sr.to_dict()


def _from_mmagic(name: str) -> dict:
    try:
        cfg = get_config(name, pretrained=True)
    except (FileNotFoundError, AssertionError) as error:
        raise SR4IRError(f"mmagic has no config '{name}' with weights: {error}") from error
    generator = cfg.model.get('generator')
    if not isinstance(generator, dict) or 'type' not in generator:
        raise SR4IRError(f"'{name}' has no generator ({cfg.model.type}): S must map one image to one image.")
    net = {key: value for key, value in generator.to_dict().items() if key != 'pretrained'}
    weights = dict(type='Pretrained', prefix='generator.', checkpoint=cfg.model_path)
    return dict(net, type=f'mmagic.{generator.type}', init_cfg=weights)


def _names(scale: int) -> list[str]:
    package = Path(__file__).parents[1]
    folders = (package / '.mim/configs', package.parent / 'configs')
    folder = next((folder for folder in folders if folder.is_dir()), folders[0])
    return sorted(path.stem.rpartition('_x')[0] for path in (folder / '_base_/sr').glob(f'*_x{scale}.py'))
