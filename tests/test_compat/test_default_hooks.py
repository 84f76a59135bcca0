"""Any of the default hooks can be switched off with None, not only those of MMEngine."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

import sr4ir_mm  # noqa: F401  (changes the Runner)


class Registered:
    """The part of a runner that registers hooks."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def register_hook(self, hook: Hook | dict) -> None:
        """Note the type."""
        self.kinds.append(hook['type'])


def registered(hooks: dict | None) -> set[str]:
    runner = Registered()
    Runner.register_default_hooks(runner, hooks)
    return set(runner.kinds)


def test_none_switches_a_hook_off():
    usual = registered(None)
    assert 'LoggerHook' in usual
    mine = dict(type='ClassCheckHook')
    assert registered(dict(class_check=mine)) == {*usual, 'ClassCheckHook'}
    assert registered(dict(class_check=None)) == usual
    assert registered(dict(logger=None, class_check=None)) == usual - {'LoggerHook'}
