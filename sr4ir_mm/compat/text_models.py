"""Let the zoos be imported with a transformers that is too new for them, or for the installed PyTorch.

``import mmpretrain.models`` (1.2.0) imports its models of text if any later transformers is installed, and fails.
Without transformers it registers placeholders in their place. This can go when these models work with current releases.
"""

from importlib.metadata import version
from types import ModuleType
from typing import Any, NoReturn

import torch
from mmengine.registry import Registry
from packaging.version import Version

from ..errors import SR4IRError
from .import_hooks import Run

#: the first release with which mmpretrain's models of text cannot be imported
TOO_NEW = '4.51'


def leave_out_text_models(dependency: ModuleType, run: Run) -> None:
    """Let ``mmpretrain.utils.dependency`` say that transformers is missing if it is too new."""
    run(dependency)
    if dependency.WITH_MULTIMODAL and Version(version('transformers')) >= Version(TOO_NEW):
        dependency.WITH_MULTIMODAL = False
        dependency.register_multimodal_placeholder = register_placeholders


def say_that_torch_is_too_old(modeling_utils: ModuleType, run: Run) -> None:
    """Let transformers 5 fail on a PyTorch before 2.6 with the error for which the zoos are prepared.

    This can go with the support of PyTorch before 2.6.

    Raises:
        ImportError: If transformers cannot use the installed PyTorch.
    """
    try:
        run(modeling_utils)
    except NameError as error:
        if Version(torch.__version__) >= Version('2.6'):
            raise
        raise ImportError(f'transformers {version("transformers")} needs a later PyTorch: {error}') from error


def register_placeholders(names: list[str], registry: Registry) -> None:
    """Register, for each name, a function that says why the model is missing."""
    for name in names:
        registry.register_module(name=name, module=_placeholder(name))


def _placeholder(name: str) -> type:
    def unavailable(*args: Any, **kwargs: Any) -> NoReturn:
        raise SR4IRError(
            f"'mmpretrain.{name}' is not available: mmpretrain's models of text do not work with the installed "
            f'transformers {version("transformers")}. They need another environment, with "transformers<{TOO_NEW}".'
        )

    return unavailable
