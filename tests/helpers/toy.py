"""Small parts that many tests share."""

import torch
from mmengine.model import BaseModel
from mmengine.structures import BaseDataElement
from torch import nn

EDSR = dict(type='mmagic.EDSRNet', in_channels=3, out_channels=3, mid_channels=8, num_blocks=2, upscale_factor=4)


class ToyClassifier(BaseModel):
    """conv - BN - ReLU - conv - BN - ReLU (the backbone), global mean, linear: T of the fixtures ``traj_cls_toy``.

    A data sample holds ``label``; ``norm=False`` leaves out BatchNorm.
    """

    def __init__(self, num_classes: int = 10, norm: bool = True, data_preprocessor: dict | None = None) -> None:
        super().__init__(data_preprocessor or imagenet_preprocessor())

        def bn(channels: int) -> nn.Module:
            return nn.BatchNorm2d(channels) if norm else nn.Identity()

        self.backbone = nn.Sequential(
            nn.Conv2d(3, 8, 3, 4, 1, bias=False), bn(8), nn.ReLU(),
            nn.Conv2d(8, 16, 3, 4, 1, bias=False), bn(16), nn.ReLU(),
        )  # fmt: skip
        self.fc = nn.Linear(16, num_classes)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        logits = self.fc(self.backbone(inputs).mean((2, 3)))
        if mode == 'tensor':
            return logits
        if mode == 'predict':
            for sample, logit in zip(data_samples, logits):
                sample.set_data(dict(pred=logit.argmax()))
            return data_samples
        labels = torch.tensor([sample.label for sample in data_samples])
        return dict(loss=nn.functional.cross_entropy(logits, labels))


def imagenet_preprocessor(**kwargs) -> dict:
    mean, std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
    return dict(type='mmengine.ImgDataPreprocessor', mean=mean, std=std, bgr_to_rgb=True, **kwargs)


def toy_batch(n: int = 2, size: int = 32, seed: int = 0, num_classes: int = 10) -> dict:
    """A batch as a data loader gives it: BGR uint8 images and labels."""
    rng = torch.Generator().manual_seed(seed)
    return dict(
        inputs=[torch.randint(0, 256, (3, size, size), dtype=torch.uint8, generator=rng) for _ in range(n)],
        data_samples=[
            BaseDataElement(
                label=int(torch.randint(num_classes, (), generator=rng)), metainfo=dict(img_path=f'{i}.png')
            )
            for i in range(n)
        ],
    )


class ToyDataset(torch.utils.data.Dataset):
    """The samples of given batches, one by one."""

    metainfo = dict(classes=[str(i) for i in range(10)])

    def __init__(self, *batches: dict) -> None:
        self.items = [
            dict(inputs=image, data_samples=sample)
            for batch in batches
            for image, sample in zip(batch['inputs'], batch['data_samples'])
        ]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict:
        return self.items[index]
