"""The page about the weights that the package ships."""

from measure import SETS

_HEAD = """\
# Shipped SR networks

The package contains trained weights of the small SR network `edsr-s` ({blocks} blocks x {channels} channels,
{parameters} parameters at x4). It loads them by default, without a network connection:

```bash
python tools/train.py my_config.py --sr edsr-s --scale 4           # LR images as in the paper: bicubic
python tools/train.py my_config.py --sr edsr-s-real --scale 4      # LR images with blur, noise and JPEG
```

In a config, they are `init_cfg=dict(type='Pretrained', checkpoint='sr4ir_mm://edsr-s_x4')`. Without weights
(`model.sr.init_cfg=None`), the network starts from the bilinear image, see
{{class}}`~sr4ir_mm.models.BilinearSkip`.

## License

**The weights are trained on the photographs of BSDS500, which are published for non-commercial research and education.
Use the weights for these purposes only.** For others, train the network on images of yours: `configs/sr/` has the
configs, and `--cfg-options train_dataloader.dataset.dataset.data_prefix.img_path=FOLDER` names a folder of JPEG files.

## Quality

Measured on images that no SR network was trained on, as a validation measures: RGB, 8 bits, without a border of 8 px.
`edsr-s` receives LR images by `BicubicDegradation`, `edsr-s-real` by `configs/_base_/degradations/practical_x*.py`,
with one fixed draw for each image. *Bilinear* and *bicubic* have no aligned corners. Published figures (Y channel,
antialiased LR images) are not comparable.

"""
_TAIL = """\
## Training

On all 500 images of BSDS500; `configs/_base_/datasets/bsds500.py` says how to get them. The networks for other scales
start from `edsr-s_x4`, those for the practical degradation from `edsr-s` of their scale.

| name | command | seed | iterations | revision | processor, PyTorch | file |
|---|---|---|---|---|---|---|
"""


def page(card: dict[str, dict]) -> str:
    """Return the page in Markdown.

    Args:
        card (dict[str, dict]): What :file:`ship.py` knows about each network, by its name.
    """
    text = _HEAD.format(**card['edsr-s_x4']['network'])
    for metric, digits in ('PSNR', 2), ('SSIM', 4):
        text += f'| {metric} | ' + ' | '.join(f'{name}: bilinear / bicubic / SR' for name in SETS) + ' |\n'
        text += '|---' * (1 + len(SETS)) + '|\n'
        text += ''.join(_row(name, entry, metric, digits) for name, entry in card.items()) + '\n'
    return text + _TAIL + ''.join(_training(name, entry) for name, entry in card.items())


def _row(name: str, entry: dict, metric: str, digits: int) -> str:
    cells = []
    for images in SETS:
        values = [entry['quality'][images][kind][metric] for kind in ('bilinear', 'bicubic', 'sr')]
        texts = [f'{value:.{digits}f}' for value in values]
        cells.append(' / '.join([*texts[:-1], f'**{texts[-1]}**' if values[-1] > max(values[:-1]) else texts[-1]]))
    return f'| `{name}` | {" | ".join(cells)} |\n'


def _training(name: str, entry: dict) -> str:
    where, file = entry['environment'], entry['file']
    return (
        f'| `{name}` | `{entry["command"]}` | {entry["seed"]} | {entry["iterations"]} | {entry["revision"]} | '
        f'{where["cpu"]}, {where["torch"]} | {file["bytes"] / 1000:.0f} kB, {file["dtype"]}, '
        f'SHA-256 `{file["sha256"][:12]}` |\n'
    )
