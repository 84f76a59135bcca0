"""Plots of curves."""

from pathlib import Path

from matplotlib.figure import Figure

from sr4ir_mm.analysis.curves import name_runs, plot_all, plot_curve
from sr4ir_mm.analysis.scalars import Curve


def test_names_of_runs():
    assert name_runs([Path('a/x'), Path('a/y')]) == dict(x=Path('a/x'), y=Path('a/y'))
    assert list(name_runs([Path('/w/1/x'), Path('/w/2/x'), Path('/w/1/y')])) == ['1/x', '2/x', '1/y']
    assert name_runs([]) == {}


def test_a_run_that_is_named_twice(tmp_path):
    """The third one keeps its own name and folder."""
    (tmp_path / 'link').symlink_to(tmp_path / 'x')
    paths = [tmp_path / name for name in ('x', 'x/', 'y/../x', 'link', 'y')]
    assert name_runs(paths) == dict(x=tmp_path / 'x', y=tmp_path / 'y')


def test_a_run_keeps_its_color():
    """Also where an earlier run does not have the curve."""
    runs = dict(a=dict(loss=Curve('iteration', x=[1, 2], y=[3, 4])), b=dict(mIoU=Curve('epoch', x=[1], y=[40])))
    ax = Figure().subplots()
    plot_curve(ax, runs, 'mIoU')
    (line,) = ax.lines
    assert line.get_color() == 'C1' and line.get_xydata().tolist() == [[1, 40]]
    assert ax.get_title() == 'mIoU' and ax.get_xlabel() == 'epoch'


def test_all():
    runs = dict(a={f'c{i}': Curve('iteration', x=[1, 2], y=[3, i]) for i in range(6)})
    figure = plot_all(runs, list(runs['a']))
    assert [ax.get_title() for ax in figure.axes] == ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', '', '']
    assert not figure.legends and len(plot_all(runs | dict(b={}), ['c0']).legends) == 1
