"""The sweep's rows, and what they add up to."""

import csv
import re
from pathlib import Path

CHECKS = ('bare', 'sr4ir', 'identity', 'predict')
COLUMNS = (
    'key', 'zoo', 'family', 'config', 'configs', 'params', 'size', *CHECKS, 'error', 'cause', 'seconds', 'memory_gb',
    'same',
)  # fmt: skip
#: known limits, by what the error says
CAUSES = {
    r'has no model': 'not a model',
    r'cannot be loaded|only one of size|is not in the .* registry': 'broken config of the zoo',
    r'unexpected keyword argument|required positional|switch_to_deploy': 'broken config of the zoo',
    r'memory limit|time limit|process died': 'limit of this machine',
    r"mmcv's op": 'needs the compiled mmcv',
    r"'NoneType' object has no attribute 'loss'": 'features only: no head to train',
    r'channel\(s\), but S works on 3|to have 1 channels': 'not one RGB image',
    r"doesn't support (training|to train)": 'not for training',
    r'eps must be positive': 'a norm that this PyTorch refuses',
    r'group has not been initialized': 'needs several processes',
    r'HorizontalBoxes.*converted to tensor|trackprocessor': 'video: several images for a sample',
    r'Calculated output size.*shapes cannot be multiplied': 'images of one shape that is not square',
    r"'list' object has no attribute 'keys'": 'several images for a sample',
    r"no attribute 'init_weights'": 'cannot be made without its weights',
    r'several images for a sample': 'several images for a sample',
    r'No gradient gets from TDP layer': 'self-supervised: no graph from features to image',
    r'SentencePiece|huggingface|HTTPSConnection|URLError|offline mode|ConnectionError|cached': (
        'a part is a download: vocabulary or teacher'
    ),
    r'No module named|[Pp]lease install|not installed|pip install': 'needs a package that is not installed',
}
_HEAD = """\
# Every model of the zoos: what the sweep saw

Written by `python tools/zoo_sweep.py`; one row a model is in [{csv}]({csv}). Configs count as one model when they
differ only in data, schedule, weights, number of classes or input size. Each model is built with random weights and
gets two made images, as small as it takes them, through its own preprocessor. *Bare*: it trains a step here without
us. *SR4IR*: S and T train a step, both change, all losses are finite, TDP among them. *Identity*: under scheme `H->T`
a step has the losses and the parameters of the bare model's. *Predicts*: `H->T` predicts what the bare model does,
and SR4IR predicts too. Shares are of those that train bare; `-` counts where the bare model does not predict.

"""


def cause_of(error: str) -> str:
    """The known limit behind an error, or ''."""
    return next((cause for pattern, cause in CAUSES.items() if re.search(pattern, error)), '')


def read_rows(path: Path) -> list[dict]:
    """The rows of a CSV, none if there is no such file."""
    if not path.exists():
        return []
    with path.open(newline='') as file:
        return list(csv.DictReader(file))


def write_rows(rows: list[dict], path: Path) -> None:
    """Write a CSV anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w', newline='') as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def write_summary(rows: list[dict], path: Path, total: int) -> None:
    """Write the Markdown page of a sweep: counts per zoo, then every failure with its cause.

    Args:
        rows (list[dict]): Of the CSV, which lies beside the page.
        path (Path): The page.
        total (int): How many models there are.
    """
    text = _HEAD.format(csv=path.with_suffix('.csv').name)
    if len(rows) < total:
        text += f'**{len(rows)} of {total} models have been tried**, the smallest of each family first.\n\n'
    text += '| zoo | configs | models | bare trains | SR4IR trains | identity holds | predicts |\n'
    text += '|---|---|---|---|---|---|---|\n'
    for zoo in (*sorted({row['zoo'] for row in rows}), 'all'):
        text += _counts(zoo, [row for row in rows if zoo in (row['zoo'], 'all')])
    ours = [row for row in rows if row['bare'] == 'ok' and 'failed' in (row[check] for check in CHECKS)]
    bare = [row for row in rows if row['bare'] != 'ok']
    text += _failures('The bare model trains, and a check fails', ours)
    path.write_text(text + _failures('The bare model does not train here', bare))


def _counts(zoo: str, rows: list[dict]) -> str:
    bare = [row for row in rows if row['bare'] == 'ok']
    cells = [zoo, sum(int(row['configs']) for row in rows), len(rows), len(bare)]
    for check in CHECKS[1:]:
        able = [row for row in bare if row[check] != '-']
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
