"""A page in the browser: what S and T make of an LR image, beside what a baseline makes of it."""

import copy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from ..errors import SR4IRError
from ..models.schemes import resolve_scheme
from .images import SUFFIXES, expand, names, read
from .inferencer import SR4IRInferencer

os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'  # which gradio reads when it is imported

import gradio as gr
from gradio.processing_utils import save_img_array_to_cache
from gradio_imageslider import ImageSlider

#: The baseline unless a run is chosen as such.
SAME_T = 'the same T on bilinear up-sampling'
#: What T sees, by :attr:`SR4IR.source`.
SEEN = dict(sr='super-resolution', lr='bilinear up-sampling', hr='the image itself')
#: Small images fill their frames, and one can count their pixels.
CSS = '.picture img {width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated}'

from gradio.events import Dependency

class FileImage(gr.Image):
    """An image that reaches us as the file that was dropped; gr.Image would decode it, with errors of its own."""

    is_template = True  # in the browser it is a gr.Image

    def preprocess(self, payload: Any) -> str | None:
        """The path of the uploaded copy."""
        return payload and payload.path
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer


class Viewer:
    """Answers what the page asks.

    Args:
        runs (dict[str, SR4IRInferencer]): What the user can choose from, by name.
        max_side (int): Images with a longer side, in px, are refused.
    """

    def __init__(self, runs: dict[str, SR4IRInferencer], max_side: int = 512) -> None:
        self.runs = runs
        self.max_side = max_side

    def first(self, source: str) -> str | None:
        """The first run whose T sees 'sr', 'lr' or 'hr', if there is one."""
        return next((name for name, run in self.runs.items() if run.model.source == source), None)

    def __call__(self, path: str, run: str, baseline: str) -> list[tuple[str, np.ndarray]]:
        """Run both on one image.

        Args:
            path (str): Image file.
            run (str): Name of a run.
            baseline (str): Name of the one to compare with, or :data:`SAME_T`.

        Returns:
            list[tuple[str, np.ndarray]]: A label and a picture, H x W x 3, uint8, RGB, of the LR image, what T of the
            baseline sees, what T of the run sees, and their predictions on these.

        Raises:
            SR4IRError: If the image cannot be read or is too large.
        """
        lr = self.load(path)
        inferencer = self.runs[run]
        other = on_bilinear(inferencer) if baseline == SAME_T else self.runs[baseline]
        pictures = [('LR image', lr[..., ::-1])]
        for net in (other, inferencer):
            (entry,) = net.stream(lr, return_vis=True, coords='sr')
            # under the scheme 'S' T has not been trained
            drawn = entry['visualization'] if inferencer.model.recognises else entry['sr']
            pictures += [(SEEN[net.model.source], entry['sr']), (f'prediction on {SEEN[net.model.source]}', drawn)]
        return [(f'{label}, {image.shape[1]} x {image.shape[0]} px', image) for label, image in pictures]

    def load(self, path: str) -> np.ndarray:
        """An image file as h x w x 3, uint8, BGR; its size is looked at before it is decoded."""
        name = Path(path).name
        try:
            with Image.open(path) as image:
                size = image.size
        except Image.DecompressionBombError as error:
            raise SR4IRError(f"'{name}' is too large: {error}") from error
        except OSError as error:
            raise SR4IRError(f"'{name}' is not an image, or a damaged one. Try {', '.join(SUFFIXES)}.") from error
        if max(size) > self.max_side:
            raise SR4IRError(
                f"'{name}' is {size[0]} x {size[1]} px; this page takes images of up to {self.max_side} px (--max-side). "
                'Crop it, or use tools/infer.py.'
            )
        try:
            return read(path)
        except SR4IRError as error:
            raise SR4IRError(f"'{name}' {error}") from error


