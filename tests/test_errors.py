"""What the tools print instead of a traceback."""

import errno

import pytest

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
