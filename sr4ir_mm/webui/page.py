"""The page of tools/webui.py. Needs gradio."""

import os
from typing import Any

import cv2
import numpy as np

from ..errors import SR4IRError
from ..inference.images import expand
from .comparison import SAME_T, Comparison

os.environ['GRADIO_ANALYTICS_ENABLED'] = 'False'  # which gradio reads when it is imported

import gradio as gr
from gradio.processing_utils import save_img_array_to_cache
from gradio_imageslider import ImageSlider

LABELS = ('LR image', 'what the baseline sees', "the baseline's prediction", 'what T sees', 'prediction')
#: Small images fill their frames, below the label, and one can count their pixels. After an upload of too many bytes,
#: gradio would show 'Error' in place of every later one, too; its message is enough.
CSS = """
.picture img {width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated}
.picture.prediction img {image-rendering: auto}
.picture {padding-top: 30px}
.picture .slider-wrap {height: 298px}
#upload > .wrap, footer {display: none !important}
"""


class FileImage(gr.Image):
    """An image that reaches us as the file that was dropped; gr.Image would decode it, with errors of its own."""

    is_template = True  # in the browser it is a gr.Image

    def preprocess(self, payload: Any) -> str | None:
        """The path of the uploaded copy."""
        return payload and payload.path


def build_page(comparison: Comparison, examples: str | None = None) -> gr.Blocks:
    """Lay out the page.

    Args:
        comparison (Comparison): What answers.
        examples (str, optional): Folder of images to offer.
    """
    runs = list(comparison.runs)
    fonts = dict(font=['system-ui', 'sans-serif'], font_mono=['monospace'])  # gradio's own ones are on the network
    # the last one: uploads and results are deleted after an hour
    options = dict(title='sr4ir_mm', css=CSS, fill_width=True, delete_cache=(600, 3600))
    with gr.Blocks(gr.themes.Default(**fonts), **options) as page:
        gr.Markdown('## sr4ir_mm: what the recognizer sees in a low-resolution image')
        with gr.Row():
            with gr.Column(scale=1, min_width=300):
                upload = FileImage(
                    label='Drop an LR image here', sources=['upload', 'clipboard'], height=220, elem_id='upload'
                )
                run = gr.Dropdown(runs, value=comparison.first('sr') or runs[0], label='Run')
                baseline = gr.Dropdown([SAME_T, *runs], value=comparison.first('bilinear') or SAME_T, label='Baseline')
                if examples:
                    gr.Examples(expand(examples), upload, label='Examples', examples_per_page=12)
            with gr.Column(scale=4):
                with gr.Row():
                    lr, low, sr = (_picture(label) for label in (LABELS[0], LABELS[1], LABELS[3]))
                with gr.Row():
                    slider = ImageSlider(
                        label='baseline | run: drag the line', height=330, show_label=True, elem_classes='picture'
                    )
                    low_drawn, drawn = _picture(LABELS[2]), _picture(LABELS[4])

        def answer(path: str | None, *chosen: str) -> list:
            pictures, pair = [(label, None) for label in LABELS], None
            try:
                if path:
                    pictures = comparison(path, *chosen)
                    pair = _pair(pictures[1][1], pictures[3][1], slider.GRADIO_CACHE)
            except SR4IRError as error:
                gr.Warning(str(error))
            return [*(gr.Image(image, label=label) for label, image in pictures), pair]

        chosen = [upload, run, baseline]
        gr.on([part.change for part in chosen], answer, chosen, [lr, low, low_drawn, sr, drawn, slider])
    return page


def _picture(label: str) -> gr.Image:
    name = label.replace(' ', '-').replace("'", '')
    classes = ['picture', 'prediction'] if 'prediction' in label else ['picture']
    return gr.Image(label=label, elem_id=name, elem_classes=classes, interactive=False, format='png', height=330)


def _pair(first: np.ndarray, second: np.ndarray, folder: str) -> tuple[str, str]:
    """Both images in the size of the second, since runs may have different scales, as files without loss."""
    images = cv2.resize(first, second.shape[1::-1]), second
    return tuple(save_img_array_to_cache(image, folder, format='png') for image in images)
