"""Turn trained SR networks into the weights that the package ships, measure them, and write their page:

python .dev_scripts/sr_weights/ship.py work_dirs/edsr-s_x4_bsds work_dirs/edsr-s_x8_bsds

A work dir is that of a config configs/sr/<name>_bsds.py, whose training has ended. Without one, only the page is
written, from docs/shipped_weights.json. The file has 16 bits a value if that changes PSNR by less than 0.01 dB.
"""

import hashlib
import json
from pathlib import Path

import torch
from measure import measure, quality, read_images
from mmengine.config import Config
from page import page
from safetensors.torch import save
from torch import nn

from sr4ir_mm.analysis.benchmark.environment import environment, revision
from sr4ir_mm.compat.allocator import keep_freed_memory
from sr4ir_mm.config import build_model, load_config
from sr4ir_mm.config.cli import Parser
from sr4ir_mm.config.work_dir import last_checkpoint
from sr4ir_mm.errors import SR4IRError, user_errors
from sr4ir_mm.utils.files import write_file
from sr4ir_mm.utils.shipped import FOLDER

ROOT = Path(__file__).resolve().parents[2]
CARD, PAGE = ROOT / 'docs/shipped_weights.json', ROOT / 'docs/shipped_weights.md'
LICENSE = 'trained on BSDS500, whose images are published for non-commercial research and education'


def ship(work_dir: Path, benchmarks: Path, trained_at: str) -> tuple[str, dict]:
    """Write the weights of a training into the package, and measure them.

    Args:
        work_dir (Path): Work dir.
        benchmarks (Path): Folder of the sets of images.
        trained_at (str): Revision of the code that trained.

    Returns:
        tuple: Name of the weights, and their entry in the card.

    Raises:
        SR4IRError: If the training has not ended.
    """
    cfg, checkpoint = load_config(work_dir), last_checkpoint(work_dir)
    if checkpoint is None or checkpoint.name != f'epoch_{cfg.train_cfg.max_epochs}.pth':
        raise SR4IRError(f"The training in '{work_dir}' has not ended: continue it with --resume.")
    name = Path(cfg.filename).stem.removesuffix('_bsds')
    model = build_model(cfg, str(checkpoint)).eval()
    degrade, scale = model.data_preprocessor.degradation, cfg.model.scale
    images = read_images(benchmarks / 'Set14', scale)
    before = quality(model.sr, degrade, images)
    state = {key: value.clone().contiguous() for key, value in model.sr.state_dict().items()}
    half = {key: value.half() for key, value in state.items()}
    model.sr.load_state_dict(half)
    if abs(quality(model.sr, degrade, images)['PSNR'] - before['PSNR']) >= 0.01:
        half = state
        model.sr.load_state_dict(state)
    info = dict(network=name, license=LICENSE)
    write_file(path := FOLDER / f'{name}.safetensors', save(half, info))
    measured = dict(revision=trained_at, quality=measure(model.sr, degrade, scale, benchmarks))
    return name, _entry(cfg, checkpoint, path, model.sr) | measured


def _entry(cfg: Config, checkpoint: Path, path: Path, sr: nn.Module) -> dict:
    data, loaded, found = path.read_bytes(), torch.load(checkpoint, weights_only=True), environment()
    net = cfg.model.sr.net
    return dict(
        network=dict(blocks=net.num_blocks, channels=net.mid_channels, parameters=_size(sr)),
        license=LICENSE,
        command=f'python tools/train.py configs/sr/{path.stem}_bsds.py --amp',
        seed=cfg.randomness.seed,
        iterations=loaded['message_hub']['runtime_info']['iter'] + 1,
        batch_size=cfg.train_dataloader.batch_size,
        environment=dict(date=found['date'], cpu=found['machine']['cpu'], torch=found['versions']['torch']),
        file=dict(bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), dtype=_dtype(path)),
    )


def _size(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def _dtype(path: Path) -> str:
    from safetensors import safe_open

    with safe_open(path, 'pt') as file:
        return {'F16': 'float16', 'F32': 'float32'}[file.get_slice(next(iter(file.keys()))).get_dtype()]


def main() -> None:
    """Read the command line, write files, card and page."""
    parser = Parser(description=__doc__)
    parser.add_argument('work_dirs', type=Path, nargs='*', help='work dirs of trainings of configs/sr')
    parser.add_argument('--benchmarks', type=Path, default=ROOT / 'data/sr_benchmarks', help='folder of test images')
    parser.add_argument('--revision', default=revision(), help='revision of the code that trained; default: this one')
    args = parser.parse_args()
    keep_freed_memory()
    card = json.loads(CARD.read_text()) if CARD.exists() else {}
    for work_dir in args.work_dirs:
        name, entry = ship(work_dir, args.benchmarks, args.revision)
        card = dict(sorted({**card, name: entry}.items()))
        write_file(CARD, json.dumps(card, indent=1) + '\n')
        print(name, {images: values['sr'] for images, values in entry['quality'].items()})
    write_file(PAGE, page(card))


if __name__ == '__main__':
    with user_errors():
        main()
