"""Export task networks with random weights behind an SR network, and write how much the files differ from PyTorch:

    python .dev_scripts/export_differences.py --out docs/export.json
    python .dev_scripts/export_differences.py --out docs/export.json --only 'ResNet-18' 'SegFormer-B0'

Detectors are exported with --raw: at random, no box has a score above the threshold. The other rows of the file stay.
"""

import json
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from sr4ir_mm import mix
from sr4ir_mm.analysis.benchmark.environment import environment
from sr4ir_mm.config import build_model, load_config
from sr4ir_mm.config.cli import Parser
from sr4ir_mm.errors import user_errors
from sr4ir_mm.export import export

ATSS = 'mini/atss-efficientnet-lite0_edsr-s_x8_bccd.py'
#: task network -> config, ours or one of a zoo (with EDSR x4), and the options of the export
NETS = {
    'DeepLabV3, ResNet-50': ('mmseg::deeplabv3/deeplabv3_r50-d8_4xb2-40k_cityscapes-512x1024.py', {}),
    'SegFormer-B0': ('mmseg::segformer/segformer_mit-b0_8xb2-160k_ade20k-512x512.py', {}),
    'ATSS, ResNet-50': ('mmdet::atss/atss_r50_fpn_1x_coco.py', dict(raw=True)),
    'RetinaNet, ResNet-18': ('mmdet::retinanet/retinanet_r18_fpn_1x_coco.py', dict(raw=True)),
    'YOLOX-tiny': ('mmdet::yolox/yolox_tiny_8xb8-300e_coco.py', dict(raw=True)),
    'RTMDet-tiny': ('mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py', dict(raw=True, shape=(56, 56))),
    'ResNet-18': ('mmpretrain::resnet/resnet18_8xb32_in1k.py', {}),
    'ViT-B/16': ('mmpretrain::vision_transformer/vit-base-p16_64xb64_in1k.py', dict(shape=(56, 56))),
    'ATSS, EfficientNet-Lite0': (f'sr4ir_mm::{ATSS}', dict(raw=True)),
    'ATSS, EfficientNet-Lite0, float16': (f'sr4ir_mm::{ATSS}', dict(raw=True, half=True)),
}


def main() -> None:
    """Export one after the other, and write the numbers after each."""
    parser = Parser(description=__doc__)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--only', nargs='+', choices=NETS, default=NETS, metavar='NAME')
    args = parser.parse_args()
    made = environment()
    made['versions']['onnxruntime'] = metadata.version('onnxruntime')
    results = json.loads(args.out.read_text())['results'] if args.out.exists() else {}
    for name in args.only:
        results[name] = dict(made=f'{made["date"]}, {made["revision"]}') | differences(*NETS[name])
        print(name, json.dumps(results[name]['outputs']), flush=True)
        ordered = {key: results[key] for key in NETS if key in results}
        args.out.write_text(json.dumps(made | dict(seed=0, results=ordered), indent=1) + '\n')


def differences(config: str, options: dict) -> dict:
    """Export a network, and return the largest difference and the largest value of each kind of output."""
    cfg = load_config(config) if config.startswith('sr4ir_mm::') else mix(config, sr='edsr', scale=4)
    torch.manual_seed(0)
    model = build_model(cfg)
    outputs: dict[str, dict[str, float]] = {}
    with TemporaryDirectory() as folder:
        (path, rows), *_ = export(model, Path(folder, 'model.onnx'), **options).items()
        size = path.stat().st_size
    for row in rows:
        entry = outputs.setdefault('sr' if row.output == 'sr' else 'task', dict(difference=0.0, largest=0.0))
        entry['difference'] = max(entry['difference'], row.difference)
        entry['largest'] = max(entry['largest'], row.largest)
    return dict(config=config, options=options, megabytes=round(size / 2**20, 1), outputs=outputs)


if __name__ == '__main__':
    with user_errors():
        main()
