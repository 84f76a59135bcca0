"""Medians, ratios and tables of a benchmark, from given numbers."""

import sys

import pytest

from sr4ir_mm.analysis.benchmark.environment import environment
from sr4ir_mm.analysis.benchmark.report import FORMAT, comparison, read, text_of, write
from sr4ir_mm.analysis.benchmark.results import compare, entry, rows
from sr4ir_mm.errors import SR4IRError


def measured(*seconds: float, peak: float = 1000.0, **more) -> dict:
    return dict(seconds=list(seconds), cpu_seconds=[2 * s for s in seconds], peak_mib=peak, before_mib=500.0, **more)


def training(**variants) -> dict:
    floors = {'float32': 'floor', 'amp': 'floor-amp'}
    return entry('training', 'net, batch 2', 'cpu', variants, floors=floors)


def benchmark(*entries: dict) -> dict:
    return dict(
        format=FORMAT, date='2026-01-01', revision='1.0 abc', machine=dict(cores=2), versions=dict(torch='2'),
        results=list(entries),
    )  # fmt: skip


def test_ratios_are_of_medians_to_the_first_and_to_the_own_floor():
    """One disturbed turn, of 9 s, changes nothing."""
    own = {'floor-amp': measured(1, 1, 1), 'float32': measured(2.2, 2.205, 2.3, peak=1100), 'amp': measured(1.5, 1.5)}
    table = rows(training(floor=measured(2, 2.1, 9), **own))
    assert [row['variant'] for row in table] == ['floor', 'floor-amp', 'float32', 'amp']
    assert table[0]['s / iteration'] == '2.100' and table[0]['time / own floor'] == ''
    assert table[2]['time / floor'] == table[2]['time / own floor'] == '1.050'
    assert table[2]['peak / floor'] == '1.10' and table[2]['CPU s'] == '4.41' and table[2]['MiB before'] == '500'
    assert (table[3]['time / floor'], table[3]['time / own floor']) == ('0.714', '1.500')


def test_a_floor_that_was_not_measured_gives_no_ratio():
    (row,) = rows(training(amp=measured(1, 2, 3)))
    assert row['time / own floor'] == '' and row['time / amp'] == '1.000'


def test_rates_and_memory_of_a_gpu():
    bare, infer = (measured(*seconds, cuda_peak_mib=peak) for seconds, peak in (((2, 2), 100.0), ((2.5, 2.5), 150.0)))
    found = entry(
        'inference', 'net', 'cuda', dict(bare=bare | dict(values=[1, 8, 8]), infer=infer | dict(values=[8, 8]))
    )
    table = rows(found)
    assert [row['images / s'] for row in table] == ['4.00', '3.20']
    assert table[1]['time / bare'] == '1.250' and table[1]['GPU peak / bare'] == '1.50'


def test_comparison_of_two_revisions():
    old = benchmark(training(floor=measured(2, 2), amp=measured(1, 1)))
    new = benchmark(training(floor=measured(2, 2), amp=measured(0.5, 0.5, peak=800), float32=measured(1)))
    (floor, amp) = compare(new, old)
    assert (floor['variant'], floor['time new / old']) == ('floor', '1.00')
    assert (amp['variant'], amp['time new / old'], amp['peak new / old']) == ('amp', '0.50', '0.80')


def test_a_single_variant_is_compared_with_all():
    """The file of another program has its own name for the one way that it has."""
    table = compare(benchmark(training(floor=measured(1), amp=measured(3))), benchmark(training(other=measured(2))))
    assert {row['variant']: row['time new / old'] for row in table} == dict(floor='0.50', amp='1.50')


def test_nothing_in_common():
    with pytest.raises(SR4IRError, match='in common'):
        comparison(benchmark(training(floor=measured(1))), benchmark())


def test_files_and_tables(tmp_path):
    content = benchmark(training(floor=measured(1), amp=measured(3)))
    write(tmp_path / 'new/x.json', content)
    assert read(tmp_path / 'new/x.json') == content
    text = text_of(content['results'][0], markdown=True)
    assert text.splitlines()[1] == '**training, cpu: net, batch 2**' and text.splitlines()[3].startswith('| variant')
    (tmp_path / 'x.json').write_text('{"a": 1}')
    (tmp_path / 'y.json').write_text('no')
    for name in ('x.json', 'y.json'):
        with pytest.raises(SR4IRError, match=name):
            read(tmp_path / name)


def test_the_command_can_be_copied_to_a_shell(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['/any/benchmark.py', '--only', 'ATSS, float16', '--out', 'a.json'])
    assert environment()['command'] == "benchmark.py --only 'ATSS, float16' --out a.json"
