"""tools/analysis_tools/benchmark.py as a user calls it."""

import json
from pathlib import Path

import pytest
from helpers.zoo import TOOLS, run_tool

from sr4ir_mm.analysis.benchmark import run, training
from sr4ir_mm.analysis.benchmark.worker import Worker

TOOL = 'analysis_tools/benchmark'
DEMO = ('fcn-tiny_edsr-tiny_x4_demo', '--size', 64, 64)


@pytest.fixture
def _one_process(monkeypatch):
    """Take turns in this process, which saves the seconds that imports take in others."""

    def take_turns(works: dict, turns: int, warmup: int, threads: int | None, device: str) -> dict:
        results = {}
        for name, (make, args) in works.items():
            worker = Worker(make(**args), device)
            done = [worker.turn() for _ in range(warmup + turns)]
            results[name] = {key: [turn[key] for turn in done[warmup:]] for key in ('seconds', 'cpu_seconds')}
            results[name].update(worker.memory(), values=[turn['value'] for turn in done])
        return results

    monkeypatch.setattr(run, 'take_turns', take_turns)
    monkeypatch.setattr(training, 'keep_freed_memory', lambda: None)


@pytest.mark.usefixtures('_one_process')
def test_training_and_inference(tmp_path, capsys):
    options = ('--variants', 'floor', 'float32', 'infer', 'workers', '--images', 1, '--warmup', 1, '--markdown')
    measure = (*DEMO, '--iters', 2, '--what', 'training', 'inference', 'loading', *options, '--out', 'new/x.json')
    assert run_tool(TOOL, *measure, cwd=tmp_path) == 0
    text = capsys.readouterr().out
    assert '**training, cpu: fcn-tiny_edsr-tiny_x4_demo, batch 2, 64 x 64 px**' in text and '| float32 |' in text
    assert "loading, fcn-tiny_edsr-tiny_x4_demo: not measured. 'work_dirs/demo" in text
    content = json.loads((tmp_path / 'new/x.json').read_text())
    assert {'revision', 'machine', 'versions', 'command', 'date'} <= content.keys() and content['versions']['torch']
    training_, inference = content['results']
    assert training_['floors'] == dict(float32='floor') and list(inference['variants']) == ['infer']
    assert training_['variants']['floor']['values'] == pytest.approx(training_['variants']['float32']['values'], 1e-4)
    # what was measured is printed and compared later
    assert run_tool(TOOL, 'new/x.json', '--compare', 'new/x.json', cwd=tmp_path) == 0
    again = capsys.readouterr().out
    assert 'time new / old' in again and again.count('1.00') >= 9 and '| float32 ' in again


@pytest.mark.usefixtures('_one_process')
def test_losses(tmp_path, capsys):
    options = ('--losses', 3, '--variants', 'channels_last', '--out', 'x.json', '--plot', 'x.png')
    assert run_tool(TOOL, *DEMO, *options, cwd=tmp_path) == 0
    assert 'max deviation' in capsys.readouterr().out and (tmp_path / 'x.png').stat().st_size > 10000
    (found,) = json.loads((tmp_path / 'x.json').read_text())['results']
    assert set(found['variants']) == {'float32', 'float32, last bit changed', 'channels_last'}
    values = found['variants']['float32']['values']
    assert len(values) == 3 == len(set(values))
    assert 0 <= found['deviations']['channels_last']['first'] < 1e-4


@pytest.mark.slow
def test_processes(tmp_path, capsys):
    """Each variant in a process of its own, in which a tool's own modules are loaded again."""
    options = ('--iters', 2, '--variants', 'floor', 'amp', '--threads', 1, '--out', 'x.json')
    assert run_tool(TOOL, *DEMO, *options, cwd=tmp_path) == 0
    (found,) = json.loads((tmp_path / 'x.json').read_text())['results']
    for measured in found['variants'].values():
        assert measured['peak_mib'] >= measured['before_mib'] > 100 and len(measured['seconds']) == 2
        assert measured['threads'] == 1 and len(measured['values']) == 4  # two of the warm-up


@pytest.mark.parametrize(
    'args,message',
    [
        (('x.py', '--scale', 4), 'add --sr'),
        (('x.json', 'y.py'), 'alone'),
        (('x.json',), 'x.json'),
        (('x.py', '--plot', 'x.png'), '--losses'),
        (('x.json', '--iters', 3), '--iters has no effect'),
        (('x.py', '--losses', 3, '--iters', 3), '--iters has no effect'),
        (('x.py', '--images', 3), '--images has no effect'),
        ((*DEMO, '--losses', 2, '--plot', 'x.doc'), 'x.doc'),
        ((*DEMO, '--variants', 'infer'), 'None of --variants'),
        ((*DEMO, '--what', 'training', 'inference', '--variants', 'amp'), 'one of inference'),  # before the training
        ((*DEMO, '--variants', 'amp', 'infer'), '--variants infer has no effect on training'),
        ((*DEMO, '--losses', 2, '--variants', 'floor'), 'channels_last'),
        ((*DEMO, '--device', 'gpu'), "'gpu'"),
        (('mmpretrain::resnet/resnet18_8xb32_in1k.py',), '--sr edsr'),
    ],
)
def test_mistakes(args, message, fails):
    assert message in fails(TOOL, *args)


def test_figures_of_the_papers_code_are_compared_with_all_variants():
    from sr4ir_mm.analysis.benchmark.jobs import find_jobs
    from sr4ir_mm.analysis.benchmark.report import read
    from sr4ir_mm.analysis.benchmark.results import compare

    path = Path(TOOLS.parent / 'docs/paper_code_timing.json')
    if not path.exists():
        pytest.skip('no docs, as in a source distribution')
    official = read(path)
    entries = [dict(entry, variants=dict(amp=entry['variants']['official'])) for entry in official['results']]
    assert {entry['job'] for entry in entries} == {job.title for job in find_jobs(['paper'])[:3]}
    assert len(compare(dict(official, results=entries), official)) == 3
