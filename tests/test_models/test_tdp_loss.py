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


def test_relative_loss_of_a_dead_feature_is_finite():
    zero = dict(a=torch.zeros(1, 2))
    assert TDPLoss(dict(a=1.0), relative=True)(zero, zero).item() == 0


def test_loss_weight():
    sr, hr = pair()
    layers = dict(a=1.0, b=0.5)
    assert TDPLoss(layers, loss_weight=0.25)(sr, hr).item() == pytest.approx(TDPLoss(layers)(sr, hr).item() / 4)


def test_unknown_criterion():
    with pytest.raises(SR4IRError, match="unknown criterion 'cosine'; choose one of l1, l2"):
        TDPLoss(dict(a=1.0), criterion='cosine')
