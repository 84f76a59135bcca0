"""Draw what a detector finds on LR images: python .dev_scripts/lr_boxes.py RUN --out docs/lr_boxes.png

The images are the first eight of the test by name, made small as in the training.
"""

from pathlib import Path

import cv2
import numpy as np
import torch
from front_picture import load
from torchvision.utils import make_grid

from sr4ir_mm import SR4IRInferencer
from sr4ir_mm.config.cli import Parser
from sr4ir_mm.utils import write_image

COUNT, ENLARGED, SCORE = 8, 6, 0.3


def main() -> None:
    """Predict the images, and draw them with their boxes."""
    parser = Parser(description=__doc__)
    parser.add_argument('run', type=Path, help='work dir of a detector')
    parser.add_argument('--out', type=Path, required=True, help='.png file')
    args = parser.parse_args()
    runner = load(args.run)
    dataset, degrade = runner.test_dataloader.dataset, runner.model.data_preprocessor.degradation
    paths = [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    chosen = sorted(range(len(dataset)), key=paths.__getitem__)[:COUNT]
    small = [degrade(dataset[i]['inputs'][None].float() / 255)[0].mul(255).byte() for i in chosen]
    images = [image.permute(1, 2, 0).numpy() for image in small]  # BGR, as OpenCV reads them
    inferencer = SR4IRInferencer(args.run, device='cpu', show_progress=False)
    samples = inferencer(images)['predictions']
    pictures = []
    for image, sample in zip(images, samples):
        large = cv2.resize(image[..., ::-1], None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_NEAREST)
        pictures.append(inferencer.visualize(large, sample, pred_score_thr=SCORE))
    grid = make_grid(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2), nrow=4, padding=8, pad_value=255)
    write_image(args.out, grid.permute(1, 2, 0).numpy())


if __name__ == '__main__':
    main()
