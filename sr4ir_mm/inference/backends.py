"""Runtimes for ONNX files: ONNX Runtime and OpenVINO."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..errors import SR4IRError


@dataclass
class Run:
    """A file as a function.

    Args:
        function (Callable): Function from images, N x 3 x h x w, [0, 1], RGB, float32, to outputs by name, on the CPU.
        size (tuple[int, int], optional): Height and width of all images; None if they are free.

    Example:
        >>> sr = open_file(Path('model_sr.onnx'))(lr)['sr']
    """

    function: Callable[[Tensor], dict[str, Tensor]]
    size: tuple[int, int] | None

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return the outputs for images."""
        return self.function(images)


_INSTALL = dict(
    onnxruntime='pip install -r requirements/export.txt', openvino='pip install -r requirements/openvino.txt'
)


def open_file(path: Path, backend: str = 'onnxruntime', device: str | None = None) -> Run:
    """Open an ONNX file as a function.

    Args:
        path (Path): File with one input, 'image'.
        backend (str): 'onnxruntime' or 'openvino'.
        device (str, optional): 'cpu' (the default), or 'cuda' or 'cuda:1' for ONNX Runtime.

    Returns:
        Run: Function from images to outputs by name.

    Raises:
        SR4IRError: If the backend is unknown or not installed, or does not have the device.
    """
    if backend not in _INSTALL:
        raise SR4IRError(f"The backend '{backend}' is unknown; choose from: {', '.join(_INSTALL)}.")
    if importlib.util.find_spec(backend) is None:
        raise SR4IRError(f'The backend {backend} is not installed: {_INSTALL[backend]}')
    return (_open_openvino if backend == 'openvino' else _open_onnxruntime)(path, torch.device(device or 'cpu'))


def _open_onnxruntime(path: Path, device: torch.device) -> Run:
    import onnxruntime  # an optional package

    on_gpu = device.type != 'cpu'
    provider = 'CUDAExecutionProvider' if on_gpu else 'CPUExecutionProvider'
    if provider not in (known := onnxruntime.get_available_providers()):
        raise SR4IRError(f'The installed onnxruntime has {", ".join(known)}, but no CUDA: pip install onnxruntime-gpu')
    gpu = [(provider, dict(device_id=device.index or 0))] if on_gpu else []
    session = onnxruntime.InferenceSession(path, providers=[*gpu, 'CPUExecutionProvider'])
    names = [output.name for output in session.get_outputs()]
    height, width = session.get_inputs()[0].shape[2:]
    return Run(
        lambda image: dict(zip(names, map(torch.from_numpy, session.run(None, dict(image=image.numpy()))))),
        (height, width) if isinstance(height, int) else None,  # else they are names
    )


def _open_openvino(path: Path, device: torch.device) -> Run:
    import openvino  # an optional package

    if device.type != 'cpu':
        raise SR4IRError('The backend openvino runs on the CPU here: use --device cpu, or --backend onnxruntime.')
    # without the hint, a CPU with bfloat16 would compute in it
    model = openvino.compile_model(path, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})

    def run(image: Tensor) -> dict[str, Tensor]:
        results = model(image.numpy())
        return {output.get_any_name(): torch.from_numpy(results[output].copy()) for output in model.outputs}

    sizes = list(model.input(0).partial_shape)[2:]
    return Run(run, tuple(side.get_length() for side in sizes) if sizes[0].is_static else None)
