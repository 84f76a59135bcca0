"""Shards of a list of images, and the ranks of a launcher."""

import argparse

import pytest
import torch

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.shards import Shard, find_shard, parse_shard, rank_device


@pytest.mark.parametrize('count', [1, 3, 16])
def test_each_image_is_in_one_shard(count):
    parts = [Shard(i, count).select(range(10)) for i in range(1, count + 1)]
    assert sorted(i for part in parts for i in part) == list(range(10))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize('text', ['0/4', '5/4', '1/0', '-1/4', '3', '3/', 'a/b', '1.5/4', '1/4/2', '+1/4', ''])
def test_what_is_no_shard(text):
    with pytest.raises(
        argparse.ArgumentTypeError, match=f"'{text.replace('+', '.')}' is no shard I/N with I from 1 to N"
    ):
        parse_shard(text)
    assert parse_shard('4/4') == Shard(4, 4)


def test_ranks_divide_a_shard():
    assert find_shard(None, {}) == Shard(1, 1)
    assert find_shard(None, dict(RANK='1', WORLD_SIZE='2')) == Shard(2, 2)
    found = [find_shard(Shard(i, 3), dict(RANK=str(rank), WORLD_SIZE='2')) for i in (1, 2, 3) for rank in (0, 1)]
    assert found == [Shard(i, 6) for i in range(1, 7)]


def test_each_rank_takes_its_own_gpu(monkeypatch):
    ranks = dict(LOCAL_RANK='1', LOCAL_WORLD_SIZE='2')
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 4)
    assert rank_device(None, ranks) == rank_device('cuda', ranks) == 'cuda:1'
    assert rank_device('cpu', ranks) == 'cpu'
    assert rank_device('cuda:3', {}) == rank_device('cuda:3', dict(LOCAL_RANK='0', LOCAL_WORLD_SIZE='1')) == 'cuda:3'
    with pytest.raises(SR4IRError, match='--device cuda:1 would be that of all 2 processes: use --device cuda,'):
        rank_device('cuda:1', ranks)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert rank_device(None, ranks) is None
