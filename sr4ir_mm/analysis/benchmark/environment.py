"""Where and of what a benchmark was made."""

import os
import platform
import shlex
import subprocess
import sys
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from ...version import __version__

_PACKAGES = ('torch', 'torchvision', 'numpy', 'mmengine', 'mmcv', 'mmcv-lite', 'mmsegmentation', 'mmdet',
             'mmpretrain', 'mmagic')  # fmt: skip


def environment() -> dict[str, Any]:
    """Return machine, versions, revision and command, as the JSON of a benchmark holds them."""
    return dict(
        date=f'{datetime.now():%Y-%m-%d %H:%M}',
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        revision=revision(),
        machine=machine(),
        versions={name: version for name in _PACKAGES if (version := _version(name))},
    )


def machine() -> dict[str, Any]:
    """Return the processor, the number of cores, GiB of memory, the load before the benchmark, and the GPU, if any."""
    found: dict[str, Any] = dict(cpu=_processor(), cores=os.cpu_count(), python=platform.python_version())
    if hasattr(os, 'getloadavg'):
        found['load'] = [round(load, 2) for load in os.getloadavg()]
    if torch.cuda.is_available():
        found.update(gpu=torch.cuda.get_device_name(), cuda=torch.version.cuda)
    return found


def revision() -> str:
    """Return the version of the package, with git's name of the revision if this is a checkout."""
    command = ['git', '-C', str(Path(__file__).parent), 'describe', '--always', '--dirty', '--abbrev=10']
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:  # a machine without git
        return __version__
    return f'{__version__} {done.stdout.strip()}'.strip()


def _processor() -> str:
    cpuinfo = Path('/proc/cpuinfo')
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
