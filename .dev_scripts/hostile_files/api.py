"""Load a file through the interfaces for Python: python api.py NAME FILE"""

import sys

from sr4ir_mm.errors import user_errors


def load(name: str, file: str) -> None:
    """Load a file as a user of one of the packages does; the configs are those of the bench."""
    if name == 'SR4IRInferencer':
        from sr4ir_mm.inference import SR4IRInferencer

        SR4IRInferencer(file, device='cpu')
    elif name == 'SR4IRInferencer with a config':
        from sr4ir_mm.inference import SR4IRInferencer

        SR4IRInferencer('seg.py', file, device='cpu')
    elif name == 'MMSegInferencer':
        from mmseg.apis import MMSegInferencer

        MMSegInferencer(None, weights=file, device='cpu')
    elif name == 'DetInferencer':
        from mmdet.apis import DetInferencer

        DetInferencer(weights=file, device='cpu')
    elif name == 'ImageClassificationInferencer':
        from mmpretrain.apis import ImageClassificationInferencer

        ImageClassificationInferencer('cls.py', pretrained=file, device='cpu')
    elif name == 'mmseg.init_model':
        from mmseg.apis import init_model

        init_model('fcn.py', file, device='cpu')
    elif name == 'mmdet.init_detector':
        from mmdet.apis import init_detector

        init_detector('fcn.py', file, device='cpu')
    elif name == 'load_checkpoint':
        from mmengine.runner import load_checkpoint
        from torch import nn

        load_checkpoint(nn.Linear(1, 1), file)
    elif name == 'control':
        load_without_a_check(file)
    else:
        raise KeyError(name)


def load_without_a_check(file: str) -> None:
    """Run the code in a file, which shows that its mark would be found."""
    import pickle
    from pathlib import Path

    import torch
    from mmengine.config import Config

    if 'cfg' in file:
        Config.fromstring(torch.load(file, weights_only=False)['meta']['cfg'], '.py')
    elif 'pickle' in file or file.endswith('.pkl'):
        pickle.loads(Path(file).read_bytes())
    else:
        torch.load(file, weights_only=False)


if __name__ == '__main__':
    with user_errors():
        load(*sys.argv[1:])
