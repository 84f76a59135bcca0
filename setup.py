"""Packaging, with the ``.mim`` folder that ``mim`` and ``sr4ir_mm::...`` config paths look into."""

import os
import runpy
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
README = ROOT / 'README.md'


def add_mim_extension(package_dir: Path, link: bool) -> None:
    """Put configs, tools and the model index under ``package_dir/.mim``, as relative links or as copies."""
    mim_dir = package_dir / '.mim'
    shutil.rmtree(mim_dir, ignore_errors=True)
    mim_dir.mkdir(parents=True)
    for name in ('configs', 'tools', 'model-index.yml'):
        source, target = ROOT / name, mim_dir / name
        if link:
            target.symlink_to(os.path.relpath(source, mim_dir))
        elif source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns('__pycache__'))
        else:
            shutil.copy(source, target)


class BuildPy(build_py):
    """Add ``.mim``: links in the checkout for ``pip install -e``, copies in the build folder for a wheel.

    Unlike OpenMMLab's look at ``sys.argv``, this also serves PEP 660, and building a wheel leaves the links of an
    editable install alone.
    """

    def run(self) -> None:
        """Build the package, then its ``.mim``."""
        super().run()
        add_mim_extension((ROOT if self.editable_mode else Path(self.build_lib)) / 'sr4ir_mm', self.editable_mode)


class BdistWheel(bdist_wheel):
    """Add a second ``.mim`` where onedl-mim looks for it.

    onedl-mim (0.5) takes the folder of the first file in RECORD for the package. pip sorts RECORD, and the command is
    ``../../../bin/sr4ir`` there: before any package, but behind a folder whose name begins with '+'. openmim looks into
    the package. This can go when onedl-mim does so too.
    """

    def write_wheelfile(self, wheelfile_base: str, *args: str) -> None:
        """Complete the content; an editable install, whose metadata lie elsewhere, onedl-mim finds by its URL."""
        super().write_wheelfile(wheelfile_base, *args)
        if Path(wheelfile_base).is_relative_to(self.bdist_dir):
            add_mim_extension(Path(self.bdist_dir) / '+sr4ir_mm', link=False)


def requirements(name: str) -> list[str]:
    """Read ``requirements/<name>.txt`` without its comments."""
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [line for line in (line.partition('#')[0].strip() for line in lines) if line]


files = {path.stem for path in (ROOT / 'requirements').glob('*.txt')}
extras = {name: requirements(name) for name in sorted(files - {'runtime', 'mminstall'})}

setup(
    name='sr4ir_mm',
    version=runpy.run_path(str(ROOT / 'sr4ir_mm' / 'version.py'))['__version__'],
    description='Task-driven super-resolution (SR4IR, CVPR 2024) for the networks of OpenMMLab',
    long_description=README.read_text(encoding='utf-8') if README.exists() else '',
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    keywords='computer vision, super-resolution, image recognition, OpenMMLab',
    classifiers=[
        'Development Status :: 4 - Beta',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    packages=find_packages(include=['sr4ir_mm', 'sr4ir_mm.*']),
    entry_points={'console_scripts': ['sr4ir = sr4ir_mm.__main__:main']},
    # the public names of the subpackages, imported on first use; and trained weights with their license
    package_data={'': ['*.pyi', 'py.typed'], 'sr4ir_mm': ['weights/*']},
    python_requires='>=3.10,<3.14',
    # mmcv is left to requirements.txt (mmcv-lite) or to mim (the full one): both provide the package `mmcv`.
    install_requires=requirements('runtime'),
    extras_require={
        **extras,
        'all': [line for lines in extras.values() for line in lines],
        'mim': requirements('mminstall'),
    },
    cmdclass={'build_py': BuildPy, 'bdist_wheel': BdistWheel},
)
