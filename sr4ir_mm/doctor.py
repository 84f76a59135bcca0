"""Check whether the installed packages work together, and say what to do if they do not.

Run ``python -m sr4ir_mm.doctor``, or ``python sr4ir_mm/doctor.py`` if ``import sr4ir_mm`` fails. The report gives each
package one of four marks:

- OK: it can be imported, and its version is tested.
- UNTESTED: it can be imported, but its version is not tested, or several packages write the same files.
- PROBLEM: it is missing or cannot be imported.
- ABSENT: it is missing, and only some tools need it.

The exit code is 1 if a package is a PROBLEM, else 0.
"""

import importlib
import os
import platform
import re
import sys
import textwrap
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MMCV_BUILDS = ('mmcv', 'mmcv-lite', 'mmcv-full')
MMCV_RANGE = '>=2.1.0,<2.2'
# package -> the module that is imported to check it; these modules import the other packages
IMPORTS = {
    'torch': 'torch', 'torchvision': 'torchvision', 'opencv-python': 'cv2', 'mmengine': 'mmengine.runner',
    'mmsegmentation': 'mmseg.models', 'mmdet': 'mmdet.models', 'mmpretrain': 'mmpretrain.models',
    'mmagic': 'mmagic.models',
}  # fmt: skip
OPTIONAL = ('optional', 'export', 'webui', 'spandrel')  # extras of setup.py for users
#: packages that must be older than a release where PyTorch is: (package, its limit, the first PyTorch without it)
OLDER_WITH_OLD_TORCH = (('numpy', '2', '2.3'),)
Finding = tuple[str, str, str]  # mark, what was found, what to do


def tested_ranges(extra: str = '') -> dict[str, str]:
    """Return the tested versions of packages, from the checkout or else from the installation.

    Args:
        extra (str): Name of an extra; by default, the packages that all users need.

    Returns:
        dict[str, str]: Package name -> version range.
    """
    file = ROOT / 'requirements' / f'{extra or "runtime"}.txt'
    lines = file.read_text().splitlines() if file.is_file() else metadata.requires('sr4ir_mm') or []
    marker = '' if file.is_file() or not extra else f'extra == "{extra}"'
    lines = [line for line in lines if (marker in line if marker else 'extra ==' not in line)]
    found = [re.match(r'([\w.-]+)\s*([^#;]*)', line) for line in lines]
    return {match[1]: match[2].strip() for match in found if match}


def version_of(package: str) -> str | None:
    """Return the installed version of a package, or None if it is missing."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def import_error(module: str) -> str:
    """Import a module, and return its error in one line, or an empty text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            importlib.import_module(module)
    except Exception as error:  # an import may raise anything, and the report shows it
        return f'{type(error).__name__}: {error}'.splitlines()[0]
    return ''


def check_package(package: str, tested: str, module: str = '') -> Finding:
    """Check that a package is installed, that its module can be imported, and that its version is tested."""
    version, remedy = version_of(package), f'pip install "{package}{tested}"'
    if version is None:
        return 'PROBLEM', f'{package}: not installed', remedy
    what = f'{package} {version}' + (f' (tested: {tested})' if tested else '')
    error = import_error(module) if module else ''
    if error:
        return 'PROBLEM', f'{what}: import {module}: {error}', f'{remedy}; an UNTESTED package may be the cause'
    from packaging.specifiers import SpecifierSet

    return ('OK', what, '') if SpecifierSet(tested).contains(version, prereleases=True) else ('UNTESTED', what, remedy)


