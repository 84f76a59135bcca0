"""Log lines that fit a screen, next to the complete ones of the log file."""

import datetime
import math
import re
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

from mmengine.runner import LogProcessor, Runner

from .evaluations import best_metrics
from .screen import WIDTH, ShortText

_CLOCK = len('00:00:00 ')
_IMAGES = r'task\.\w+\.'
#: values of an evaluation that are no metrics; tools/test.py adds what was tested
_NO_METRICS = {'time', 'data_time', 'tested'}
_LONGEST = 80  # characters of a metric that is no number


class ScreenLogProcessor(LogProcessor):
    """MMEngine's ``LogProcessor`` whose lines are short on the screen of a :class:`Screen`.

    The log file and the files of the visualizer have all values, as MMEngine writes them.

    Example:
        >>> runner.log_processor = ScreenLogProcessor(by_epoch=True)
    """

    def get_log_after_iter(self, runner: Runner, batch_idx: int, mode: str) -> tuple[dict, str]:
        """Return the values and the line of an iteration."""
        tag, text = super().get_log_after_iter(runner, batch_idx, mode)
        values, screen = without_mode(tag, mode), getattr(runner, 'screen', None)
        has_bar = bool(screen and screen.is_terminal)
        if has_bar and mode != 'train':
            return tag, ShortText(text, '')  # the bar shows the same
        eta, times = runner.message_hub.runtime_info.get('eta'), []
        if not has_bar and eta is not None and 'time' in values:
            times = [f'{datetime.timedelta(seconds=int(eta))} left', f'{values["time"]:.2f} s/it']
        losses = [f'{short_name(name)} {value:.4g}' for name, value in main_losses(values).items()]
        return tag, ShortText(text, fit([_head(text), *times, *losses], screen.width if screen else WIDTH))

    def get_log_after_epoch(self, runner: Runner, batch_idx: int, mode: str, *args: Any, **kwargs: Any) -> tuple:
        """Return the values and the line of a validation or a test."""
        tag, text = super().get_log_after_epoch(runner, batch_idx, mode, *args, **kwargs)
        metrics = {name: value for name, value in without_mode(tag, mode).items() if name not in _NO_METRICS}
        names, best = list(metrics), best_metrics(runner)
        first = [*(name for name in names if name in best), *names[:1], 'sr/PSNR']  # others may have no room
        names.sort(key=lambda name: first.index(name) if name in first else len(first))
        values = [f'{name} {metric_text(metrics[name])}' for name in names]
        screen = getattr(runner, 'screen', None)
        width = math.inf if mode == 'test' else screen.width if screen else WIDTH  # a test has one line, with all
        return tag, ShortText(text, fit([_head(text), *values], width))


def without_mode(values: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """Return values by names without 'train/', 'val/' or 'test/', which ``log_with_hierarchy`` puts before them."""
    return {name.removeprefix(f'{mode}/'): value for name, value in values.items()}


def metric_text(value: Any) -> str:
    """Return a metric as text; of a large one, such as a confusion matrix, where it is.

    Args:
        value (Any): A number, or what else a metric may return, such as the values of all classes.
    """
    if isinstance(value, Real):
        return str(int(value)) if isinstance(value, Integral) else f'{value:.4f}'
    text = ' '.join(str(value).split())
    return text if len(text) <= _LONGEST else '(see the log file)'


def main_losses(values: Mapping[str, Any]) -> dict[str, float]:
    """Select the losses for a line: those of the SR network, and the sum of the task network's for each image.

    The sum over all phases comes last, and only if it is not equal to one of the others.

    Args:
        values (Mapping[str, Any]): Values of an iteration by name.
    """
    losses = {name: value for name, value in values.items() if 'loss' in name and isinstance(value, float)}
    chosen = {name: value for name, value in losses.items() if name.startswith('sr.')}
    chosen |= {name: value for name, value in losses.items() if re.fullmatch(_IMAGES + 'loss', name)}
    if 'loss' in losses and not any(f'{losses["loss"]:.4g}' == f'{value:.4g}' for value in chosen.values()):
        chosen['loss'] = losses['loss']
    return chosen or losses


def short_name(name: str) -> str:
    """Shorten the name of a loss, e.g. 'sr.loss_pix' to 'sr.pix' and 'task.hr.loss' to 'task.hr'."""
    return name.replace('.loss_', '.').removesuffix('.loss')


def fit(parts: Iterable[str], width: float) -> str:
    """Join parts, of which the last ones are left out if a line with its time would be too long."""
    line = ''
    for part in parts:
        if line and _CLOCK + len(line) + 2 + len(part) >= width:
            break
        line = f'{line}  {part}' if line else part
    return line


def _head(text: str) -> str:
    """Return the position, e.g. 'Epoch(train) [1][20/50]'."""
    found = re.match(r'(\w+\(\w+\))\s*((?:\[[^]]*\])+)', text)
    return f'{found[1]} {found[2]}' if found else text.partition('  ')[0]
