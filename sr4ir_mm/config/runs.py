"""The one reader of work dirs: config, checkpoint and test of a training, or a message if they may be of another."""

from dataclasses import dataclass
from pathlib import Path

from ..compat.stored_configs import parse_config
from ..errors import SR4IRError
from .checks import find_checkpoint
from .shared import OF_START, shared_weights
from .starts import CONFIG, training_starts
from .stored import is_checkpoint, read_meta, training_of
from .work_dir import is_run, last_checkpoint, read_result, result_files

_TESTED = ('model', 'test_dataloader', 'test_evaluator', 'test_cfg', 'predict')


@dataclass(frozen=True)
class Tested:
    """Metrics of one test, and what was tested.

    Args:
        metrics (dict): Values by name.
        checkpoint (str): File or URL.
        time (str): Time when the test began, '20260101_235959'.
        changed (list[str]): Entries of its config that the training did not have.
    """

    metrics: dict
    checkpoint: str
    time: str
    changed: list[str]


def find_weights(source: str | Path, weights: str | None = None) -> str:
    """Return the checkpoint of a run: the given one, else the checkpoint itself or the last one of a work dir.

    Args:
        source (str or Path): Config, checkpoint, work dir or shared model.
        weights (str, optional): Checkpoint file or URL, or shared model.

    Raises:
        SR4IRError: If there is none, or if it may be of another training.
    """
    if weights and (found := shared_weights(weights)):
        return found
    if weights:
        find_checkpoint(weights)
        _check_of_run(Path(source), weights)
        return weights
    if found := shared_weights(source):
        return found
    if is_checkpoint(source):
        return find_checkpoint(str(source))
    if not Path(source).is_dir():
        raise SR4IRError(
            f"'{source}' is a config, without weights: name a checkpoint after it, or instead of it a checkpoint or a "
            'work dir of tools/train.py.'
        )
    if found := last_checkpoint(Path(source)):
        training_starts(Path(source))
        return str(found)
    raise SR4IRError(f"'{source}' has no complete checkpoint (epoch_*.pth, iter_*.pth, best_*.pth): name one.")


def run_config(folder: Path) -> Path:
    """Return the config of the training in a work dir: the file that MMEngine wrote, else the last checkpoint.

    Raises:
        SR4IRError: If the folder is not a work dir, or if no file in it is the config of its training.
    """
    files, checkpoint = sorted(folder.glob('*.py')), last_checkpoint(folder)
    if not checkpoint and not (files and is_run(folder)):
        raise SR4IRError(
            f"No config of a run found in '{folder}': name a work dir of tools/train.py, a checkpoint, or a config "
            'file.'
        )
    text = trained_config(folder)
    same = [file for file in files if _entries(file.read_text(errors='replace')) == _entries(text)] if text else files
    if same and (text or len(same) == 1):
        return same[0]
    if checkpoint and text and not files:
        return checkpoint
    names = ', '.join(file.name for file in files) or 'no config'
    weights = f"'{checkpoint}'" if checkpoint else 'a checkpoint'
    if not text:
        raise SR4IRError(
            f"'{folder}' has {names}, and nothing says which is the config of its training: name a config file, and "
            f'then {weights}.'
        )
    holder = weights if checkpoint else f"'{folder / training_starts(folder)[-1] / CONFIG}'"
    raise SR4IRError(
        f"'{folder}' has {names}, which is not the config of the training there: it was changed since, or is of "
        f'another one. Name {holder}, which holds that config, or a config file and then {weights}.'
    )


def run_logs(folder: Path) -> list[Path]:
    """Return the logged values of the training in a work dir, a file for each of its starts.

    Raises:
        SR4IRError: If they may be of several trainings.
    """
    paths = [folder / start / 'vis_data/scalars.json' for start in training_starts(folder)]
    return [path for path in paths if path.exists()]


def run_test(folder: Path) -> Tested | None:
    """Return the latest test of the training in a work dir, or None.

    Raises:
        SR4IRError: If a file cannot be read, or does not say what was tested.
    """
    starts = training_starts(folder)
    for path in reversed(result_files(folder)):
        metrics = read_result(path)
        if not isinstance(tested := metrics.pop('tested', None), dict):
            raise SR4IRError(f"'{path}' does not say which checkpoint was tested: delete it, and test again.")
        if tested['training'] in starts:
            return Tested(metrics, tested['checkpoint'], path.stem, _changes(folder, path.parent / CONFIG))
    return None


def trained_config(folder: Path) -> str:
    """Return the config of a training as text, or '' if neither its checkpoint nor its logs hold it."""
    last_start, checkpoint = training_starts(folder)[-1], last_checkpoint(folder)
    stored = read_meta(checkpoint).get('cfg') if checkpoint else None
    path = folder / last_start / CONFIG
    return stored if isinstance(stored, str) else (path.read_text() if last_start and path.is_file() else '')


def _entries(text: str) -> dict | str:
    """Return the entries of a config that are the same for all starts of a training."""
    try:
        return {key: value for key, value in parse_config(text).items() if key not in OF_START}
    except (SyntaxError, ValueError):  # not as MMEngine writes it
        return text


def _changes(folder: Path, config: Path) -> list[str]:
    trained, tested = _entries(trained_config(folder)), _entries(config.read_text() if config.is_file() else '')
    if not (isinstance(trained, dict) and trained and isinstance(tested, dict) and tested):
        return []
    return [name for name in _TESTED if trained.get(name) != tested.get(name)]


def _check_of_run(folder: Path, weights: str) -> None:
    """Refuse a checkpoint of another training in the same work dir: the config there is not its own."""
    if not folder.is_dir() or Path(weights).parent.resolve() != folder.resolve():
        return
    if (training := training_of(weights)) and training not in training_starts(folder):
        raise SR4IRError(
            f"'{weights}' is of another training ({training}) than the config in '{folder}': name the checkpoint "
            'alone, which holds its config.'
        )
