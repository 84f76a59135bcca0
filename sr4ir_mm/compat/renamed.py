"""Published names that have changed, importable and usable in configs for one release.

This can go with version 0.2.
"""

import warnings

#: old name -> new name, for classes and functions of the registries and of the public subpackages
RENAMED = {
    'AmpOptimWrapper': 'AnyDeviceAmpOptimWrapper',
    'AspectRatioBatchSampler': 'AspectRatioGroupedBatchSampler',
    'CocoMetric': 'ZeroFillCocoMetric',
    'CosineRestartLR': 'BasicSRCosineRestartLR',
    'LIIF': 'LIIFUpsampler',
    'LoadImageFromFile': 'CheckedLoadImageFromFile',
    'RuntimeInfoHook': 'DeferredRuntimeInfoHook',
    'VOCDataset': 'InclusiveVOCDataset',
    'worker_init_fn': 'epoch_worker_init_fn',
}


def current_name(name: str) -> str:
    """Return the present name of what was called ``name``, with a warning if that has changed."""
    if name not in RENAMED:
        return name
    message = f"'sr4ir_mm.{name}' is now 'sr4ir_mm.{RENAMED[name]}'; the old name goes with the next release."
    warnings.warn(message, FutureWarning, stacklevel=3)
    return RENAMED[name]


def current_image(name: str) -> str:
    """Return the present name of an image in a scheme: what was 'lr', of three meanings, is 'bilinear' now."""
    if name != 'lr':
        return name
    warnings.warn(
        "The image 'lr' of a scheme is now 'bilinear'; the old name goes with 0.2.", FutureWarning, stacklevel=4
    )
    return 'bilinear'
