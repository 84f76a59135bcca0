"""Let ``default_hooks.NAME=None`` switch off any hook.

MMEngine 0.10.7 does so for its own hooks only; for others it ends in an AssertionError. This can go when it does not.
"""

from functools import wraps
from types import ModuleType
from typing import Any

from .import_hooks import Run

#: hooks that MMEngine registers unless they are None
_OWN = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')


def leave_out_hooks_of_none(runner: ModuleType, run: Run) -> None:
    """Let ``Runner.register_default_hooks`` leave out all hooks that are None."""
    run(runner)
    register = runner.Runner.register_default_hooks

    @wraps(register)
    def register_others(self: Any, hooks: dict | None = None) -> None:
        register(self, {name: hook for name, hook in (hooks or {}).items() if hook is not None or name in _OWN})

    runner.Runner.register_default_hooks = register_others
