"""What the page of curves shows."""

from sr4ir_mm.analysis import Curve, training_figure


def curve(measured: bool = False) -> Curve:
    return Curve('epoch' if measured else 'iteration', measured, [1, 2], [0.5, 0.25])


def titles(names: dict[str, bool], best: tuple = ()) -> dict[str, list[str]]:
    figure = training_figure({name: curve(measured) for name, measured in names.items()}, best)
    axes = [ax for ax in figure.axes if ax.lines]
    return {ax.get_title(): [line.get_label() for line in ax.lines if ax.get_legend()] for ax in axes}


LOSSES = ('sr.loss_pix', 'sr.loss_tdp', 'task.sr.loss', 'task.sr.loss_cls', 'task.hr.loss', 'loss', 'sr.lr', 'time')
METRICS = ('aAcc', 'mIoU', 'sr/PSNR', 'sr/SSIM', 'val/time')


def test_losses_by_phase_metric_and_psnr():
    names = dict.fromkeys(LOSSES, False) | dict.fromkeys(METRICS, True)
    assert titles(names, ('mIoU',)) == {
        'losses of the SR network': ['sr.loss_pix', 'sr.loss_tdp'],
        'losses of the task network': ['task.sr.loss', 'task.hr.loss'],
        'mIoU': [],
        'sr/PSNR': [],
    }
    assert 'aAcc' in titles(names, ('auto',))


def test_a_baseline_without_validation():
    assert titles({'task.hr.loss': False, 'loss': False, 'task.lr': False}) == {'task.hr.loss': []}


def test_nothing_logged():
    assert training_figure({}) is None and training_figure({'time': curve(), 'val/time': curve(True)}) is None