def check_mmcv() -> Iterator[Finding]:
    """Check mmcv, which has several builds, and report where its ops come from."""
    builds = [build for build in MMCV_BUILDS if version_of(build)] or ['mmcv-lite']
    yield check_package(builds[0], MMCV_RANGE, 'mmcv.ops')
    if len(builds) > 1:
        yield 'UNTESTED', f'{" and ".join(builds)} write the same files', f'pip uninstall {" ".join(builds[1:])}'
    if 'mmcv.ops' not in sys.modules:
        return
    from sr4ir_mm.compat.mmcv_ops import SERVED, ops_provider  # absolute: this module is also run as a file

    sources = Path(sys.modules['mmcv.ops'].__file__).parent.glob('*.py')
    called = {name for source in sources for name in re.findall(r'ext_module\.(\w+)', source.read_text())}
    if ops_provider() == 'compiled':
        yield 'OK', f'mmcv ops: all {len(called)} functions compiled', ''
        return
    served, missing = (
        ', '.join(sorted({re.sub('_(for|back)ward.*', '', name) for name in names}))
        for names in (SERVED, called - set(SERVED))
    )
    yield 'OK', f'mmcv ops served by torchvision and PyTorch: {served}', ''
    yield 'OK', f'mmcv ops that raise an error if called: {missing}', 'if you need them: mim install "mmcv==2.1.0"'


def check_opencv() -> Iterator[Finding]:
    """Check that all installed builds of OpenCV have the same version, because all of them write the folder ``cv2``."""
    names = ('opencv-python', 'opencv-contrib-python', 'opencv-python-headless', 'opencv-contrib-python-headless')
    versions = {name: version for name in names if (version := version_of(name))}
    if len({version.rpartition('.')[0] for version in versions.values()}) > 1:  # the last part numbers the builds
        found = ', '.join(f'{name} {version}' for name, version in versions.items())
        yield (
            'UNTESTED',
            f'{found} write the same files: the one installed last is used',
            'install one version of all of them',
        )


def check_pairs() -> Iterator[Finding]:
    """Check for packages that are too new for the installed PyTorch, which pip does not know."""
    from packaging.version import Version

    for package, limit, first in OLDER_WITH_OLD_TORCH:
        torch, version = version_of('torch'), version_of(package)
        if torch and version and Version(torch) < Version(first) and Version(version) >= Version(limit):
            yield 'PROBLEM', f'{package} {version} does not work with torch {torch}', f'pip install "{package}<{limit}"'


def check_optional() -> Iterator[Finding]:
    """Check the packages of single tools, and the folder in which mim and other projects find our configs."""
    for extra in OPTIONAL:
        wanted = tested_ranges(extra)
        missing = {package: tested for package, tested in wanted.items() if version_of(package) is None}
        if missing:
            packages = ' '.join(f'"{package}{tested}"' for package, tested in missing.items())
            yield 'ABSENT', f'{", ".join(missing)}: for the extra [{extra}]', f'pip install {packages}'
        else:
            yield from (check_package(package, tested) for package, tested in wanted.items())
    mim = ROOT / 'sr4ir_mm' / '.mim'
    if (mim / 'model-index.yml').is_file():
        yield 'OK', f'sr4ir_mm:: configs: {mim}', ''
    else:
        yield 'ABSENT', f'{mim}: for sr4ir_mm:: configs, mim and python -m sr4ir_mm', f'pip install --no-deps -e {ROOT}'


def show(status: str, what: str, remedy: str) -> None:
    """Print one finding."""
    print(textwrap.fill(f'{status:9}{what}', 120, subsequent_indent=' ' * 9))
    if remedy:
        print(f'{"->":>11} {remedy}')


def main() -> int:
    """Print the report, and return the exit code."""
    print(f'Python {platform.python_version()} ({sys.executable}), {platform.platform()}')
    error = import_error('sr4ir_mm')  # first, because the zoos import mmcv.ops, which mmcv-lite lacks
    findings = [('PROBLEM', f'import sr4ir_mm: {error}', 'see below')] if error else []
    findings += [check_package(name, tested, IMPORTS.get(name, '')) for name, tested in tested_ranges().items()]
    findings += [*check_mmcv(), *check_opencv(), *check_pairs(), *check_optional()]
    for finding in findings:
        show(*finding)
    if torch := sys.modules.get('torch'):
        gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        print(f'{os.cpu_count()} CPU cores, {torch.get_num_threads()} threads; GPUs: {", ".join(gpus) or "none"}')
    problems = sum(status == 'PROBLEM' for status, _, _ in findings)
    print(f'{problems} problem(s)' if problems else 'Usable.')
    return int(problems > 0)


if __name__ == '__main__':
    if not __package__:  # run as a file: Python looks for packages in its folder, but must look in the one above
        sys.path[0] = str(ROOT)
    sys.exit(main())
