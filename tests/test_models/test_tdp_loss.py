import pytest
import torch

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import TDPLoss

LAYERS = {'seg': {'C5': 1.0}, 'det': {'0': 0.5, '1': 0.5}, 'cls': {'l4': 1.0}}  # the protocol: of the paper's nets


def features(npz, task: str, image: str, grad: bool = False) -> dict[str, torch.Tensor]:
    """All features that T gives, also those without a weight."""
    prefix = f'{task}_{image}_'
    names = [name for name in npz.files if name.startswith(prefix)]
    return {name.removeprefix(prefix): torch.from_numpy(npz[name]).requires_grad_(grad) for name in names}


@pytest.mark.parametrize('task', LAYERS)
def test_value_and_gradient_are_those_of_the_paper_code(fixture, task):
    npz = fixture('tdp_losses')
    sr, hr = features(npz, task, 'sr', grad=True), features(npz, task, 'hr', grad=True)
    loss = TDPLoss(LAYERS[task])(sr, hr)
    loss.backward()
    torch.testing.assert_close(loss.detach(), torch.tensor(npz[f'{task}_loss']), rtol=1e-6, atol=0)
    for name, feature in sr.items():
        if name in LAYERS[task]:
            torch.testing.assert_close(feature.grad, torch.from_numpy(npz[f'{task}_grad_{name}']), rtol=1e-6, atol=0)
        else:
            assert feature.grad is None
    assert all(feature.grad is None for feature in hr.values())


def pair() -> tuple[dict, dict]:
    return tuple(dict(a=torch.randn(2, 4, 5, 5), b=torch.randn(2, 3)) for _ in range(2))


@pytest.mark.parametrize('criterion, power', [('l1', 1), ('l2', 2)])
@pytest.mark.parametrize('relative', [True, False])
def test_scale_of_the_features(criterion, power, relative):
    sr, hr = pair()
    loss = TDPLoss(dict(a=0.7, b=0.3), criterion=criterion, relative=relative)
    scaled = loss(*({name: 30 * value for name, value in feats.items()} for feats in (sr, hr)))
    assert scaled.item() == pytest.approx(loss(sr, hr).item() * (1 if relative else 30**power), rel=1e-5)


def test_relative_loss_is_the_share_of_the_feature():
    hr = dict(a=torch.tensor([[4.0, -4.0]]))
    sr = dict(a=torch.tensor([[5.0, -4.0]], requires_grad=True))
    loss = TDPLoss(dict(a=2.0), relative=True)(sr, hr)
    assert loss.item() == pytest.approx(2 * 0.5 / 4)
    loss.backward()
    assert sr['a'].grad.tolist() == [[2 * 0.5 / 4, 0]]


@pytest.mark.parametrize('criterion, power', [('l1', 1), ('l2', 2)])
@pytest.mark.parametrize('size', [1e-3, 1e-6, 1e-9, 1e-18, 1e-30, 1e18])
def test_the_relative_loss_keeps_its_scale_for_features_of_any_size(criterion, power, size):
    hr = dict(a=torch.tensor([[4.0, -4.0]]) * size)
    sr = dict(a=(torch.tensor([[5.0, -4.0]]) * size).requires_grad_())
    loss = TDPLoss(dict(a=1.0), criterion=criterion, relative=True)(sr, hr)
    assert loss.item() == pytest.approx(0.5 / 4**power, rel=1e-5)
    loss.backward()
    gradient = 0.5 * power / 4**power / size
    assert sr['a'].grad.tolist() == [[pytest.approx(gradient, rel=1e-5), 0]]


@pytest.mark.parametrize('criterion', ['l1', 'l2'])
def test_relative_loss_of_half_precision(criterion):
    hr, sr = (torch.tensor([[x, -4.0]]) for x in (4.0, 5.0))
    loss = TDPLoss(dict(a=1.0), criterion=criterion, relative=True)
    half = loss(dict(a=(sr * 1e-4).half()), dict(a=(hr * 1e-4).half()))
    assert half.item() == pytest.approx(loss(dict(a=sr), dict(a=hr)).item(), rel=5e-2)


@pytest.mark.parametrize('criterion, distance', [('l1', 0.01), ('l2', 0.0001)])
def test_relative_loss_of_a_dead_feature_is_the_distance(criterion, distance):
    """It was 1e9 times the distance."""
    zero, sr = dict(a=torch.zeros(1, 2)), dict(a=torch.full((1, 2), 0.01, requires_grad=True))
    loss = TDPLoss(dict(a=1.0), criterion=criterion, relative=True)
    assert loss(zero, zero).item() == 0
    value = loss(sr, zero)
    value.backward()
    assert value.item() == pytest.approx(distance) and sr['a'].grad.isfinite().all()


def test_a_feature_that_is_not_finite_shows():
    broken = dict(a=torch.tensor([[1.0, float('nan')]]))
    for criterion in ('l1', 'l2'):
        loss = TDPLoss(dict(a=1.0), criterion=criterion, relative=True)
        assert loss(dict(a=torch.ones(1, 2)), broken).isnan()


@pytest.mark.parametrize('sr, hr', [((5, 256, 7, 7), (1, 256, 7, 7)), ((1, 3), (2, 3)), ((2, 3, 4), (2, 3, 5))])
def test_features_of_different_shapes(sr, hr):
    """Some of them broadcast, which PyTorch only warns about."""
    shapes = ' and '.join(' x '.join(map(str, shape)) for shape in (sr, hr))
    with pytest.raises(SR4IRError, match=f"TDP layer 'a' has features of two shapes, {shapes}, for the SR and the HR"):
        TDPLoss(dict(a=1.0))(dict(a=torch.rand(sr)), dict(a=torch.rand(hr)))


def test_loss_weight():
    sr, hr = pair()
    layers = dict(a=1.0, b=0.5)
    assert TDPLoss(layers, loss_weight=0.25)(sr, hr).item() == pytest.approx(TDPLoss(layers)(sr, hr).item() / 4)


def test_unknown_criterion():
    with pytest.raises(SR4IRError, match="unknown criterion 'cosine'; choose one of l1, l2"):
        TDPLoss(dict(a=1.0), criterion='cosine')
