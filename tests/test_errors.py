"""What the tools print instead of a traceback."""

import errno

import pytest
from mmengine.registry import MODELS

from sr4ir_mm.errors import SR4IRError, user_errors


@pytest.mark.parametrize(
    ('error', 'message'),
    [
        (SR4IRError('The scheme is wrong.'), 'The scheme is wrong.'),
        (
            SR4IRError('Worker 0.\nTraceback ...\nsr4ir_mm.errors.SR4IRError: The scheme is wrong.'),
            'The scheme is wrong.',
        ),
        (OSError(errno.ENOSPC, 'No space left on device', 'log.txt'), "[Errno 28] No space left on device: 'log.txt'"),
        (FileNotFoundError(2, 'No such file', 'x'), "[Errno 2] No such file: 'x'"),
    ],
)
def test_one_message_and_exit_code_2(error, message, capsys):
    with pytest.raises(SystemExit) as end, user_errors():
        raise error
    assert end.value.code == 2 and capsys.readouterr().err == f'\nerror: {message}\n'


def test_other_errors_are_bugs():
    with pytest.raises(RuntimeError), user_errors():
        raise RuntimeError


class Net:
    """A class of a user, whose own mistakes are bugs."""

    def __init__(self, channels: int, fail: bool = False) -> None:
        if fail:
            {}['key']


class Child(Net):
    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)


@pytest.mark.parametrize(
    ('cfg', 'words'),
    [
        (dict(type='NoNet'), 'NoNet is not in the'),
        (dict(type=Net, chanels=1), "unexpected keyword argument 'chanels'"),
        (dict(type=Net), "missing 1 required positional argument: 'channels'"),
        (dict(type=Child, chanels=1), "unexpected keyword argument 'chanels'"),
    ],
)
def test_types_and_arguments_that_do_not_exist_are_one_message(cfg, words, capsys):
    with pytest.raises(SystemExit) as end, user_errors():
        MODELS.build(cfg)
    assert end.value.code == 2
    assert words in capsys.readouterr().err.removeprefix('\nerror: the config does not fit: ')


def test_values_that_make_a_class_fail_are_one_message_or_a_traceback_if_asked_for(capsys, monkeypatch):
    with pytest.raises(SystemExit) as end, user_errors():
        MODELS.build(dict(type=Net, channels=1, fail=True))
    assert end.value.code == 2 and '(Net: channels=1, fail=True): key' in capsys.readouterr().err
    monkeypatch.setenv('SR4IR_TRACEBACK', '1')
    with pytest.raises(KeyError), user_errors():
        MODELS.build(dict(type=Net, channels=1, fail=True))


def test_errors_outside_of_a_config_are_bugs():
    with pytest.raises(TypeError), user_errors():
        Net(chanels=1)
