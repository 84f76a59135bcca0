"""From a video to a video: pictures of all frames, predictions by number, and nothing is lost when a run ends early."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.zoo import run_tool
from test_inferencer import config, picture
from test_video import cut_after_header, make_video

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.inference.inferencer import SR4IRInferencer
from sr4ir_mm.inference.small_images import TooSmallImage
from sr4ir_mm.inference.video_files import VideoFile


@pytest.fixture(scope='module')
def inferencer() -> SR4IRInferencer:
    return SR4IRInferencer(config('segformer'), 'random', 'cpu', show_progress=False)


def frames(path: Path) -> tuple[int, tuple[int, int], float]:
    """Number, size and rate of the frames of a video."""
    capture = cv2.VideoCapture(str(path))
    fps, images = capture.get(cv2.CAP_PROP_FPS), []
    while (entry := capture.read())[0]:
        images.append(entry[1])
    return len(images), images[0].shape[:2], fps


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*') if path.is_file())


@pytest.mark.parametrize(('batch_size', 'options', 'numbers'), [(1, {}, range(6)), (4, dict(every=2), (0, 2, 4))])
def test_a_video(inferencer, tmp_path, batch_size, options, numbers):
    path = make_video(tmp_path / 'clip.avi', 6, (16, 24), 12.5)
    found = inferencer(path, batch_size, out_dir=str(tmp_path / 'out'), **options)
    assert found['inputs'] == [f'{path}#{number}' for number in numbers]
    images = [np.full((16, 24, 3), 8 * number, np.uint8) for number in numbers]
    for ours, expected in zip(found['task_inputs'], inferencer(images)['task_inputs']):
        assert np.abs(ours.astype(int) - expected).max() <= 1  # sums of a batch are in another order
    fps = 12.5 / options.get('every', 1)  # as long as the source
    for folder in ('sr', 'vis'):
        assert names(tmp_path / 'out' / folder) == ['clip.mp4']
        assert frames(tmp_path / f'out/{folder}/clip.mp4') == (len(numbers), (64, 96), pytest.approx(fps))
    jsons = [f'{number:06d}.json' for number in numbers]
    assert names(tmp_path / 'out/preds/clip') == sorted(jsons + [f'{name[:6]}_pred_sem_seg.png' for name in jsons])
    assert json.loads((tmp_path / 'out/preds/clip' / jsons[-1]).read_text())['height'] == 16


@pytest.fixture(scope='module')
def on_hr() -> SR4IRInferencer:
    """The task network receives the frames themselves."""
    return SR4IRInferencer(config('resnet18', 'H->T'), 'random', 'cpu', show_progress=False)


def test_the_video_shows_the_frames_in_order(on_hr, tmp_path):
    path = make_video(tmp_path / 'clip.avi', 20, (16, 24))
    on_hr(path, 4, out_dir=str(tmp_path / 'out'), no_save_vis=True, no_save_pred=True)
    assert names(tmp_path / 'out') == ['sr/clip.mp4']
    capture = cv2.VideoCapture(str(tmp_path / 'out/sr/clip.mp4'))
    assert [round(capture.read()[1].mean() / 8) for _ in range(20)] == list(range(20))


def test_odd_sizes_keep_all_pixels(tmp_path):
    image = np.zeros((33, 45, 3), np.uint8)
    image[:, -1] = image[-1] = 255
    file = VideoFile(tmp_path / 'odd.mp4', 10.0, image.shape[:2])
    file.write(image)
    file.close()
    found = cv2.VideoCapture(str(tmp_path / 'odd.mp4')).read()[1]
    assert found.shape == (34, 46, 3) and found[32, :].min() > 150 and found[:, 44].min() > 150


def test_images_and_videos_of_several_sizes(inferencer, tmp_path):
    images = [
        make_video(tmp_path / 'a.avi', 3, (8, 16)),
        make_video(tmp_path / 'b.avi', 1, (16, 16)),
        picture(8, 16),
        make_video(tmp_path / 'sub/a.avi', 4, (8, 16)),
    ]
    found = inferencer(images, 4, out_dir=str(tmp_path / 'out'))
    assert len(found['inputs']) == 9 and not found['skipped']
    assert names(tmp_path / 'out/sr') == ['000002.png', 'a.mp4', 'a_2.mp4', 'b.mp4']
    assert [frames(tmp_path / f'out/vis/{name}.mp4')[0] for name in ('a', 'a_2', 'b')] == [3, 4, 1]


def test_frames_as_images(inferencer, tmp_path):
    path = make_video(tmp_path / 'clip.avi', 3)
    found = inferencer(path, out_dir=str(tmp_path / 'out'), save_frames=True)
    for folder in ('sr', 'vis'):
        assert names(tmp_path / 'out' / folder) == [f'clip/00000{number}.png' for number in range(3)]
    assert np.array_equal(cv2.imread(str(tmp_path / 'out/sr/clip/000002.png'))[..., ::-1], found['task_inputs'][2])


def test_a_damaged_video_does_not_stop_the_others(inferencer, tmp_path):
    (tmp_path / 'bad.mp4').write_bytes(b'nonsense')
    path = make_video(tmp_path / 'good.avi', 2)
    found = inferencer([tmp_path / 'bad.mp4', path])
    assert len(found['inputs']) == 2 and 'is not a video' in found['skipped'][str(tmp_path / 'bad.mp4')]
    with pytest.raises(SR4IRError, match=r"^video '.*bad\.mp4' is not a video that OpenCV can decode"):
        inferencer(tmp_path / 'bad.mp4')
    with pytest.raises(SR4IRError, match=r"^video 'no\.mp4' cannot be read"):
        inferencer('no.mp4')


def test_a_video_without_frames_is_skipped_with_a_reason(inferencer, tmp_path):
    cut = cut_after_header(tmp_path / 'cut.avi')
    found = inferencer([cut, make_video(tmp_path / 'good.avi', 2)])
    assert len(found['inputs']) == 2 and list(found['skipped']) == [f'{cut}#0']
    with pytest.raises(SR4IRError, match=r"^video '.*cut\.avi#0' is not a video that OpenCV can decode"):
        inferencer(cut)


def test_a_video_that_is_too_small_is_reported_a_few_times(inferencer, tmp_path, monkeypatch):
    def forward(batch, *args):
        raise TooSmallImage(batch[0].path, 'makes an SR image of 4 x 4 px')

    monkeypatch.setattr(inferencer, 'forward', forward)
    with pytest.raises(SR4IRError, match=r'clip\.avi#0'):
        inferencer(make_video(tmp_path / 'clip.avi', 25))
    skipped: dict[str, str] = {}
    with pytest.raises(SR4IRError):
        list(inferencer.stream(str(tmp_path / 'clip.avi'), skipped=skipped))
    assert len(skipped) < 8


def test_a_consumer_that_stops_has_a_video_of_what_is_done(inferencer, tmp_path):
    path = make_video(tmp_path / 'clip.avi', 20)
    stream = inferencer.stream(path, out_dir=str(tmp_path / 'out'))
    for _ in range(3):
        next(stream)
    assert not (tmp_path / 'out/vis/clip.mp4').exists()  # complete or absent
    stream.close()
    assert frames(tmp_path / 'out/vis/clip.mp4')[0] == frames(tmp_path / 'out/sr/clip.mp4')[0] == 3


@pytest.mark.parametrize('option', [dict(every=2), dict(max_frames=3), dict(save_frames=True)])
def test_options_without_a_video(inferencer, option):
    (name,) = option
    with pytest.raises(SR4IRError, match=f'{name} .--{name.replace("_", "-")}. is for videos, and none is among'):
        inferencer(picture(8, 8), **option)


@pytest.mark.parametrize('option', [dict(every=0), dict(max_frames=0), dict(every=1.5)], ids=str)
def test_wrong_numbers(inferencer, option):
    with pytest.raises(SR4IRError, match='must be a whole number, 1 or more'):
        inferencer('clip.mp4', **option)


def test_a_missing_codec(inferencer, tmp_path, monkeypatch):
    path = make_video(tmp_path / 'clip.avi', 3)
    monkeypatch.setattr('sr4ir_mm.inference.video_files._CODEC', 'ABCD')
    with pytest.raises(SR4IRError, match=r'sr/clip\.mp4.* cannot be written: OpenCV writes no MPEG-4 .*--save-frames'):
        inferencer(path, out_dir=str(tmp_path / 'out'))
    assert not list((tmp_path / 'out').rglob('*.mp4'))


def test_a_video_that_is_not_written_completely(inferencer, tmp_path, monkeypatch):
    """OpenCV says nothing if the disk is full."""
    path = make_video(tmp_path / 'clip.avi', 3)
    kind = cv2.VideoWriter

    class Full:
        fourcc = kind.fourcc

        def __init__(self, *args):
            self.writer, self.count = kind(*args), 0

        def write(self, image):
            self.count += 1
            if self.count < 3:
                self.writer.write(image)

        def __getattr__(self, name):
            return getattr(self.writer, name)

    monkeypatch.setattr(cv2, 'VideoWriter', Full)
    with pytest.raises(SR4IRError, match=r'clip\.mp4.* cannot be written: it has 2 of 3 frames') as error:
        inferencer(path, out_dir=str(tmp_path / 'out'))
    assert not list((tmp_path / 'out').rglob('*.mp4')), error  # which holds on to files: no hidden one is left either


def test_one_window_for_all_frames(inferencer, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr('sr4ir_mm.inference.inferencer.check_display', lambda: None)
    monkeypatch.setattr(
        inferencer.visualizer, 'show', lambda image, win_name, wait_time: shown.append((win_name, wait_time))
    )
    inferencer([make_video(tmp_path / 'clip.avi', 2), picture(8, 8)], show=True)
    assert shown[:2] == [('clip', 0.001)] * 2 and shown[2] == ('000001', 0)


def test_the_bar_counts_frames(inferencer, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(inferencer, 'show_progress', True)
    inferencer([make_video(tmp_path / 'clip.avi', 5), picture(8, 8)], max_frames=4)
    assert '5/5' in capsys.readouterr().err


@pytest.fixture
def run(tmp_path) -> Path:
    cfg = config('resnet18', 'L->T')
    cfg.dump(tmp_path / 'net.py')
    return tmp_path


def test_the_tool(run, capsys):
    make_video(run / 'in/clip.avi', 5)
    cv2.imwrite(str(run / 'in/sub.png'), picture(8, 8))
    options = ('--weights', 'random', '--device', 'cpu', '--recursive', '--every', '2', '--out-dir', 'in/out')
    assert run_tool('infer', 'net.py', 'in', *options, cwd=run) == 0
    assert '4 images done, 0 skipped; results: in/out' in capsys.readouterr().out
    assert names(run / 'in/out/vis') == ['clip.mp4', 'sub.png']
    assert run_tool('infer', 'net.py', 'in', *options, cwd=run) == 0
    assert names(run / 'in/out/vis') == ['clip.mp4', 'sub.png']  # results are no images of the next run


def test_ctrl_c_ends_the_tool_with_what_is_done(run, capsys, monkeypatch):
    make_video(run / 'clip.avi', 9)
    forward, batches = SR4IRInferencer.forward, []

    def interrupted(self, batch, *args):
        batches.append(batch)
        if len(batches) == 5:
            raise KeyboardInterrupt
        return forward(self, batch, *args)

    monkeypatch.setattr(SR4IRInferencer, 'forward', interrupted)
    assert run_tool('infer', 'net.py', 'clip.avi', '--weights', 'random', '--device', 'cpu', cwd=run) == 130
    done = frames(run / 'outputs/vis/clip.mp4')[0]
    assert 2 <= done <= 4 and f'stopped: {done} images done, 0 skipped' in capsys.readouterr().out
