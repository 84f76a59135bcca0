"""Many images: shards, runs that continue, and what must not pass for the results of a run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import torch
from helpers.zoo import TOOLS, run_tool
from test_inferencer import config, picture
from test_video import make_video

import sr4ir_mm
from sr4ir_mm import __main__ as command
from sr4ir_mm.config import build_model
from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.file_runs import Outcome, predict_files
from sr4ir_mm.inference.inferencer import SR4IRInferencer
from sr4ir_mm.inference.shards import Shard
from sr4ir_mm.utils.locks import LockedError, locked

OPTIONS = dict(coords='lr', recursive=False, every=1, max_frames=None, save_frames=False, no_save_pred=False,
               no_save_vis=True, batch_size=1)  # fmt: skip

ALL = Shard()


@pytest.fixture(scope='module')
def inferencer() -> SR4IRInferencer:
    torch.manual_seed(0)
    return SR4IRInferencer(config('resnet18'), 'random', 'cpu', show_progress=False)


@pytest.fixture
def images(tmp_path, monkeypatch) -> Path:
    """Five images, two of them with one name, and one that is damaged."""
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate(('a.png', 'b.bmp', 'b.png', 'd.png', 'e.png')):
        (tmp_path / 'in').mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / 'in' / name), picture(16 + i % 2, 20, i))
    (tmp_path / 'in/c.png').write_bytes(b'no image')
    return tmp_path / 'in'


@pytest.fixture
def run(inferencer, images, monkeypatch) -> Callable[..., Outcome]:
    """Predict the images; ``names`` are those that went through the networks."""
    forward = SR4IRInferencer.forward

    def counted(self, batch, *args):
        start.names += [job.name for job in batch]
        return forward(self, batch, *args)

    def start(out: str = 'out', shard: Shard = ALL, resume: bool = False, tables=('lines',), **changes):
        start.names = []
        files = {Path(out) / f'all.{kind}': kind for kind in tables}
        options = {**OPTIONS, 'out_dir': out, **changes}
        return predict_files(inferencer, 'in', options, dict(tile=256), shard, files, resume)

    monkeypatch.setattr(SR4IRInferencer, 'forward', counted)
    return start


def read(folder: str = 'out') -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(Path(folder).rglob('*'))
        if path.is_file() and '.run' not in path.parts
    }


def lines(path: str) -> list[dict]:
    return [json.loads(line) for line in Path(path).open()]


def test_shards_in_any_order_make_the_files_of_one_process(run):
    outcome = run('one')
    assert (outcome.done, list(outcome.failed), outcome.missing) == (5, ['in/c.png'], [])
    assert [row['name'] for row in lines('one/all.lines')] == ['a', 'b', 'b_2', 'd', 'e']
    found = [run('two', Shard(index, 3)) for index in (2, 3, 1)]
    assert [(entry.done, entry.missing) for entry in found] == [(2, [1, 3]), (2, [1]), (1, [])]
    assert read('one') == read('two')
    assert run('three', Shard(7, 7)).done == 0, 'a shard without images'


def test_a_later_run_makes_what_is_missing(run):
    run()
    before = read()
    rows = Path('out/.run/1-of-1/rows.jsonl')
    cut = rows.read_bytes()[:-40]  # a kill in the middle of a line: that of 'e'
    rows.write_bytes(cut)
    Path('out/preds/b.json').unlink()
    outcome = run(resume=True)
    assert (outcome.before, outcome.done, list(outcome.failed)) == (3, 2, ['in/c.png'])
    assert run.names == ['b', 'e'] and read() == before
    assert run(resume=True).done == 0 and not run.names and read() == before
    assert run().done == 5, 'without resume all are made again'
    assert read() == before


def test_what_failed_is_tried_again_and_takes_its_place(run, images):
    run()
    cv2.imwrite(str(images / 'c.png'), picture(18, 18))
    outcome = run(resume=True)
    assert (outcome.done, outcome.failed) == (1, {})
    assert [row['name'] for row in lines('out/all.lines')] == ['a', 'b', 'b_2', 'c', 'd', 'e']


def test_new_images_join_and_names_follow(run, images):
    run()
    cv2.imwrite(str(images / 'aa.png'), picture(18, 18))
    (images / 'd.png').unlink()
    outcome = run(resume=True)
    assert (outcome.before, outcome.done) == (4, 1)
    assert [row['name'] for row in lines('out/all.lines')] == ['a', 'aa', 'b', 'b_2', 'e']
    cv2.imwrite(str(images / 'b.jpg'), picture(18, 18, 7))  # 'b' is now 'b_2', and 'b_2' is 'b_3'
    assert run(resume=True).done == 2
    found = {row['name']: row['image'] for row in lines('out/all.lines')}
    assert (found['b'], found['b_2'], found['b_3']) == ('in/b.bmp', 'in/b.jpg', 'in/b.png')


def test_shards_of_other_lists_of_images_are_not_merged(run, images):
    run(shard=Shard(1, 2))
    cv2.imwrite(str(images / 'f.png'), picture(18, 18))
    assert run(shard=Shard(2, 2)).missing == [1] and not Path('out/all.lines').exists()
    assert run(shard=Shard(1, 2), resume=True).missing == []
    assert [row['name'] for row in lines('out/all.lines')] == ['a', 'b', 'b_2', 'd', 'e', 'f']


@pytest.mark.parametrize(
    ('changes', 'difference'),
    [
        (dict(coords='sr'), r'--coords \(lr, now sr\)'),
        (dict(tables=()), r'--predictions \(True, now False\)'),
        (dict(shard=Shard(1, 2)), r'shards \(1, now 2\)'),
    ],
    ids=['option', 'tables', 'shards'],
)
def test_results_of_another_run_do_not_count(changes, difference, run):
    run()
    before = read()
    message = rf"'out' holds results of another run, which differs in {difference}: name another --out-dir, or delete"
    with pytest.raises(SR4IRError, match=message):
        run(**changes, resume=True)
    assert read() == before
    if 'shard' in changes:  # it cannot replace them all
        with pytest.raises(SR4IRError, match=message):
            run(**changes)
    else:
        assert run(**changes).done == 5


def test_results_of_other_weights_or_another_version_do_not_count(run, inferencer, monkeypatch):
    run()
    bias = next(value for name, value in inferencer.model.named_parameters() if name.endswith('bias'))
    before = bias.detach().clone()
    with torch.no_grad():
        bias += 1e-3
    with pytest.raises(SR4IRError, match='which differs in weights: name another'):
        run(resume=True)
    with torch.no_grad():
        bias.copy_(before)
    monkeypatch.setattr('sr4ir_mm.inference.record.__version__', '99')
    with pytest.raises(SR4IRError, match=r'which differs in version \(\S+, now 99\): name another'):
        run(resume=True)


def test_one_process_for_each_shard(run):
    Path('out').mkdir()
    with locked(Path('out/.run/1-of-2')):
        with pytest.raises(LockedError, match=r"Another process is at work in 'out/\.run/1-of-2': wait for it"):
            run(shard=Shard(1, 2))
        assert run(shard=Shard(2, 2)).done == 2
        with pytest.raises(LockedError, match="Another process is at work in 'out'"):
            run()
    assert run(shard=Shard(1, 2)).missing == []
    assert run().done == 5 and not Path('out/.run/1-of-2').exists()


def test_a_full_disk_ends_the_run_and_the_next_one_goes_on(run, monkeypatch):
    run('whole')
    from sr4ir_mm.inference.journal import Journal

    write = Journal._write

    def full(self, row):
        if row['name'] == 'b_2':
            self._file = open('/dev/full', 'a')  # noqa: SIM115
        write(self, row)

    monkeypatch.setattr(Journal, '_write', full)
    with pytest.raises(
        SR4IRError, match=r"rows\.jsonl' cannot be written: No space left on device\. Make room, and go"
    ):
        run()
    assert not Path('out/all.lines').exists()
    monkeypatch.setattr(Journal, '_write', write)
    assert run(resume=True).before == 2 and read('whole') == read()


def test_a_video_is_complete_or_made_again(run, images, monkeypatch):
    make_video(images / 'bb.avi', 4)
    make_video(images / 'z.avi', 3)
    run('whole')
    names = [row['name'] for row in lines('whole/all.lines')]
    assert names == ['a', 'b', 'b_2', *(f'bb/{i:06d}' for i in range(4)), 'd', 'e', *(f'z/{i:06d}' for i in range(3))]

    from sr4ir_mm.inference.journal import Journal

    add = Journal.add

    def killed(self, row, failed):
        if row['name'] == 'z/000001':
            raise SystemExit
        add(self, row, failed)

    monkeypatch.setattr(Journal, 'add', killed)
    with pytest.raises(SystemExit):
        run()
    monkeypatch.setattr(Journal, 'add', add)
    outcome = run(resume=True)
    assert (outcome.before, outcome.done) == (6, 3) and run.names == [f'z/{i:06d}' for i in range(3)]
    assert lines('whole/all.lines') == lines('out/all.lines')
    Path('out/sr/bb.mp4').unlink()
    assert run(resume=True).done == 4 and lines('whole/all.lines') == lines('out/all.lines')


def test_options_of_videos_are_for_all_shards(run, images):
    with pytest.raises(SR4IRError, match=r'every .* is for videos, and none is among the images'):
        run(every=2)
    make_video(images / 'z.avi', 4)
    assert sum(run(shard=Shard(i, 2), every=2).done for i in (1, 2)) == 5 + 2


@pytest.fixture
def net(images) -> list[str]:
    """Arguments of the tool for a model with weights."""
    cfg = config('resnet18')
    cfg.dump('net.py')
    torch.manual_seed(0)
    model = build_model(cfg)
    torch.save(dict(state_dict=model.state_dict(), meta=dict(cfg=cfg.pretty_text)), 'w.pth')
    return ['net.py', 'in', '--weights', 'w.pth', '--device', 'cpu', '--no-save-vis']


def test_the_tool_lists_what_has_no_result(net, images, capsys):
    options = [*net, '--predictions', 'all.jsonl']
    assert run_tool('infer', *options, cwd=images.parent) == 1
    said = capsys.readouterr()
    assert '5 images done, 1 skipped; results: outputs' in said.out
    assert "No results:\nimage 'in/c.png' is not an image that OpenCV can decode" in said.err
    assert len(lines('all.jsonl')) == 5 and 'pred_label' in lines('all.jsonl')[0]
    assert run_tool('infer', *options, '--resume', cwd=images.parent) == 1
    assert '5 were complete before, 0 images done, 1 skipped' in capsys.readouterr().out
    os.rename('in/c.png', 'in/c.txt')
    assert run_tool('infer', *options, '--resume', cwd=images.parent) == 0
    for path in images.iterdir():
        path.write_bytes(b'no image')
    assert run_tool('infer', *options, cwd=images.parent) == 2, 'nothing can be read: the inputs are wrong'
    assert run_tool('infer', *options, '--shard', '1/2', '--out-dir', 'new', cwd=images.parent) == 1


def test_wrong_shards_of_the_tool(net, images, capsys):
    for text in ('0/4', '5/4'):
        assert run_tool('infer', *net, '--shard', text, cwd=images.parent) == 2
        assert f"argument --shard: '{text}' is no shard I/N with I from 1 to N, such as 3/16" in capsys.readouterr().err
    assert not Path('outputs').exists()


def test_a_function_predicts_all_images_in_each_rank_that_calls_it(net, images, monkeypatch):
    monkeypatch.setattr(command, 'TOOLS', TOOLS)
    monkeypatch.setenv('WORLD_SIZE', '2')
    monkeypatch.setenv('RANK', '1')
    monkeypatch.setenv('TORCHELASTIC_RUN_ID', 'none')  # by which PyTorch knows a rank of torchrun
    options = dict(weights='w.pth', device='cpu', no_save_vis=True, predictions='all.jsonl')
    assert sr4ir_mm.infer('net.py', 'in', **options) == Path('outputs')
    assert len(lines('all.jsonl')) == 5
    sr4ir_mm.infer('net.py', 'in', **options, shard='2/2', out_dir='half')
    assert [path.name for path in Path('half/.run').iterdir()] == ['2-of-2']


@pytest.mark.slow
def test_a_rank_of_torchrun_with_bad_images_waits_for_the_others(net, images):
    for i in range(20):
        path = images / f'z{i:02d}.png'
        path.write_bytes(b'no image') if i % 2 else cv2.imwrite(str(path), picture(60, 60, i))
    options = [*net, '--predictions']
    tool = str(TOOLS / 'infer.py')
    subprocess.run([sys.executable, tool, *options, 'one/all.jsonl', '--out-dir', 'one'], check=False)
    launch = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
    done = subprocess.run([*launch, tool, *options, 'two/all.jsonl', '--out-dir', 'two'], check=False)
    assert done.returncode == 1
    assert len(lines('one/all.jsonl')) == 15 and read('one') == read('two')
