"""The tools as functions."""

from pathlib import Path

import pytest
from helpers.zoo import TOOLS, make_voc, tiny_config

import sr4ir_mm
from sr4ir_mm import __main__ as command
from sr4ir_mm.config.runs import run_test
from sr4ir_mm.errors import SR4IRError


@pytest.fixture(autouse=True)
def tools(monkeypatch, tmp_path):
    """Use the tools of the checkout; an installation has them in ``.mim``."""
    monkeypatch.setattr(command, 'TOOLS', TOOLS)
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_from_training_to_report(tmp_path, monkeypatch):
    monkeypatch.setenv('LOCAL_RANK', '0')
    make_voc(tmp_path / 'voc')
    config = tiny_config(tmp_path)
    options = {'train_cfg.max_epochs': 1, 'model': dict(cqmix=dict(grid=4))}
    run = sr4ir_mm.train(config, scheme='sr4ir', cfg_options=options, no_plots=True)
    assert run == Path('work_dirs/tiny_sr4ir') or run == Path('work_dirs/tiny')
    assert (run / 'epoch_1.pth').is_file()
    logs = next(run.glob('*/vis_data'))
    before = {path.name: path.read_text() for path in logs.iterdir() if path.is_file()}
    metrics = sr4ir_mm.test(run, show_dir='panels', cfg_options={'test_dataloader.dataset.indices': 3})
    assert before == {path.name: path.read_text() for path in logs.iterdir() if path.is_file()}
    assert run_test(run).changed == ['test_dataloader'], 'the test has logs of its own'
    assert {'mIoU', 'sr/PSNR'} <= set(metrics) and len(list(Path('panels').iterdir())) == 3
    images = sorted(Path('voc/JPEGImages').iterdir())[:2]
    out = sr4ir_mm.infer(run, images, out_dir='out', no_save_vis=True)
    assert out == Path('out') and len(list(Path('out/preds').glob('*.json'))) == 2
    page = sr4ir_mm.report(run, out='page.html', title='A title')
    assert page == Path('page.html') and 'A title' in page.read_text()


def test_mistakes_are_errors_not_exits():
    with pytest.raises(SR4IRError, match=r"'train' has no option 'shceme'\. Did you mean scheme\?"):
        sr4ir_mm.train('x.py', shceme='l2t')
    with pytest.raises(SR4IRError, match=r"Config 'missing\.py' not found"):
        sr4ir_mm.train('missing.py')
    with pytest.raises(SR4IRError, match='Argument --coords: invalid choice'):
        sr4ir_mm.infer('x.py', 'y.png', coords='hr')


def test_export_is_a_function_and_a_package():
    import sr4ir_mm.export as package

    assert callable(package.find_images), 'the package is what it was'
    for export in (sr4ir_mm.export, package):
        with pytest.raises(SR4IRError, match=r"'missing\.py' not found"):
            export('missing.py', 'model.onnx')


def test_export_returns_the_files(trained_dir, tmp_path):
    (path,) = sr4ir_mm.export(trained_dir, tmp_path / 'a.pt2', shape=(16, 16))
    assert path == tmp_path / 'a.pt2' and path.is_file()
