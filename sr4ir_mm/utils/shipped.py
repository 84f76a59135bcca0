"""Weights that the package ships, which need no network."""

from pathlib import Path

from ..errors import SR4IRError

SCHEME = 'sr4ir_mm://'
FOLDER = Path(__file__).parents[1] / 'weights'


def find_shipped(name: str) -> Path:
    """Return the file of weights that the package ships.

    Args:
        name (str): Name such as 'sr4ir_mm://edsr-s_x4'.

    Raises:
        SR4IRError: If the package has no such file.
    """
    names = {f'{SCHEME}{path.stem}': path for path in sorted(FOLDER.glob('*.safetensors'))}
    if name not in names:
        raise SR4IRError(f"'{name}' is not among the weights that sr4ir_mm ships: choose from {', '.join(names)}.")
    return names[name]
