"""The command line that the tools share."""

import argparse
import os

import pytest

from sr4ir_mm.config import parse_and_load


@pytest.mark.parametrize(
    'arguments, work_dir',
    [([], 'work_dirs/net_x4'), (['--work-dir', 'out'], 'out'), (['--cfg-options', 'work_dir=x'], 'x')],
)
def test_command_line(path, monkeypatch, arguments, work_dir):
    monkeypatch.setattr('sys.argv', ['train.py', path, *arguments, '--launcher', 'slurm', '--local-rank', '3'])
    monkeypatch.setenv('LOCAL_RANK', '0')  # so that it is as before afterwards
    monkeypatch.delenv('LOCAL_RANK')
    parser = argparse.ArgumentParser()
    parser.add_argument('config')
    args, cfg = parse_and_load(parser)
    assert (args.config, cfg.work_dir, cfg.launcher, os.environ['LOCAL_RANK']) == (path, work_dir, 'slurm', '3')
