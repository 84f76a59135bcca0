"""What the screen shows and what it leaves to the log file."""

import io
import logging

import pytest
from mmengine.logging import MMLogger

from sr4ir_mm.engine.screen import Screen, ShortText
from sr4ir_mm.evaluation.coco_scores import OUTPUT


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and can be read as the user sees it."""

    def isatty(self) -> bool:
        """Say yes."""
        return True

    def seen(self) -> list[str]:
        """The lines, of which the last one may still change."""
        return [line.rpartition('\r')[2].replace('\x1b[K', '') for line in self.getvalue().split('\n')]


@pytest.fixture
def logger(tmp_path):
    MMLogger._instance_dict.pop(tmp_path.name, None)
    logger = MMLogger.get_instance(tmp_path.name, log_file=str(tmp_path / 'x.log'))
    yield logger
    MMLogger._instance_dict.pop(tmp_path.name)


def attach(logger: MMLogger, stream: io.StringIO) -> Screen:
    next(handler for handler in logger.handlers if type(handler) is logging.StreamHandler).setStream(stream)
    screen = Screen(stream)
    screen.attach(logger)
    return screen


def test_the_file_has_what_the_screen_leaves_out(logger, tmp_path):
    attach(logger, stream := io.StringIO())
    of_mmengine = (
        'Config:\nmodel = 1', 'Exp name: x', 'paramwise_options -- neck.0.weight:lr=0.0025',
        "backbone feature_info[0]: {'stage': 1}", 'load model from: timm://x', f'{OUTPUT}DONE (t=0.42s).',
        'Evaluating bbox...', 'bbox_mAP_copypaste: 0.010 0.030',
    )  # fmt: skip
    for message in (*of_mmengine, ShortText('a long line', 'short'), ShortText('silent', '')):
        logger.info(message)
    logger.warning('careful')
    lines = [line.split(' ', 1)[1] for line in stream.getvalue().splitlines()]
    assert lines == ['short', 'WARNING careful']
    text = (tmp_path / 'x.log').read_text()
    for part in (*of_mmengine, 'a long line', 'silent', 'mmengine - WARNING - careful'):
        assert part in text


NO_MATCH = 'The model and loaded state dict do not match exactly\n\n'
HEADS = 'timm_model.conv_head.weight, timm_model.bn2.running_mean, timm_model.classifier.bias', 'fc.weight, fc.bias'
OTHERS = (
    'unexpected key in source state_dict: fc.weight, layer5.0.weight\n',
    'unexpected key in source state_dict: bn2.weight\n',  # not of timm
    'unexpected key in source state_dict: fc.weight\n\nmissing keys in source state_dict: conv1.weight\n',
)


@pytest.mark.parametrize(
    ('message', 'is_shown'),
    [
        *((f'{NO_MATCH}unexpected key in source state_dict: {keys}\n', False) for keys in (*HEADS, 'head.fc.weight')),
        *((NO_MATCH + text, True) for text in OTHERS),
    ],
)
def test_weights_of_a_head_that_a_backbone_goes_without_are_no_news(message, is_shown, logger, tmp_path):
    """Every backbone whose weights are those of a classifier began with a warning about them."""
    attach(logger, stream := io.StringIO())
    logger.warning(message)
    assert ('do not match exactly' in stream.getvalue()) == is_shown
    assert 'do not match exactly' in (tmp_path / 'x.log').read_text()


def test_messages_stand_above_the_line_that_changes(logger):
    screen = attach(logger, stream := Terminal())
    screen.show('1 of 9')
    screen.show('2 of 9')
    assert stream.seen() == ['2 of 9']
    logger.info('news')
    screen.show('3 of 9')
    first, last = stream.seen()
    assert first.endswith(' news') and last == '3 of 9'
    screen.clear()
    assert stream.seen()[-1] == ''


def test_a_file_gets_no_line_that_changes(logger):
    screen = attach(logger, stream := io.StringIO())
    screen.show('1 of 9')
    assert stream.getvalue() == ''


def test_other_processes_have_no_line_that_changes(monkeypatch):
    monkeypatch.setattr('sr4ir_mm.engine.screen.is_main_process', lambda: False)
    assert not Screen(Terminal()).is_terminal


def test_a_line_fits_the_terminal(monkeypatch):
    monkeypatch.setenv('COLUMNS', '40')
    screen = Screen(stream := Terminal())
    screen.show('x' * 100)
    assert stream.seen() == ['x' * 39]


def test_a_second_run_replaces_the_screen_of_the_first(logger):
    attach(logger, io.StringIO())
    attach(logger, stream := Terminal())
    logger.info('once')
    (handler,) = [handler for handler in logger.handlers if type(handler) is logging.StreamHandler]
    assert sum(isinstance(other, Screen) for other in handler.filters) == 1 and stream.getvalue().count('once') == 1
