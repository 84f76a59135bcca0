import runpy
import sys

import pytest

from sr4ir_mm import doctor


@pytest.fixture
def versions(monkeypatch) -> dict:
    """Replace the versions of some installed packages."""
    changed, real = {}, doctor.version_of
    monkeypatch.setattr(doctor, 'version_of', lambda name: changed.get(name, real(name)))
    return changed


def lines(output: str, status: str) -> str:
    return '\n'.join(line for line in output.splitlines() if line.startswith(status))


def test_this_environment_is_usable(capsys, monkeypatch):
    """Also where the module is run as a file."""
    monkeypatch.setattr(sys, 'path', [*sys.path])
    with pytest.raises(SystemExit) as exit:
        runpy.run_path(doctor.__file__, run_name='__main__')
    assert exit.value.code == 0
    output = capsys.readouterr().out
    ok = lines(output, 'OK')
    assert all(f'OK       {name} ' in ok for name in ('torch', 'mmengine', 'mmsegmentation', 'mmdet', 'mmagic'))
    assert 'mmcv ops' in ok
    assert 'CPU cores' in output
    assert not lines(output, 'PROBLEM')


def test_missing_package_is_a_problem(capsys, versions):
    versions['mmdet'] = None
    assert doctor.main() == 1
    output = capsys.readouterr().out
    assert lines(output, 'PROBLEM') == 'PROBLEM  mmdet: not installed'
    assert '-> pip install "mmdet>=3.3.0,<3.4"' in output


def test_package_that_does_not_import_is_a_problem(monkeypatch):
    monkeypatch.setitem(doctor.IMPORTS, 'mmdet', 'mmdet.no_such_module')
    status, what, _ = doctor.check_package('mmdet', '>=3.3.0', 'mmdet.no_such_module')
    assert status == 'PROBLEM'
    assert "ModuleNotFoundError: No module named 'mmdet.no_such_module'" in what


@pytest.mark.parametrize(
    ('package', 'version'),
    [
        ('setuptools', '82.0'),
        ('numpy', '3.0.0'),
        ('pillow', '10.0'),
        ('opencv-python', '4.11.0.86'),
        ('torch', '2.15.0'),
    ],
)
def test_version_outside_the_range_is_untested(versions, package, version):
    versions[package] = version
    status, what, remedy = doctor.check_package(package, doctor.tested_ranges()[package])
    assert status == 'UNTESTED'
    assert f'{package} {version}' in what
    assert remedy.startswith(f'pip install "{package}')


def test_packages_that_write_the_same_files(versions):
    versions.update({'opencv-python': '4.10.0.84', 'opencv-python-headless': '4.10.0.82'})
    versions.update({'opencv-contrib-python': None, 'mmcv': '2.1.0', 'mmcv-lite': '2.1.0'})
    assert list(doctor.check_opencv()) == []  # one version of OpenCV, packaged twice
    versions['opencv-python'] = '4.8.1.78'
    assert [status for status, _, _ in doctor.check_opencv()] == ['UNTESTED']
    assert ('UNTESTED', 'mmcv and mmcv-lite write the same files', 'pip uninstall mmcv-lite') in doctor.check_mmcv()


def test_a_package_too_new_for_an_old_pytorch(versions):
    versions |= {'torch': '2.2.0', 'numpy': '1.26.4'}
    assert list(doctor.check_pairs()) == []
    versions['numpy'] = '2.4.6'
    ((status, what, remedy),) = doctor.check_pairs()
    assert (status, what) == ('PROBLEM', 'numpy 2.4.6 does not work with torch 2.2.0')
    assert remedy == 'pip install "numpy<2"'
    versions['torch'] = '2.14.1+cpu'
    assert list(doctor.check_pairs()) == []


def test_mmcv_is_missing(versions):
    versions.update(dict.fromkeys(doctor.MMCV_BUILDS))
    found = next(iter(doctor.check_mmcv()))
    assert found == ('PROBLEM', 'mmcv-lite: not installed', 'pip install "mmcv-lite>=2.1.0,<2.2"')


def test_ranges_of_an_installed_package(monkeypatch, tmp_path):
    """Without a checkout, they come from the metadata."""
    monkeypatch.setattr(doctor, 'ROOT', tmp_path)
    required = ['torch<2.12,>=2.1', 'ftfy', 'numpy<2,>=1.26 ; python_version > "3"', 'ruff>=0.15; extra == "tests"']
    monkeypatch.setattr(doctor.metadata, 'requires', lambda name: required)
    assert doctor.tested_ranges() == {'torch': '<2.12,>=2.1', 'ftfy': '', 'numpy': '<2,>=1.26'}


def test_ranges_of_an_extra(monkeypatch, tmp_path):
    assert 'tensorboard' in doctor.tested_ranges('optional')
    monkeypatch.setattr(doctor, 'ROOT', tmp_path)
    required = ['torch<2.12', 'onnx<2; extra == "export"', 'gradio<5; extra == "webui"', 'onnx<2; extra == "all"']
    monkeypatch.setattr(doctor.metadata, 'requires', lambda name: required)
    assert doctor.tested_ranges('export') == {'onnx': '<2'}


def test_what_only_some_tools_need_is_absent(versions, monkeypatch, tmp_path):
    """Packages of single tools, and the folder in which mim looks; the report says how to get them."""
    monkeypatch.setattr(doctor, 'ROOT', tmp_path)
    monkeypatch.setattr(doctor, 'OPTIONAL', ('export',))
    monkeypatch.setattr(doctor.metadata, 'requires', lambda name: ['onnx<2; extra == "export"'])
    versions['onnx'] = None
    package, folder = doctor.check_optional()
    assert package == ('ABSENT', 'onnx: for the extra [export]', 'pip install "onnx<2"')
    assert folder[0] == 'ABSENT' and folder[2] == f'pip install --no-deps -e {tmp_path}'
    versions['onnx'] = '1.23'
    (tmp_path / 'sr4ir_mm' / '.mim').mkdir(parents=True)
    (tmp_path / 'sr4ir_mm' / '.mim' / 'model-index.yml').touch()
    assert [status for status, _, _ in doctor.check_optional()] == ['OK', 'OK']


def test_needs_only_the_standard_library_to_start():
    """It must run where nothing else is installed."""
    source = (doctor.ROOT / 'sr4ir_mm' / 'doctor.py').read_text()
    imports = [
        line.split()[1].partition('.')[0] for line in source.splitlines() if line.startswith(('import ', 'from '))
    ]
    assert set(imports) <= sys.stdlib_module_names
