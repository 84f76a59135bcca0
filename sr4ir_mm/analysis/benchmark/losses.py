"""Losses of the same training in each variant."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from matplotlib.figure import Figure  # without pyplot: no display, no global state

from ...errors import SR4IRError
from .jobs import Job
from .results import Rows, entry
from .run import Settings
from .training import training_process
from .variants import REFERENCE, TRAINING, choose

#: float32 from weights that differ in the last bit: what deviates no more than this deviates by rounding
CONTROL, LAST_BIT = 'float32, last bit changed', 6e-8


def measure_losses(job: Job, settings: Settings) -> dict:
    """Train each variant for ``turns`` iterations on the same batches, a new one in each iteration.

    Returns:
        dict: As :func:`entry` makes it, with 'deviations', see :func:`deviation`, by the name of the variant.
    """
    chosen = choose(settings.variants, 'losses')
    args = dict(job=job, device=settings.device, batches=settings.turns)
    works = {name: (training_process, dict(args, variant=TRAINING[name])) for name in (REFERENCE, *chosen)}
    works[CONTROL] = (training_process, dict(args, variant=TRAINING[REFERENCE], noise=LAST_BIT))
    measured = replace(settings, warmup=0).take_turns(works)
    values = {name: variant['values'] for name, variant in measured.items()}
    deviations = {name: deviation(values[name], values[REFERENCE]) for name in (CONTROL, *chosen)}
    return entry('losses', job.title, settings.device, measured, deviations=deviations)


def deviation(values: Sequence[float], reference: Sequence[float]) -> dict[str, float]:
    """Return the relative deviation of losses: 'first', in the first iteration; 'max', the largest; 'mean'."""
    parts = _deviations(values, reference)
    return dict(first=parts[0], max=max(parts), mean=sum(parts) / len(parts))


def _deviations(values: Sequence[float], reference: Sequence[float]) -> list[float]:
    return [abs(value - other) / abs(other) for value, other in zip(values, reference)]


def deviation_rows(result: Mapping) -> Rows:
    """Make a table of the deviations of one measurement."""
    return [
        {'variant': name, **{f'{kind} deviation': f'{value:.1e}' for kind, value in found.items()}}
        for name, found in result['deviations'].items()
    ]


def plot_losses(results: Sequence[Mapping]) -> Figure:
    """Plot the losses of each measurement, and under them their relative deviation from those of float32.

    Raises:
        SR4IRError: If no losses were measured.
    """
    if not results:
        raise SR4IRError('No losses were measured: use --losses N, or name a JSON of it.')
    figure = Figure(figsize=(4.2 * len(results), 5), layout='constrained')
    rows = figure.subplots(2, len(results), squeeze=False, sharex=True)
    for (top, bottom), result in zip(rows.T, results):
        values = {name: variant['values'] for name, variant in result['variants'].items()}
        for i, (name, losses) in enumerate(values.items()):
            steps = range(1, len(losses) + 1)
            top.plot(steps, losses, color=f'C{i}', linewidth=1.3, label=name)
            if name != REFERENCE:
                bottom.plot(steps, _deviations(losses, values[REFERENCE]), color=f'C{i}', linewidth=1.3)
        top.set_title(result['job'], fontsize=8)
        top.legend(fontsize=7)
        for axes in (top, bottom):
            axes.set_yscale('log')
        bottom.set_xlabel('iteration', fontsize=8)
    rows[0, 0].set_ylabel('loss', fontsize=8)
    rows[1, 0].set_ylabel(f'deviation from {REFERENCE}', fontsize=8)
    return figure