def load_runs(paths: Sequence[str], **options: Any) -> dict[str, SR4IRInferencer]:
    """Load runs, by names that tell them apart.

    Args:
        paths (Sequence[str]): Work dirs, of which the last checkpoint is taken, or configs. A checkpoint may follow each
            work dir and has to follow each config.
        **options: For :class:`SR4IRInferencer`.

    Raises:
        SR4IRError: If a config or a checkpoint is missing.
    """
    pairs: list[list[str]] = []
    for path in paths:
        if path.endswith('.pth') and pairs:
            pairs[-1].append(path)
        else:
            pairs.append([path])
    for pair in pairs:
        if len(pair) != 2 and not Path(pair[0]).is_dir():
            raise SR4IRError(f"'{pair[0]}' is no work dir: give one, or a config with one checkpoint after it.")
    found = names([str(Path(pair[0]).resolve()) for pair in pairs])
    return {name: SR4IRInferencer(*pair, show_progress=False, **options) for name, pair in zip(found, pairs)}


def on_bilinear(inferencer: SR4IRInferencer) -> SR4IRInferencer:
    """The same T, weights and all, on bilinear up-sampling instead of what S makes."""
    twin = copy.copy(inferencer)
    twin.model, twin.pipeline = copy.copy(inferencer.model), copy.copy(inferencer.pipeline)
    twin.model.phases = resolve_scheme('L->T')
    twin.pipeline.model = twin.model
    return twin


def build_page(viewer: Viewer, examples: str | None = None) -> gr.Blocks:
    """Lay out the page.

    Args:
        viewer (Viewer): What answers.
        examples (str, optional): Folder of images to offer.
    """
    runs = list(viewer.runs)
    fonts = dict(font=['system-ui', 'sans-serif'], font_mono=['monospace'])  # gradio's own ones are on the network
    # uploads and results are deleted after an hour
    with gr.Blocks(gr.themes.Default(**fonts), title='sr4ir_mm', css=CSS, delete_cache=(600, 3600)) as page:
        gr.Markdown('## sr4ir_mm: what the recogniser sees in a low-resolution image')
        with gr.Row():
            with gr.Column(scale=1, min_width=240):
                upload = FileImage(
                    label='Drop an LR image here', sources=['upload', 'clipboard'], height=220, elem_classes='picture'
                )
                run = gr.Dropdown(runs, value=viewer.first('sr') or runs[0], label='Run')
                baseline = gr.Dropdown([SAME_T, *runs], value=viewer.first('lr') or SAME_T, label='Baseline')
                if examples:
                    gr.Examples(expand(examples), upload, label='Examples', examples_per_page=12)
            with gr.Column(scale=4):
                with gr.Row():
                    lr, low, sr = (_picture(f'{name}-image', label) for name, label in (
                        ('lr', 'LR image'), ('low', 'what the baseline sees'), ('sr', 'what T sees')))  # fmt: skip
                with gr.Row():
                    slider = ImageSlider(
                        label='baseline | run: drag the line', height=330, interactive=False, elem_classes='picture'
                    )
                    low_drawn = _picture('low-prediction', "the baseline's prediction")
                    drawn = _picture('sr-prediction', 'prediction')
        outputs = [lr, low, low_drawn, sr, drawn]

        def answer(path: str | None, *chosen: str) -> list:
            if path is None:
                return [None] * 6
            try:
                pictures = viewer(path, *chosen)
            except SR4IRError as error:
                raise gr.Error(str(error)) from error
            pair = [pictures[1][1], pictures[3][1]]
            pair[0] = cv2.resize(pair[0], pair[1].shape[1::-1])  # runs may have different scales
            files = tuple(save_img_array_to_cache(image, slider.GRADIO_CACHE, format='png') for image in pair)
            return [*(gr.Image(image, label=label) for label, image in pictures), files]

        gr.on([upload.change, run.change, baseline.change], answer, [upload, run, baseline], [*outputs, slider])
    return page


def _picture(elem_id: str, label: str) -> gr.Image:
    return gr.Image(
        label=label, elem_id=elem_id, elem_classes='picture', interactive=False, format='png', height=330
    )  # fmt: skip