"""Whether loaded weights cover the networks: PyTorch and MMEngine leave the rest random, with a warning at most."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from mmengine.logging import print_log
from torch import nn

from ..errors import SR4IRError
from ..utils import parts_by_name, unwrap
from .hints import NAMES, net_hint, whole_hint
from .loads import Gaps, Load, LoadWatch, first_few
from .starts import as_list


def check_model(model: nn.Module, load: Load) -> None:
    """Check that weights cover the networks that the scheme uses.

    Args:
        model (SR4IR): Model into which the weights were loaded.
        load (Load): What was loaded.

    Raises:
        SR4IRError: If they do not, apart from what ``model.may_differ`` names.
    """
    used = tuple(f'{name}.' for name in model.used_nets)
    unused = sorted({key.partition('.')[0] for key in load.keys if not key.startswith((*used, 'tdp_net.'))})
    if unused and any(key.startswith(used) for key in load.keys):
        print_log(f'{_file(load.file)}: weights that the scheme does not use: {first_few(unused)}', 'current')
    gaps = load.gaps.select(lambda key: key.startswith(used))
    model.random_parts = _refuse_gaps(model, load, gaps, 'the config', lambda: whole_hint(model, load, gaps))


def check_trained(model: nn.Module) -> None:
    """Check, before a test, that no part of a model still has random weights.

    Raises:
        SR4IRError: If one has.
    """
    if random := getattr(model, 'random_parts', ()):
        raise SR4IRError(
            f'A test would use random weights ({first_few(random)}): load a checkpoint of the whole training, with '
            'load_from, or train first.'
        )


@contextmanager
def checked_init(model: nn.Module) -> Iterator[None]:
    """Check the weights from which the networks, or parts of them, start.

    A file for a whole network must cover it, apart from what ``model.may_differ`` names. A file for a part of the task
    network, such as a backbone, may lack what the zoo has added to that part, but not most of it.

    Args:
        model (SR4IR): Model whose weights are initialized inside the context.

    Raises:
        SR4IRError: If a file does not fit, has nothing under its ``prefix``, or is overwritten afterwards.
    """
    nets = {unwrap(net): name for name in NAMES if (net := getattr(model, name)) is not None}
    starts = [LoadWatch(net, partial(_check_net, model, name), keeps_values=True) for net, name in nets.items()]
    watches = [*starts]
    for path, part in parts_by_name(model):
        if part is not model and part not in nets:
            watches.append(LoadWatch(part, partial(_check_part, model, path)))
    try:
        yield
        _check_values(starts)
    except AssertionError as error:  # MMEngine's
        if 'is not in the pretrained model' not in str(error):
            raise
        prefix = str(error).partition(' ')[0]
        raise SR4IRError(
            f"No key in {_files_with(model, prefix)} starts with '{prefix}', the prefix in init_cfg: correct it, or "
            'leave it out.'
        ) from error
    finally:
        for watch in watches:
            watch.remove()


def _check_values(starts: list[LoadWatch]) -> None:
    """Check that nothing has changed the weights of a network after they were loaded."""
    for watch in starts:
        if lost := watch.overwritten():
            raise SR4IRError(
                f'{_file(watch.latest[0])} was loaded into {type(watch.net).__name__}, but its code has replaced the '
                f'values of {first_few(lost)}. Load the file with load_from, after the model is initialized.'
            )


def _check_net(model: nn.Module, name: str, net: nn.Module, load: Load) -> None:
    """Check the weights of ``init_cfg`` for a whole network."""
    children = {child for child, _ in net.named_children()}
    extra = [key for key in load.gaps.more if key.partition('.')[0] in children]
    # a few are left over in files that the zoos publish; many mean that the network of the file is deeper
    more = extra if len(extra) > len(load.keys) / 10 else []
    gaps = Gaps(load.gaps.lacks, more, load.gaps.shapes).under(f'{name}.')
    what = f'the {NAMES[name]} (model.{name}.init_cfg)'
    _refuse_gaps(model, load, gaps, what, lambda: net_hint(net, load, gaps))


def _check_part(model: nn.Module, path: str, part: nn.Module, load: Load) -> None:
    """Check the weights of ``init_cfg`` for a part of a network."""
    keys = [key for key in part.state_dict() if 'num_batches_tracked' not in key]
    random = load.gaps.random()
    if 2 * len(random) <= len(keys) or _is_asked(model, path):
        return
    file = _file(load.file or _init_file(part))
    raise SR4IRError(
        f'{file} fits only {len(keys) - len(random)} of the {len(keys)} weights of model.{path} '
        f'({type(part).__name__}), and the rest would stay random: {first_few(random)}. ' + net_hint(part, load, Gaps())
    )


def _refuse_gaps(model: nn.Module, load: Load, gaps: Gaps, what: str, hint: Callable[[], str]) -> list[str]:
    """Raise an error about gaps that nobody asked for, log the others, and return what stays random."""
    asked = gaps.select(lambda key: _is_asked(model, key))
    wrong = gaps.select(lambda key: not _is_asked(model, key))
    if wrong:
        raise SR4IRError(f'{_file(load.file)} does not fit {what}: {wrong}. {hint()}')
    if asked:
        print_log(f'{_file(load.file)}: not loaded, as model.may_differ says: {asked}', 'current')
    return asked.random()


def _is_asked(model: nn.Module, key: str) -> bool:
    return any(f'{key}.'.startswith(f'{name}.') for name in model.may_differ)


def _file(name: str | None) -> str:
    return f"'{name}'" if name else 'The state dict'


def _init_file(part: nn.Module) -> str | None:
    """Return the file from which a part starts: MMEngine loses its name if there is a prefix."""
    return next((cfg['checkpoint'] for cfg in as_list(getattr(part, 'init_cfg', None)) if 'checkpoint' in cfg), None)


def _files_with(model: nn.Module, prefix: str) -> str:
    """Name the files of the ``init_cfg`` that have a prefix."""
    keys = ('init_cfg', 'backbone_init_cfg')
    cfgs = [cfg for module in model.modules() for key in keys for cfg in as_list(vars(module).get(key))]
    files = [f"'{cfg.get('checkpoint')}'" for cfg in cfgs if str(cfg.get('prefix')).rstrip('.') == prefix.rstrip('.')]
    return first_few(dict.fromkeys(files)) or 'a file of an init_cfg'
