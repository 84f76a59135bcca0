"""A Runner whose screen shows what a user reads, while its log file is as MMEngine writes it."""

from typing import Any

from mmengine.logging import MMLogger
from mmengine.runner import LogProcessor
from torch import nn

from .fast_runner import FastRunner
from .log_lines import ScreenLogProcessor
from .progress_hook import ProgressHook
from .screen import Screen

#: types of MMEngine's own log processor, as configs name it
MMENGINE = (None, 'LogProcessor', 'mmengine.LogProcessor', 'mmengine.runner.LogProcessor', LogProcessor)


class ScreenRunner(FastRunner):
    """A ``FastRunner`` that shows short lines and, on a terminal, a progress bar.

    Example:
        >>> ScreenRunner.from_cfg(cfg).test()
    """

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build the logger, of which the screen shows the shorter part."""
        logger = super().build_logger(*args, **kwargs)
        self.screen = Screen()
        self.screen.attach(logger)
        return logger

    def build_log_processor(self, log_processor: LogProcessor | dict) -> LogProcessor:
        """Build the log processor; one without a type of its own has short lines for the screen."""
        if isinstance(log_processor, dict) and log_processor.get('type') in MMENGINE:
            # a config that inherits from one of another package has its scope in every dict
            arguments = {key: value for key, value in log_processor.items() if key not in ('type', '_scope_')}
            return ScreenLogProcessor(**arguments)
        return super().build_log_processor(log_processor)

    def register_hooks(self, default_hooks: dict | None = None, custom_hooks: list | None = None) -> None:
        """Register the hooks of the config, and the bar."""
        super().register_hooks(default_hooks, custom_hooks)
        self.register_hook(ProgressHook(self.screen))

    def train(self) -> nn.Module:
        """Train, and leave no bar behind."""
        with self.screen:
            return super().train()

    def val(self) -> dict[str, Any]:
        """Validate, and leave no bar behind."""
        with self.screen:
            return super().val()

    def test(self) -> dict[str, Any]:
        """Test, and leave no bar behind."""
        with self.screen:
            return super().test()
