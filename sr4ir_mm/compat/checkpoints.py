"""Let no checkpoint that MMEngine loads run code, and let it load safetensors.

MMEngine 0.10.7 turns torch's safe loader off for URLs, as ``torch.hub`` of PyTorch 2.14 does. This can go when they do
not.
"""

import os
import re
from pathlib import Path
from types import ModuleType
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import urlparse

import torch
from mmengine.utils import digit_version

from ..errors import SR4IRError
from ..utils.shipped import SCHEME, find_shipped
from ..utils.weights_files import read_weights
from . import safe_pickle, timm_weights
from .checkpoint_files import explain, name_the_file
from .import_hooks import Run

HAS_SAFE_GLOBALS = digit_version(torch.__version__) >= digit_version('2.6')


class SafeTorch(ModuleType):
    """``torch`` for a module whose calls of ``torch.load`` are to be safe; the real one stays as it is."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    @staticmethod
    def load(file: str | IO[bytes], map_location: Any = None, **kwargs: Any) -> Any:
        """Load a file without running code in it.

        Raises:
            pickle.UnpicklingError: If the file holds more than tensors, plain types and what MMEngine saves.
        """
        if str(file).endswith('.safetensors'):
            return read_weights(file)  # to the CPU, from where the network takes them
        if HAS_SAFE_GLOBALS:
            return torch.load(file, map_location=map_location, weights_only=True)
        if _is_script(file):  # torch before 2.6 runs TorchScript before it looks at the pickle
            safe_pickle.refuse('TorchScript')
        return torch.load(file, map_location=map_location, pickle_module=safe_pickle, weights_only=False)


load_weights = explain(SafeTorch.load)  # the same, with one message for whatever is wrong


class SafeHub(SafeTorch):
    """``torch`` for ``torch.hub``, from which torchvision, timm and others load weights: it takes no other files."""

    load = staticmethod(load_weights)


def load_downloads_safely() -> None:
    """Let no file in the cache of downloads run code: ``torch.hub`` asks for the unsafe loader."""
    torch.hub.torch = SafeHub('torch')


def allow_mmengine_checkpoints() -> None:
    """Add the contents of MMEngine's checkpoints to torch's safe globals; torch before 2.6 has none."""
    if HAS_SAFE_GLOBALS:
        torch.serialization.add_safe_globals(safe_pickle.allowed())


def load_safely(checkpoint: ModuleType, run: Run) -> None:
    """Let ``mmengine.runner.checkpoint``, through which all checkpoints are loaded, run no code of a file."""
    run(checkpoint)
    checkpoint.torch, checkpoint.load_url = SafeTorch('torch'), load_url
    checkpoint.load_state_dict = timm_weights.name_for_features(checkpoint.load_state_dict)
    loader = checkpoint.CheckpointLoader
    loader.load_checkpoint = staticmethod(name_the_file(loader.load_checkpoint))
    loader.register_scheme(SCHEME, load_from_sr4ir_mm, force=True)
    loader.register_scheme(timm_weights.SCHEME, timm_weights.load_from_timm, force=True)


def load_from_sr4ir_mm(filename: str, map_location: Any = None) -> Any:
    """Load weights that the package ships, such as 'sr4ir_mm://edsr-s_x4'."""
    return SafeTorch.load(str(find_shipped(filename)), map_location)


def load_url(
    url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True, **kwargs: Any
) -> Any:
    """Download a file, if it is not in the cache of downloads, and load it.

    A hash at the end of its name, such as in ``model-1a2b3c4d.pth``, is compared with the file that arrives.
    """
    folder = Path(model_dir or os.path.join(torch.hub.get_dir(), 'checkpoints'))
    path = folder / Path(urlparse(url).path).name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        found = re.search(r'-(?!(?:19|20)\d{6}\.)([0-9a-f]{8,64})\.\w+$', path.name)  # 20230101 is a date
        try:
            torch.hub.download_url_to_file(url, str(path), found and found[1], progress)
        except (URLError, ConnectionError, TimeoutError) as error:
            raise SR4IRError(
                f"'{url}' cannot be downloaded: {getattr(error, 'reason', error)}. Download it on another machine and "
                f"copy it to '{folder}', or name another file. To start without these weights, set their init_cfg (or "
                'pretrained) to None, such as --cfg-options model.sr.init_cfg=None, or leave out --pretrained.'
            ) from error
    return SafeTorch.load(str(path), map_location)


def _is_script(file: str | IO[bytes]) -> bool:
    """Return whether torch would take a file for TorchScript; it finds files that zipfile does not."""
    if isinstance(file, (str, os.PathLike)):
        with open(file, 'rb') as opened:
            return _is_script(opened)
    start = file.read(4)
    file.seek(0)
    if start != b'PK\x03\x04':
        return False
    found = 'constants.pkl' in torch._C.PyTorchFileReader(file).get_all_records()
    file.seek(0)
    return found
