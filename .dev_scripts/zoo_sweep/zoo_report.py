"""Rows of the sweep, and their summary."""

import csv
import re
from pathlib import Path

CHECKS = ('bare', 'sr4ir', 'identity', 'predict', 't2s', 'load_from')
COLUMNS = (
    'key', 'zoo', 'family', 'config', 'configs', 'params', 'size', *CHECKS, 'error', 'cause', 'seconds', 'memory_gb',
    'same',
)  # fmt: skip
#: known limits by a pattern of the error; old wordings stay, because the CSV has them
CAUSES = {
    r'has no model': 'not a model',
    r'cannot be loaded|only one of size|is not in the .* registry': 'broken config of the zoo',
    r'unexpected keyword argument|required positional|switch_to_deploy': 'broken config of the zoo',
    r'memory limit|time limit|process died': 'limit of this machine',
    r"mmcv's op": 'needs the compiled mmcv',
    r"'NoneType' object has no attribute 'loss'": 'features only: no head to train',
    r'channel\(s\), but (S works on|the SR network takes) 3|to have 1 channels': 'not one RGB image',
    r"doesn't support (training|to train)": 'not for training',
    r'eps must be positive': 'a norm that this PyTorch refuses',
    r'group has not been initialized': 'needs several processes',
    r'HorizontalBoxes.*converted to tensor|trackprocessor': 'video: several images for a sample',
    r'Calculated output size.*shapes cannot be multiplied': 'images of one shape that is not square',
    r"'list' object has no attribute 'keys'": 'several images for a sample',
    r"no attribute 'init_weights'": 'cannot be built without its weights',
    r'several images for a sample': 'several images for a sample',
    r'No gradient (gets|flows) from TDP layer': 'self-supervised: no graph from features to image',
    r'SentencePiece|huggingface|HTTPSConnection|URLError|offline mode|ConnectionError|cached': (
        'a part is a download: vocabulary or teacher'
    ),
    r'No module named|[Pp]lease install|not installed|pip install': 'needs a package that is not installed',
}
_HEAD = """\
# Results of the sweep of all zoo models

`python .dev_scripts/zoo_sweep/zoo_sweep.py` writes this page, and one row per model to [{csv}]({csv}). Configs that
differ only in data, schedule, weights, number of classes or input size count as one model. Each model is built with
random weights. It gets two synthetic images, as small as it accepts, through its own preprocessor. The checks:

- *Bare*: the model alone trains a step.
- *SR4IR*: the SR and the task network train a step; both change, and all losses are finite, including TDP.
- *Identity*: under scheme `H->T`, a step gives the losses and the parameters of the bare model.
- *Predicts*: `H->T` predicts the same as the bare model, and SR4IR predicts too.
- *`T->S`*: a step changes S and nothing of the frozen T, and T gives the losses that it gives alone.
- *`load_from`*: T starts from a file of its weights; all are there, and a step of `H->T` is that of the bare model.

Percentages are of the models that train bare and have had the check. A check is `-` where the bare model cannot do it.

"""


def cause_of(error: str) -> str:
    """Return the known limit that explains an error, or ''."""
    return next((cause for pattern, cause in CAUSES.items() if re.search(pattern, error)), '')


def read_rows(path: Path) -> list[dict]:
    """Read the rows of a CSV file; none if the file is missing."""
    if not path.exists():
        return []
    with path.open(newline='') as file:
        return [dict.fromkeys(COLUMNS, '') | row for row in csv.DictReader(file)]


def write_rows(rows: list[dict], path: Path) -> None:
    """Write the rows to a CSV file, and replace what was in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix('.tmp').open('w', newline='') as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    path.with_suffix('.tmp').replace(path)


def write_summary(rows: list[dict], path: Path, total: int) -> None:
    """Write the Markdown page of a sweep: counts per zoo, then every failure with its cause.

    Args:
        rows (list[dict]): Rows of the CSV file, which is in the same folder and has the same stem.
        path (Path): Page to write.
        total (int): Number of all models.
    """
    text = _HEAD.format(csv=path.with_suffix('.csv').name)
    text += _progress(rows, total)
    text += '| zoo | configs | models | bare trains | SR4IR trains | identity holds | predicts | `T->S` | `load_from` |'
    text += '\n|---|---|---|---|---|---|---|---|---|\n'
    for zoo in (*sorted({row['zoo'] for row in rows}), 'all'):
        text += _counts(zoo, [row for row in rows if zoo in (row['zoo'], 'all')])
    ours = [row for row in rows if row['bare'] == 'ok' and 'failed' in (row[check] for check in CHECKS)]
    bare = [row for row in rows if row['bare'] != 'ok']
    text += _failures('The bare model trains, and a check fails', ours)
    path.write_text(text + _failures('The bare model does not train here', bare))


def is_complete(row: dict) -> bool:
    """Tell whether a model has had all checks; the rows of an earlier sweep may lack new ones."""
    return all(row[check] for check in CHECKS)


def _progress(rows: list[dict], total: int) -> str:
    lacking = [check for check in CHECKS if not all(row[check] for row in rows)]
    tried, done = len(rows), sum(row['bare'] == 'ok' and is_complete(row) for row in rows)
    text = ''
    if tried < total:
        text += f'**{tried} of {total} models have been tried**, the smallest of each family first.\n\n'
    if lacking:
        text += f'**Only {done} models that train, a sample, have had all checks**; the others are of a sweep without '
        text += f'{", ".join(f"`{check}`" for check in lacking)}.\n\n'
    return text


def _counts(zoo: str, rows: list[dict]) -> str:
    bare = [row for row in rows if row['bare'] == 'ok']
    cells = [zoo, sum(int(row['configs']) for row in rows), len(rows), len(bare)]
    for check in CHECKS[1:]:
        able = [row for row in bare if row[check] in ('ok', 'failed')]
        good = sum(row[check] == 'ok' for row in able)
        cells.append(f'{good} of {len(able)} ({100 * good / max(len(able), 1):.1f} %)')
    return f'| {" | ".join(map(str, cells))} |\n'


def _failures(title: str, rows: list[dict]) -> str:
    text = f'\n## {title}: {len(rows)}\n\n| config | failed | cause | error |\n|---|---|---|---|\n'
    for row in sorted(rows, key=lambda row: (cause_of(row['error']), row['config'])):
        failed = ', '.join(check for check in CHECKS if row[check] == 'failed')
        error = row['error'][:160].replace('|', '\\|').replace('`', "'")
        text += f'| {row["config"]} | {failed} | {cause_of(row["error"])} | `{error}` |\n'
    return text if rows else ''
