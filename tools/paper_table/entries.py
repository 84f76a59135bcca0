"""What decides the numbers of a run in its config, to tell whether two runs are the same."""

import json
from collections.abc import Iterator

from mmengine.config import Config

from sr4ir_mm.config.arguments import ENTRIES

_OTHER = {
    'work_dir', 'launcher', 'resume', 'experiment_name', 'log_processor', 'log_level', 'visualizer', 'val_dataloader',
    'val_evaluator', 'val_cfg',
}  # fmt: skip
_OTHER_HOOKS = {'logger', 'checkpoint', 'timer', 'visualization', 'runtime_info'}
_WORKERS = {'num_workers', 'persistent_workers', 'pin_memory', 'prefetch_factor'}
_VALIDATION = {'val_interval', 'val_begin', 'dynamic_intervals'}


def deciding_entries(cfg: Config) -> dict:
    """Return the entries of a config that decide the numbers of its run, but for the seed, as JSON has them.

    Without an SR network, those of the SR network are not among them; under 'H->T' the scale is not either.
    """
    entries = {key: value for key, value in cfg.to_dict().items() if key in ENTRIES - _OTHER}
    for name, others in {
        'default_hooks': _OTHER_HOOKS, 'train_dataloader': _WORKERS, 'test_dataloader': _WORKERS,
        'train_cfg': _VALIDATION, 'randomness': {'seed'},
    }.items():  # fmt: skip
        if isinstance(entries.get(name), dict):
            entries[name] = {key: value for key, value in entries[name].items() if key not in others}
    if not cfg.model.get('sr'):
        _drop_sr(entries)
    return json.loads(json.dumps(entries, default=str))


def differences(then: object, now: object, name: str = '') -> Iterator[str]:
    """Yield what differs between two results of :func:`deciding_entries`: 'train_cfg.max_epochs was 3, and is 4'."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*then, *now]):
            yield from differences(then.get(key), now.get(key), f'{name}.{key}'.lstrip('.'))
    elif then != now and not (then != then and now != now):  # nan
        yield f'{name} was {_short(then)}, and is {_short(now)}'


def _drop_sr(entries: dict) -> None:
    model, is_oracle = entries['model'], entries['model'].get('scheme') == 'H->T'
    for key in ('tdp', 'cqmix', *(('scale', 'degradation') if is_oracle else ())):
        model.pop(key, None)
    if is_oracle:
        (model['task'].get('data_preprocessor') or {}).pop('pad_size_divisor', None)
    for key in ('optim_wrapper', 'param_scheduler'):
        if isinstance(entries.get(key), dict):
            entries[key] = entries[key].get('task', entries[key])
    entries.get('default_hooks', {}).pop('alternating', None)  # warm-up of the TDP loss


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 80 else f'{text[:80]}...'
