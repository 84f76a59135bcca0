"""Sharing trained models: as a folder, on the Hugging Face Hub, or as one slim checkpoint."""

import hashlib
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from mmengine.config import Config
from mmengine.logging import print_log

from ..compat.stored_configs import read_as_data
from ..config import build_model, find_weights, load_config
from ..config.shared import CARD, CONFIG, FILES, OF_START, WEIGHTS, find_shared
from ..config.stored import read_meta
from ..config.work_dir import holds_training
from ..errors import SR4IRError
from ..models import SR4IR
from ..utils import write_file
from ..utils.weights_files import write_weights
from ..version import __version__
from .model_card import model_card

File = str | Path


def save_pretrained(run: File, folder: File, weights: str | None = None, name: str | None = None) -> Path:
    """Write a trained model as a folder to share: its config, its weights as safetensors, and a page about it.

    Nothing in the folder is code. A page that is there already stays, since you may have edited it.

    Args:
        run (str or Path): Work dir, checkpoint, shared model, or config.
        folder (str or Path): Folder to write.
        weights (str, optional): Checkpoint file or URL; by default what ``run`` names.
        name (str, optional): Name on the page, by default that of the folder.

    Returns:
        Path: The folder, which all tools and functions take as a run.

    Raises:
        SR4IRError: If the model cannot be built, its config is not plain data, or the folder holds a training.

    Example:
        >>> save_pretrained('work_dirs/faster-rcnn_edsr_x4_voc', 'faster-rcnn_edsr_x4_voc')
        >>> SR4IRInferencer('faster-rcnn_edsr_x4_voc')
    """
    folder = Path(folder)
    if holds_training(folder):
        raise SR4IRError(f"'{folder}' holds a training: choose another folder for what you share.")
    cfg, path, model, meta = _load(run, weights)
    write_file(folder / CONFIG, cfg.pretty_text)
    write_weights(folder / WEIGHTS, model.state_dict(), meta)
    if (folder / CARD).exists():
        print_log(f"'{folder / CARD}' stays as it is; delete it for a new one", 'current')
    else:
        write_file(folder / CARD, model_card(name or folder.resolve().name, cfg, model, path, meta))
    return folder


def from_pretrained(run: File, weights: str | None = None) -> SR4IR:
    """Return a trained model in eval mode, on the CPU.

    Args:
        run (str or Path): Folder of :func:`save_pretrained`, name on the Hugging Face Hub ('user/name' or
            'user/name@revision'), work dir, checkpoint, or config.
        weights (str, optional): Checkpoint file or URL; by default what ``run`` names.

    Raises:
        SR4IRError: If it is missing, or nothing that can be read as data.

    Example:
        >>> sr = from_pretrained('user/name').sr
    """
    return build_model(load_config(run), find_weights(run, weights)).eval()


def push_to_hub(run: File, name: str, weights: str | None = None, private: bool = False) -> str:
    """Upload a trained model to the Hugging Face Hub; log in first, with ``hf auth login``.

    Args:
        run (str or Path): Folder of :func:`save_pretrained`, with a page that you have edited; or what that function
            takes, with a generated page unless the hub has one.
        name (str): 'user/name'.
        weights (str, optional): Checkpoint file or URL; by default what ``run`` names.
        private (bool): Whether a new repository is for you only.

    Returns:
        str: Address of the model.

    Raises:
        SR4IRError: If the model cannot be written as a folder, or the hub refuses it.
    """
    from huggingface_hub import HfApi  # needs half a second

    with TemporaryDirectory() as made:
        shared = None if weights else find_shared(run)
        folder = shared or save_pretrained(run, Path(made) / name.rpartition('/')[2], weights, name)
        api = HfApi(library_name='sr4ir_mm', library_version=__version__)
        try:
            url = str(api.create_repo(name, private=private, exist_ok=True))
            files = [file for file in FILES if shared or file != CARD or not api.file_exists(name, CARD)]
            message = f'Model of sr4ir_mm {__version__}'
            api.upload_folder(repo_id=name, folder_path=folder, allow_patterns=files, commit_message=message)
        except Exception as error:  # of several kinds, also of the packages below the hub's
            reason = f'{type(error).__name__}: {error}'.splitlines()[0]
            raise SR4IRError(
                f"The Hugging Face Hub does not take '{name}' ({reason}). Log in with: hf auth login"
            ) from error
    return url


def save_checkpoint(run: File, out: File, weights: str | None = None) -> Path:
    """Write a slim checkpoint: weights and config, without the state of the optimizers.

    Args:
        run (str or Path): Work dir, checkpoint, shared model, or config.
        out (str or Path): File ``NAME.pth``.
        weights (str, optional): Checkpoint file or URL; by default what ``run`` names.

    Returns:
        Path: ``NAME-<hash>.pth``, whose hash is compared with the file when it is downloaded.

    Raises:
        SR4IRError: If the model cannot be built, its config is not plain data, or the file cannot be written.
    """
    cfg, _, model, meta = _load(run, weights)
    buffer, out = io.BytesIO(), Path(out)
    meta = {**meta, 'cfg': cfg.pretty_text, 'experiment_name': out.stem}
    torch.save(dict(state_dict=model.state_dict(), meta=meta), buffer)
    path = out.with_name(f'{out.stem}-{hashlib.sha256(buffer.getvalue()).hexdigest()[:8]}{out.suffix}')
    write_file(path, buffer.getvalue())
    return path


def _load(run: File, weights: str | None) -> tuple[Config, str, SR4IR, dict]:
    """Return the config to share, the checkpoint, the model, and what else is known of it."""
    cfg, path = load_config(run), find_weights(run, weights)
    for key in OF_START:
        cfg.pop(key, None)
    read_as_data(cfg.pretty_text, str(run))  # a config with other values could not be loaded again
    stored = read_meta(path)
    meta = {key: stored[key] for key in ('dataset_meta', 'epoch', 'iter') if stored.get(key) is not None}
    return cfg, path, build_model(cfg, path), {**meta, 'sr4ir_mm_version': __version__}
