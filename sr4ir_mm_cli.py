"""The command ``sr4ir``: it lists the tools at once, because it does not import sr4ir_mm, which imports PyTorch."""

import importlib.util
from pathlib import Path


def main() -> None:
    """Run ``sr4ir_mm/__main__.py`` as a module of its own."""
    package = importlib.util.find_spec('sr4ir_mm')
    path = Path(package.origin).with_name('__main__.py')
    spec = importlib.util.spec_from_file_location('sr4ir_mm_main', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main()
