"""Layout of the page that tools/webui.py serves. It needs gradio."""

import cv2
import gradio as gr
import numpy as np

from ..errors import SR4IRError
from ..inference.images import list_images
from .comparison import SAME_TASK_NET, Comparison

#: labels of the frames while no image is shown; the ids of the frames are made of them
LABELS = (
    'LR image', "the baseline's task input", "the baseline's prediction", "the run's task input", "the run's prediction"
)  # fmt: skip
#: Small images fill their frames below the label, pixel by pixel. Gradio's overlay for uploads is hidden: after a file
#: with too many bytes it would show 'Error' in place of every later one, too. Its message is enough.
CSS = """
.picture img {width: 100%; height: 100%; object-fit: contain; image-rendering: pixelated}
.picture.prediction img {image-rendering: auto}
.picture {padding-top: 30px}
.picture .slider-wrap {height: 298px}
#upload > .wrap {display: none !important}
"""
FONTS = dict(font=['system-ui', 'sans-serif'], font_mono=['monospace'])  # gradio's own fonts are on the network
LOOK = dict(css=CSS, theme=gr.themes.Default(**FONTS))  # arguments of launch()
BUTTONS = ['download', 'fullscreen']  # gradio's others send the image to a server


def build_page(comparison: Comparison, examples: str | None = None) -> gr.Blocks:
    """Lay out the page.

    Args:
        comparison (Comparison): Runs to choose from.
        examples (str, optional): Folder of images to offer.

    Returns:
        gr.Blocks: Page, not yet served.
    """
    # delete_cache: uploads and results are deleted after an hour
    with gr.Blocks(title='sr4ir_mm', analytics_enabled=False, fill_width=True, delete_cache=(600, 3600)) as page:
        gr.Markdown('## sr4ir_mm: recognition in low-resolution images')
        with gr.Row():
            with gr.Column(scale=1, min_width=300):
                choices = _choices(comparison, examples)
            with gr.Column(scale=4):
                frames = _frames()

        def update(image: dict | None, *runs: str) -> list:
            pictures, pair = [(label, None) for label in LABELS], None
            try:
                if image:
                    pictures = comparison(image['path'], *runs)
                    pair = _pair(pictures[1][1], pictures[3][1])
            except SR4IRError as error:
                gr.Warning(str(error))
            return [*(gr.Image(picture, label=label) for label, picture in pictures), pair]

        # preprocess: gr.Image would decode the file, and show errors of its own
        changes = [choice.change for choice in choices]
        gr.on(changes, update, choices, frames, preprocess=False, api_visibility='private')
    return page


def _choices(comparison: Comparison, examples: str | None) -> list[gr.components.Component]:
    """Lay out what the user chooses: an image, a run, a baseline."""
    options = dict(sources=['upload', 'clipboard'], height=220, buttons=[])
    upload = gr.Image(label='Drop an LR image here', elem_id='upload', **options)
    runs = list(comparison.runs)
    baselines = [SAME_TASK_NET, *runs]
    run = gr.Dropdown(runs, value=comparison.first('sr') or runs[0], label='Run')
    baseline = gr.Dropdown(baselines, value=comparison.first('bilinear') or SAME_TASK_NET, label='Baseline')
    if examples:
        gr.Examples(list_images(examples), upload, label='Examples', examples_per_page=12)
    return [upload, run, baseline]


def _frames() -> list[gr.components.Component]:
    """Lay out the frames of the pictures: one for each of LABELS, in their order, and the slider."""
    with gr.Row():
        lr, baseline_input, run_input = (_picture(LABELS[i]) for i in (0, 1, 3))
    with gr.Row():
        slider = gr.ImageSlider(
            label='baseline | run: drag the line', height=330, format='png', elem_classes='picture', buttons=BUTTONS
        )
        baseline_prediction, run_prediction = _picture(LABELS[2]), _picture(LABELS[4])
    return [lr, baseline_input, baseline_prediction, run_input, run_prediction, slider]


def _picture(label: str) -> gr.Image:
    name = label.replace(' ', '-').replace("'", '')
    classes = ['picture', 'prediction'] if 'prediction' in label else ['picture']
    options = dict(interactive=False, format='png', height=330, buttons=BUTTONS)
    return gr.Image(label=label, elem_id=name, elem_classes=classes, **options)


def _pair(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give both images the size of the second: the scales of two runs may differ."""
    return cv2.resize(first, second.shape[1::-1]), second
