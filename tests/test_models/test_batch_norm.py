import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, toy_batch
from helpers.zoo import changed, make_voc, run_tool, state, tiny_config, wrappers_for
from torch import nn
from torch.utils.checkpoint import checkpoint

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR
from sr4ir_mm.models.batch_norm import (
    batch_norms,
    counted,
    explain_single_values,
    kept_statistics,
    running_statistics,
)


@pytest.mark.parametrize('norm, shape', [(nn.BatchNorm1d(4), (1, 4)), (nn.BatchNorm2d(4), (1, 4, 1, 1))])
def test_one_value_per_channel(norm, shape):
    with explain_single_values():
        norm(torch.zeros(2, *shape[1:]))
        norm.eval()(torch.zeros(shape))
    with (
        pytest.raises(
            SR4IRError, match=r'only one image.*batch_size to 2 or more, and train_dataloader\.drop_last=True'
        ),
        explain_single_values(),
    ):
        norm.train()(torch.zeros(shape))


def test_other_errors_stay():
    with pytest.raises(ValueError, match='other'), explain_single_values():
        raise ValueError('other')


def test_the_last_batch_of_a_training(tmp_path, capfd):
    """Three images in batches of two; the advice helps."""
    make_voc(tmp_path / 'voc', sizes=((32, 32),) * 3)  # one pixel of the last features
    no_val = {'val_dataloader': None, 'val_cfg': None, 'val_evaluator': None}
    tiny_config(tmp_path, **{'train_cfg.max_epochs': 1, 'model.task.data_preprocessor.size': (32, 32), **no_val})
    assert run_tool('train', 'tiny.py', cwd=tmp_path) == 2
    assert 'error: A batch has only one image' in capfd.readouterr().err
    options = ['--cfg-options', 'train_dataloader.drop_last=True', 'experiment_name=again', 'visualizer.name=again']
    assert run_tool('train', 'tiny.py', *options, cwd=tmp_path) == 0


class Frozen(nn.BatchNorm2d):
    """As the norms of frozen stages and with ``norm_eval``."""

    def train(self, mode: bool = True):
        return super().train(False)


def layers() -> nn.Module:
    return nn.ModuleDict(
        dict(
            one=nn.BatchNorm1d(4), two=nn.BatchNorm2d(4), three=nn.BatchNorm3d(4), synchronized=nn.SyncBatchNorm(4),
            affine=nn.BatchNorm2d(4).requires_grad_(False), cumulative=nn.BatchNorm2d(4, momentum=None),
            bare=nn.BatchNorm2d(4, affine=False), frozen=Frozen(4), group=nn.GroupNorm(2, 4), layer=nn.LayerNorm(4),
            instance=nn.InstanceNorm2d(4), untracked=nn.BatchNorm2d(4, track_running_stats=False),
        )
    )  # fmt: skip


CHANGED = ['one', 'two', 'three', 'synchronized', 'affine', 'cumulative', 'bare']


def batches(name: str, count: int = 3) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    sides = dict(one=(), three=(3, 2, 2)).get(name, (3, 5))
    return [torch.randn(2, 4, *sides, generator=rng) * (i + 1) + i for i in range(count)]


def test_layers_whose_statistics_a_training_changes():
    assert list(batch_norms(layers().train())) == CHANGED
    assert batch_norms(layers().eval()) == {}
    assert 'frozen' not in batch_norms(nn.ModuleDict(dict(net=layers())).train())


@pytest.mark.parametrize('name', CHANGED)
def test_statistics_are_those_of_all_images_together(name):
    net = layers().train()
    norm, images = net[name], batches(name)
    before = state(norm)
    with torch.no_grad(), counted(batch_norms(net)) as moments:
        outputs = [norm(batch) for batch in images]
    found, every = running_statistics(moments), torch.cat(images).transpose(0, 1).flatten(1)
    torch.testing.assert_close(found, {f'{name}.running_mean': every.mean(1), f'{name}.running_var': every.var(1)})
    assert not changed(norm, before) and norm.training and norm.momentum == (None if name == 'cumulative' else 0.1)
    assert not norm._forward_hooks and 'forward' not in vars(norm)
    if name != 'synchronized':  # which needs a GPU
        assert all(
            torch.equal(norm(batch), output) for batch, output in zip(images, outputs)
        )  # normalized by the batch


