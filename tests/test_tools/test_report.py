"""tools/analysis_tools/report.py as a user calls it: one file that needs no other."""

import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
from helpers.logs import write_run
from helpers.zoo import run_tool

TOOL = 'analysis_tools/report'


class Page(HTMLParser):
    """Collects tags, what they refer to and the text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ''
        self.source = path.read_text()
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag not in ('meta', 'img'):
            self.open.append(tag)
        self.sources += [value for name, value in attrs if name in ('src', 'href')]
        if tag == 'tr':
            self.rows.append([])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag  # nothing is left open

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] in ('td', 'th'):
            self.rows[-1].append(data.strip())


def test_report(tmp_path, capsys):
    write_run(tmp_path / 'good', "note = '<script>alert(1)</script> & more'\n")
    write_run(tmp_path / 'x<b>')
    (tmp_path / 'shown').mkdir()
    for i in range(3):
        cv2.imwrite(str(tmp_path / f'shown/{i}.png'), np.zeros((40, 60, 3), np.uint8))
    args = ('good', 'x<b>', '--panels', 'shown', '--max-panels', 2, '--out', 'a/b.html', '--title', 'T & S')
    assert run_tool(TOOL, *args, cwd=tmp_path) == 0
    assert 'open it in a browser' in capsys.readouterr().out
    page = Page(tmp_path / 'a/b.html')
    assert page.open == []
    assert page.rows[0] == ['run', 'scheme', 'mIoU', 'measured in', 'task network', 'SR network', 'scale']
    cells = ['S+T', '50', 'validation, epoch 2', 'EncoderDecoder, ResNet', 'EDSRNet', 'x4']
    assert page.rows[1:] == [['good', *cells], ['x<b>', *cells]]
    images = [source for source in page.sources if not source.startswith('#')]
    assert len(images) == 3 + 2 and all(image.startswith('data:image/') for image in images)
    assert not re.search(r'https?:|@import|url\(', re.sub(r'data:[^"]*', '', page.source))  # needs no network
    assert '<script' not in page.source and '<b>' not in page.source  # text is text
    assert "note = '<script>alert(1)</script> & more'" in page.text and 'T & S' in page.text


def test_one_run_without_panels(tmp_path):
    write_run(tmp_path / 'run')
    assert run_tool(TOOL, 'run', 'run/', cwd=tmp_path) == 0  # named twice
    page = Page(tmp_path / 'report.html')
    assert '#panels' not in page.sources and 'Panels' not in page.text and page.open == []
    assert [row[0] for row in page.rows] == ['run', 'run']  # the first is the title of the column


def test_mistakes(tmp_path, fails):
    write_run(tmp_path / 'run')
    assert fails(TOOL, 'nothing').startswith("No '*/vis_data/scalars.json' found in 'nothing'")
    assert fails(TOOL, 'run', '--panels', 'empty').startswith("No panels found in 'empty'")
    (tmp_path / 'run/net.py').unlink()
    assert fails(TOOL, 'run').startswith("No config of a run found in 'run'")
