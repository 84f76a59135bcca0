"""The page about a shared model: what it is, what was measured, how to use it."""

from pathlib import Path

import mmengine
import torch
from mmengine.config import Config
from torch import nn

from ..config.folds import data_sets
from ..config.nodes import type_name
from ..datasets.class_names import first_meta
from ..engine.heads import predicts_masks
from ..models import SR4IR
from ..models.loads import first_few
from ..version import __version__
from .checkpoint_results import checkpoint_results

#: scope of the task network -> task on the Hugging Face Hub
_TAGS = dict(mmseg='image-segmentation', mmdet='object-detection', mmpretrain='image-classification')
_PAGE = """---
{metadata}
---

# {name}

A model for low-resolution images, trained with sr4ir_mm ([SR4IR, CVPR 2024](https://arxiv.org/abs/2404.01692)).

| | |
|---|---|
{facts}

## Results

{results}

## Use

With sr4ir_mm installed, in a shell and in Python:

```bash
sr4ir infer {name} folder/with/images --out-dir outputs
```

```python
from sr4ir_mm import SR4IRInferencer

result = SR4IRInferencer('{name}')('folder/with/images')
```

`config.py` is the config of the training, read as data, and `model.safetensors` has the weights. No code is run.

## License

Not stated yet: write it here, and as `license:` at the top of this page.
"""


def model_card(name: str, cfg: Config, model: SR4IR, weights: str, meta: dict) -> str:
    """Write the page about a model, with metadata for the Hugging Face Hub at its top.

    Args:
        name (str): Name of the model.
        cfg (Config): Its config.
        model (SR4IR): Model with its weights.
        weights (str): Checkpoint, whose folder is searched for metrics.
        meta (dict): ``dataset_meta``, ``epoch`` and ``iter`` of the checkpoint, those that are known.
    """
    metrics, source = checkpoint_results(Path(weights), meta)
    rows = [f'| {key} | {value:.5g} |' for key, value in metrics.items()]
    results = '\n'.join([f'{source}:', '', '| metric | value |', '|---|---|', *rows]) if rows else source
    facts = '\n'.join(f'| {key} | {value} |' for key, value in _facts(cfg, model, meta).items())
    return _PAGE.format(name=name, metadata=_metadata(name, cfg, model, metrics), facts=facts, results=results)


def pipeline_tag(cfg: Config, model: SR4IR) -> str | None:
    """Return the task on the Hugging Face Hub, or None if it is not sure."""
    if not model.scheme.uses_task_net:
        return 'image-to-image'
    scope, kind = cfg.get('default_scope'), type_name(cfg.model.task.type)
    if kind == 'DepthEstimator':
        return 'depth-estimation'
    if scope == 'mmpretrain' and 'Classifier' not in kind:
        return None  # one of captions, of retrieval, ...
    return _TAGS['mmseg'] if scope == 'mmdet' and predicts_masks(model.task) else _TAGS.get(scope)


def _metadata(name: str, cfg: Config, model: SR4IR, metrics: dict[str, float]) -> str:
    from huggingface_hub import EvalResult, ModelCardData  # need half a second

    tag, dataset = pipeline_tag(cfg, model), next(data_sets((cfg.get('test_dataloader') or {}).get('dataset') or {}))
    data = dict(dataset_type=type_name(dataset.get('type', '')), dataset_name=Path(dataset.get('data_root') or '').name)
    rows = [EvalResult(tag, **data, metric_type=key, metric_value=value) for key, value in metrics.items()]
    tags = ['super-resolution', 'sr4ir', cfg.get('default_scope')] if tag else ['super-resolution', 'sr4ir']
    rows = rows if tag and all(data.values()) else []
    names = dict(model_name=name, eval_results=rows) if rows else {}
    return ModelCardData(library_name='sr4ir_mm', pipeline_tag=tag, tags=tags, **names).to_yaml().strip()


def _facts(cfg: Config, model: SR4IR, meta: dict) -> dict[str, str]:
    nets = {'super-resolution network': 'sr', 'task network': 'task'}
    classes = first_meta(meta.get('dataset_meta')).get('classes') or ()
    trained = [f'{key} {meta[key]}' for key in ('epoch', 'iter') if meta.get(key)]
    return {
        **{title: text for title, key in nets.items() if (text := _net(cfg.model.get(key), getattr(model, key)))},
        'scale': f'x{model.scale}',
        'scheme': str(cfg.model.get('scheme', 'SR4IR')),
        'the task network receives': model.scheme.test_input,
        **({'classes': f'{len(classes)}: {first_few(list(map(str, classes)), 100)}'} if classes else {}),
        **({'trained until': ', '.join(trained)} if trained else {}),
        'written with': f'sr4ir_mm {__version__}, MMEngine {mmengine.__version__}, PyTorch {torch.__version__}',
    }


def _net(cfg: dict | None, net: nn.Module | None) -> str:
    if not cfg or net is None:
        return ''
    inner = cfg.get('backbone') or cfg.get('net') or {}
    names = [type_name(cfg['type']), type_name(inner.get('type', '')), cfg.get('architecture')]
    return f'{", ".join(filter(None, names))}, {sum(p.numel() for p in net.parameters()):,} parameters'
