"""Every way by which a file comes to a tool or an interface, and what must happen."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from case import Case
from make_files import CODE, COMMAND, FILES

_API = '../.dev_scripts/hostile_files/api'
#: entry point -> command, for which the config in the file is not needed; and for which it is
WITH_CONFIG = {
    'test': 'test seg.py {}',
    'infer': 'infer seg.py lr --weights {} --device cpu',
    'train, load_from': 'train seg.py --work-dir new --cfg-options load_from={}',
    'train, S starts from': 'train seg.py --work-dir new --cfg-options model.sr.init_cfg.type=Pretrained '
    'model.sr.init_cfg.prefix=sr. model.sr.init_cfg.checkpoint={}',
    'train, T starts from': 'train seg.py --work-dir new --cfg-options model.task.init_cfg.type=Pretrained '
    'model.task.init_cfg.prefix=task. model.task.init_cfg.checkpoint={}',
    'export': 'export seg.py {} out.onnx',
    'webui': 'webui seg.py {} --device cpu',
    'SR4IRInferencer': f"{_API} 'SR4IRInferencer with a config' {{}}",
}
ALONE = {
    'test alone': 'test {}',
    'infer alone': 'infer {} lr --device cpu',
    'train, --resume': 'train seg.py --work-dir new --resume {}',
    'train its config': 'train {} --work-dir new',
    'export alone': 'export {} out.onnx',
    'webui alone': 'webui {} --device cpu',
    'complexity': 'analysis_tools/get_complexity {}',
    'layers': 'analysis_tools/list_layers {}',
    'SR4IRInferencer alone': f'{_API} SR4IRInferencer {{}}',
    'MMSegInferencer': f'{_API} MMSegInferencer {{}}',
}
#: entry points for other networks than that of the file, or for files of one network
WEIGHTS = {
    'mix, --pretrained': 'train zoo.py --sr edsr.py --pretrained --work-dir new',
    'mm2official': 'model_converters/mm2official seg.py {} out',
    'official2mm, S': 'model_converters/official2mm seg.py out.pth --sr {}',
    'official2mm, T': 'model_converters/official2mm seg.py out.pth --task {}',
    'DetInferencer': f'{_API} DetInferencer {{}}',
    'ImageClassificationInferencer': f'{_API} ImageClassificationInferencer {{}}',
    'mmseg.init_model': f'{_API} mmseg.init_model {{}}',
    'mmdet.init_detector': f'{_API} mmdet.init_detector {{}}',
    'load_checkpoint': f'{_API} load_checkpoint {{}}',
}
#: commands for a work dir with the file as its only checkpoint
WORK_DIR = {
    'test, work dir': 'test runs/bad',
    'infer, work dir': 'infer runs/bad lr --device cpu',
    'train, --resume in a work dir': 'train seg.py --work-dir runs/bad --resume',
    'report': 'analysis_tools/report runs/bad --out report.html',
    'curves': 'analysis_tools/plot_curves runs/bad --out curves.png',
}
CACHE = {
    'torchvision://resnet18': 'resnet18-f37072fd.pth',
    'modelzoo://resnet18': 'resnet18-f37072fd.pth',
    'https://download.openmmlab.com/x/net_20260101-1a2b3c4d.pth': 'net_20260101-1a2b3c4d.pth',
}


@dataclass
class HostileCase(Case):
    """Case of a file that tries to run code; ``either``: whether the command may work, too.

    With ``is_control`` it loads the file without a check, and the code in it must leave its mark.
    """

    either: bool = False
    is_control: bool = False


def all_cases(address: str) -> Iterator[HostileCase]:
    """Yield all cases; the address is that of the server."""
    for file in (
        'zip.pth',
        'system.pth',
        'in_meta.pth',
        'legacy.pth',
        'plain_pickle.pth',
        'results.pkl',
        'cfg_call.pth',
    ):
        yield HostileCase(f'control: {file}', f'{_API} control hostile/{file}', is_control=True)
    for file, wrong in FILES.items():
        for entry, command in [*WITH_CONFIG.items(), *ALONE.items(), *WEIGHTS.items()]:
            if _applies(entry, file, wrong):
                yield _case(entry, command, file, f'hostile/{file}', wrong)
                if file.endswith('.pth'):
                    yield _case(f'{entry}, URL', command, file, f'{address}/{file}', wrong)
        for entry, command in WORK_DIR.items():
            yield HostileCase(f'{entry}: {file}', command, setup=partial(_put_in_work_dir, file), either=True)
    for file in ('zip.pth', 'legacy.pth', 'script_with_pickle.pth', 'tar.pth'):
        for source, name in CACHE.items():
            for entry in ('test', 'train, load_from', 'train, S starts from', 'mix, --pretrained', 'load_checkpoint'):
                command = {**WITH_CONFIG, **WEIGHTS}[entry]
                case = _case(f'{entry}, {source.partition(":")[0]} in the cache', command, file, source, 'weights')
                case.setup, case.texts = partial(_put_in_cache, file, name), ()
                yield case
    for entry, command in {**WITH_CONFIG, **ALONE}.items():
        url = f'{address}/config-0123abcd.pth'
        yield HostileCase(f'{entry}: a hash that differs', command.format(url), ('invalid hash', 'config-0123abcd'))
    yield from _other_files()


def _applies(entry: str, file: str, wrong: str) -> bool:
    if wrong == 'data':
        return entry in ('test alone', 'train its config')
    if wrong == 'weights':
        return file.endswith('.pth') or entry not in ALONE or entry == 'train, --resume'
    if entry == 'MMSegInferencer':
        return wrong == 'config'  # it has no network of two networks
    return entry not in WEIGHTS and not (entry.startswith('webui') and (entry in WITH_CONFIG or wrong == 'nothing'))


def _case(entry: str, command: str, file: str, source: str, wrong: str) -> HostileCase:
    name = entry.removesuffix(', URL')
    must_work = wrong == 'nothing' or (wrong == 'config' and name in WITH_CONFIG)
    check: Callable | None = (lambda output: None) if must_work else None
    zoo = {'zoo.py': f"_base_ = 'fcn.py'\nload_from = '{source}'\n"} if '--pretrained' in command else {}
    # the page takes a file of another suffix for a second run
    is_named = wrong != 'data' and (file.endswith('.pth') or not entry.startswith('webui'))
    texts = (Path(file).stem,) if is_named and not must_work else ()
    return HostileCase(f'{entry}: {file}', command.format(source), texts, check, zoo)


def _put_in_work_dir(file: str) -> None:
    shutil.copytree('runs/seg', 'runs/bad')
    shutil.copy(f'hostile/{file}', 'runs/bad/epoch_1.pth')


def _put_in_cache(file: str, name: str) -> None:
    Path('torch_home/hub/checkpoints').mkdir(parents=True)
    shutil.copy(f'hostile/{file}', f'torch_home/hub/checkpoints/{name}')


def _other_files() -> Iterator[HostileCase]:
    """Yield configs in YAML, and data in pickles and .mat files."""
    tags = {
        'apply': f'!!python/object/apply:os.system [{COMMAND!r}]',
        'exec': f'!!python/object/apply:exec [{CODE!r}]',
        'new': f'!!python/object/new:os.system [{COMMAND!r}]',
        'name': '!!python/name:os.system',
        'module': '!!python/module:os',
    }
    for name, tag in tags.items():
        files = {'x.yaml': f'more: {tag}\n', 'x.py': "_base_ = ['x.yaml', 'seg.py']\n"}
        for command in (
            'train x.py --work-dir new',
            'test x.py runs/seg/epoch_1.pth',
            'export x.py runs/seg/epoch_1.pth o.onnx',
        ):
            yield HostileCase(f'YAML, {command.split()[0]}: {name}', command, ('x.py', 'YAML'), files=files)
        yield HostileCase(f'YAML alone, train: {name}', 'train x.yaml --work-dir new', ('x.yaml',), files=files)
    pickled = 'train_dataloader.dataset.type=mmengine.BaseDataset train_dataloader.dataset.ann_file=hostile/results.pkl'
    yield HostileCase('annotations: results.pkl', f'train seg.py --work-dir new --cfg-options {pickled}')
    proposals = 'train_dataloader.dataset.proposal_file={}/hostile/results.pkl'
    yield HostileCase(
        'proposals: results.pkl',
        f'train det.py --work-dir new --cfg-options {proposals.format("../..")}',
    )
    yield HostileCase(
        'labels of cars: matlab.mat', 'dataset_converters/stanford_cars hostile/matlab.mat cars_annos.mat --out out',
        ('cars_annos.mat',), setup=lambda: shutil.copy('hostile/matlab.mat', 'cars_annos.mat'),
    )  # fmt: skip
