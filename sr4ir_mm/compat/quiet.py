"""Hide notes about calls that OpenMMLab's packages make themselves: a user can do nothing about them.

This can go when mmengine 0.10.7, mmcv 2.1.0 and the zoos no longer make deprecated calls.
"""

import os
import warnings

import mmengine.fileio.file_client

_PACKAGES = r'(mmengine|mmcv|mmseg|mmdet|mmpretrain|mmagic)\.'
#: start of a text, its category, the module that the warning is about
_NOTES = [
    ('', FutureWarning, _PACKAGES),
    ('', DeprecationWarning, _PACKAGES),
    ('``build_loss`` would be deprecated', UserWarning, _PACKAGES),
    # of boxes that end at the border of the image, which are drawn as they should be
    (r'Warning: The (bbox|polygon) is out of bounds', UserWarning, r'mmengine\.visualization'),
    ('pkg_resources is deprecated', UserWarning, r'(mmengine|importlib|mim)\b'),
    ('torch.meshgrid: in an upcoming release', UserWarning, r'torch\.functional'),
    # that ATSS's own code asks for, and a note of 2022 for every net with this activation
    ('DeprecationWarning: `num_anchors` is deprecated', UserWarning, r'mmdet\.'),
    (r'In MMCV v1\.4\.4, we modified', UserWarning, r'mmcv\.'),
    # SR4IR makes the gallery of a retriever itself
    ('Only the `mmpretrain.models.retrievers.BaseRetriever`', UserWarning, r'mmpretrain\.engine\.hooks'),
]


def hide_notes() -> None:
    """Add filters of warnings, which the user's own filters precede, and drop two messages of MMEngine's log."""
    for note in _NOTES:
        warnings.filterwarnings('ignore', *note, append=True)
    # that it does without PyTorch before 2.6: mmpretrain imports it, and registers placeholders for its models
    os.environ.setdefault('TRANSFORMERS_VERBOSITY', 'error')
    # its two messages are that FileClient and HardDiskBackend are deprecated, which MMEngine's own hook uses
    mmengine.fileio.file_client.print_log = lambda *args, **kwargs: None