def test_images_of_different_sizes_count_alike():
    norm, images = nn.BatchNorm2d(1), [torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 8, 8), torch.ones(2, 1, 1, 1) * 2]
    with torch.no_grad(), counted({'': norm}) as moments:
        for image in images:
            norm(image)
        norm(torch.zeros(0, 1, 1, 1))  # e.g. no boxes
    found = running_statistics(moments)
    assert found['.running_mean'].item() == pytest.approx((0 + 1 + 2 + 2) / 4)
    values = 4 + 64 + 2
    assert found['.running_var'].item() == pytest.approx((1.25**2 + 0.25**2 + 2 * 0.75**2) / 4 * values / (values - 1))


@pytest.mark.parametrize('name', [name for name in CHANGED if name != 'synchronized'])
def test_a_batch_that_is_not_counted(name):
    net = layers().train()
    norm, image = net[name], batches(name)[0]
    norm(image)
    before, frozen = state(norm), state(net['frozen'])
    with kept_statistics(net):
        output = norm(image)
        net['frozen'](torch.ones(2, 4, 2, 2))
    assert not changed(norm, before) and not changed(net['frozen'], frozen)
    assert torch.equal(output, norm(image)) and 'num_batches_tracked' in changed(norm, before)
    assert norm.track_running_stats and norm.momentum == (None if name == 'cumulative' else 0.1)
    assert not net['untracked'].track_running_stats


SCHEMES_OF_ONE_KIND = ['H->T', 'L->T', 'S->T', 'T->S', 'S+T']


def train(scheme, net=ToyClassifier, steps: int = 2, **options) -> SR4IR:
    torch.manual_seed(0)
    model = SR4IR(dict(EDSR), net(), scale=4, scheme=scheme, cqmix=dict(grid=4), **options).train()
    wrappers = wrappers_for(model)
    for seed in range(steps):
        model.train_step(toy_batch(seed=seed), wrappers)
    return model


@pytest.mark.parametrize('scheme', SCHEMES_OF_ONE_KIND)
def test_one_kind_of_images_trains_as_without(scheme):
    models = [train(scheme, statistics_from=name) for name in ('all', 'test_input')]
    assert not changed(models[0], state(models[1]))


def test_only_sr_images_count():
    seen = []

    class Watched(ToyClassifier):
        def forward(self, inputs, data_samples=None, mode='tensor'):
            if mode == 'loss':
                seen.append(self.backbone[0](inputs).detach())
            return super().forward(inputs, data_samples, mode)

    model = train('SR4IR', Watched, steps=1, statistics_from='test_input')
    norm, sr = model.task.backbone[1], seen[0].transpose(0, 1).flatten(1)
    assert len(seen) == 3 and norm.num_batches_tracked == 1
    torch.testing.assert_close(norm.running_mean, 0.1 * sr.mean(1))
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * sr.var(1))
    blend = train('SR4IR', steps=1)
    differing = changed(blend, state(model))
    assert differing and all('running' in name or 'batches' in name for name in differing)  # learns the same


class Saving(ToyClassifier):
    """A network whose backbone keeps only its input."""

    class Backbone(nn.Sequential):
        def forward(self, x):
            return checkpoint(super().forward, x, use_reentrant=False)

    def __init__(self) -> None:
        super().__init__()
        self.backbone = self.Backbone(*self.backbone)


def test_blocks_that_run_again_in_the_backward_pass():
    """As in a bare network, they count twice, and only SR images do."""
    for name, counts in (('all', 6), ('test_input', 2)):
        assert train('SR4IR', Saving, steps=1, statistics_from=name).task.backbone[1].num_batches_tracked == counts


def test_images_that_never_come_are_refused():
    scheme = dict(phases=[dict(learn=('task',), task=dict(hr=0.5, mix=0.5))], test_input='sr')
    with pytest.raises(SR4IRError, match="counts 'sr' images, which the task network never receives while it learns"):
        train(scheme, statistics_from='test_input')
    with pytest.raises(SR4IRError, match="statistics_from='sr' must be 'all' or 'test_input'"):
        train('SR4IR', statistics_from='sr')
