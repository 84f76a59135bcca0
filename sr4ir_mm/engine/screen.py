"""What a training or a test shows on the screen; its log file has all of it, as MMEngine writes it."""

import logging
import re
import shutil
import sys
from typing import TextIO

from mmengine.dist import is_main_process
from mmengine.logging import MMLogger
from mmengine.logging.logger import MMFormatter

from ..evaluation.coco_scores import OUTPUT

#: starts of messages that only the log file has
HIDDEN = (
    '\n' + '-' * 60 + '\nSystem environment', 'Config:\n', 'Hooks will be executed', 'Exp name: ',
    'Checkpoints will be saved', 'Distributed training is not used', 'paramwise_options', 'backbone out_',
    'backbone feature_info', 'The prefix is not set in metric class',
    # the backend that reads the file is named next
    'load model from: ',
    # next to the line that names the network
    'Loads checkpoint by sr4ir_mm backend',
    # the line of the validation has the scores
    OUTPUT, 'Converting ground truth to coco format', 'Evaluating bbox', 'Evaluating segm', 'bbox_mAP_copypaste',
    'segm_mAP_copypaste',
)  # fmt: skip
#: MMEngine's warning about weights of a classifier that a backbone goes without; weights that are missing end a run
_HEAD = re.compile(
    r'The model and loaded state dict do not match exactly\s+unexpected key in source state_dict: '
    r'(((timm_model\.)?(fc|classifier|heads?)|timm_model\.(conv_head|bn2))(\.\w+)+(, |\s*$))+'
)
WIDTH = 120  # of lines where there is no terminal


class ShortText(str):
    """A message of the log file that has a shorter text on the screen, or none.

    Example:
        >>> runner.logger.info(ShortText('a long line', 'a short one'))
    """

    short: str

    def __new__(cls, text: str, short: str) -> 'ShortText':
        """Make the message."""
        self = super().__new__(cls, text)
        self.short = short
        return self


class Screen(logging.Filter):
    """The screen of a run: short messages and, on a terminal, a line below them that changes.

    Args:
        stream (TextIO, optional): Stream of the messages; that of the logger by default.

    Example:
        >>> screen = Screen()
        >>> screen.attach(runner.logger)
        >>> screen.show('iteration 3 of 9')
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self.stream = stream or sys.stdout
        #: whether a line can change, and somebody may see it
        self.is_terminal = self.stream.isatty() and is_main_process()
        self.line = ''

    @property
    def width(self) -> int:
        """Number of characters of a line."""
        return shutil.get_terminal_size((WIDTH, 24)).columns if self.is_terminal else WIDTH

    def attach(self, logger: MMLogger) -> None:
        """Shorten what a logger writes to the screen."""
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                for other in [other for other in handler.filters if isinstance(other, Screen)]:
                    handler.removeFilter(other)
                handler.addFilter(self)
                handler.setFormatter(ShortFormatter(self.is_terminal))

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a message is shown, and make room for it."""
        text, short = str(record.msg), getattr(record.msg, 'short', None)
        is_shown = short != '' and not text.startswith(HIDDEN) and not _HEAD.fullmatch(text)
        if is_shown:
            self.clear()
        return is_shown

    def show(self, line: str) -> None:
        """Replace the line that changes; do nothing without a terminal."""
        if self.is_terminal:
            self.line = line[: self.width - 1]
            self._write(f'\r\x1b[K{self.line}')

    def clear(self) -> None:
        """Remove the line that changes."""
        if self.line:
            self.line = ''
            self._write('\r\x1b[K')

    def __enter__(self) -> 'Screen':
        """Return the screen of a run, from which the line that changes is removed however the run ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the line that changes."""
        self.clear()

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


class ShortFormatter(MMFormatter):
    """MMEngine's format without the date and the name of the logger, and with the short texts of messages.

    Args:
        color (bool): Whether the levels are colored.
    """

    def __init__(self, color: bool) -> None:
        super().__init__(color=color, datefmt='%H:%M:%S')
        self.info_format = '%(asctime)s %(message)s'
        self.warn_format = f'%(asctime)s {self._get_prefix("WARNING", color)} %(message)s'

    def format(self, record: logging.LogRecord) -> str:
        """Return the text for the screen; the record, which other handlers get too, stays as it is."""
        if isinstance(record.msg, ShortText):
            record = logging.makeLogRecord({**vars(record), 'msg': record.msg.short})
        return super().format(record)
