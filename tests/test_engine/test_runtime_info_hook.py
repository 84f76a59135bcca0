import pytest
import torch
from helpers.toy import EDSR, ToyClassifier, ToyDataset, toy_batch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch import nn

from sr4ir_mm.errors import SR4IRError
from sr4ir_mm.models import SR4IR


class Scripted(BaseModel):
    """A model whose losses are given."""

    def __init__(self, losses: list[dict]) -> None:
        super().__init__()
        self.weight, self.losses, self.validations = nn.Parameter(torch.zeros(())), iter(losses), 0

    def forward(self, *args, **kwargs):
        raise NotImplementedError

    def train_step(self, data, optim_wrapper):
        optim_wrapper.update_params(self.weight * 1.0)
        return {name: torch.as_tensor(value) for name, value in next(self.losses).items()}

    def val_step(self, data):
        self.validations += 1
        return [BaseDataElement()]


@pytest.fixture
def runner(tmp_path, monkeypatch):
    monkeypatch.setattr(Runner, '_log_env', lambda *args: None)  # which calls compilers

    def runner(model, hook='sr4ir_mm.DeferredRuntimeInfoHook', iters=5, max_epochs=2, interval=3, **kwargs) -> Runner:
        """Epochs of so many iterations; ``max_epochs=0`` counts iterations only."""
        options = dict(
            train_dataloader=dict(
                batch_size=1, num_workers=0, dataset=ToyDataset(toy_batch(iters)), sampler=dict(type='DefaultSampler')
            ),
            train_cfg=dict(max_epochs=max_epochs) if max_epochs else dict(max_iters=iters),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
            default_hooks=dict(
                runtime_info=dict(type=hook), logger=dict(type='LoggerHook', interval=interval),
                param_scheduler=None, checkpoint=None,
            ),
            default_scope='mmengine', log_level='ERROR', log_processor=dict(by_epoch=bool(max_epochs)),
            experiment_name=f'{tmp_path.name}{hook}',
        )  # fmt: skip
        options['train_cfg']['by_epoch'] = bool(max_epochs)
        for key, value in kwargs.items():
            options[key] = value if key == 'optim_wrapper' else dict(options.get(key) or {}, **value)
        return Runner(model, str(tmp_path), **options)

    return runner


@pytest.mark.parametrize('iters, max_epochs', [(5, 2), (6, 1), (2, 3), (5, 0)])
def test_all_losses_reach_the_log_as_with_mmengine(runner, iters, max_epochs):
    n = iters * (max_epochs or 1)
    losses = [dict(loss=torch.rand(()), acc=i, **(dict(loss_tdp=0.1 * i) if i > 2 else {})) for i in range(n)]
    histories = []
    for hook in ('RuntimeInfoHook', 'sr4ir_mm.DeferredRuntimeInfoHook'):
        run = runner(Scripted(losses), hook, iters, max_epochs)
        run.train()
        scalars = run.message_hub.log_scalars
        histories.append({name: scalars[name].data[0].tolist() for name in scalars if 'time' not in name})
    assert histories[1] == histories[0]
    assert histories[1]['train/loss'] == [loss['loss'].item() for loss in losses]
    assert histories[1].keys() >= {'train/acc', 'train/loss_tdp', 'train/lr'} - ({'train/loss_tdp'} if n < 4 else set())


def test_no_synchronization_between_logs(runner, monkeypatch):
    """Reading a loss makes the CPU wait for the GPU; in training, only the logger may ask for it."""
    reads = []

    def watch(name: str) -> None:
        method = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, lambda *args: reads.append(name) or method(*args))

    model = SR4IR(dict(EDSR), ToyClassifier(), scale=4)
    part = dict(optimizer=dict(type='SGD', lr=0.01))
    wrappers = dict(constructor='sr4ir_mm.SR4IROptimWrapperConstructor', sr=part, task=part)
    hooks = dict(alternating=dict(type='sr4ir_mm.AlternatingUpdateHook'))
    run = runner(model, iters=10, max_epochs=1, interval=5, optim_wrapper=wrappers, default_hooks=hooks)
    after, reads_by_iteration = run.call_hook, {}

    def call_hook(name, **kwargs):
        after(name, **kwargs)
        if name == 'after_train_iter':
            reads_by_iteration[run.iter] = reads.copy()
            reads.clear()

    monkeypatch.setattr(run, 'call_hook', call_hook)
    for name in ('item', 'tolist', '__float__', 'cpu', 'numpy'):
        watch(name)
    run.train()
    del reads_by_iteration[0]  # with the start of the run
    assert [i for i, names in reads_by_iteration.items() if names] == [4, 9]
    assert reads_by_iteration[4] == ['tolist']


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
@pytest.mark.parametrize(
    'at, max_epochs, checkpoint, kept',
    [
        (7, 3, dict(interval=1), ['epoch_1.pth']),  # found at the end of epoch 2
        (5, 0, dict(interval=2, by_epoch=False), ['iter_2.pth', 'iter_4.pth']),  # found before iter_6 is written
        (5, 0, dict(interval=2, by_epoch=False, max_keep_ckpts=1), ['iter_4.pth']),  # and iter_4 deleted
        (7, 0, dict(interval=2, by_epoch=False, max_keep_ckpts=1, save_begin=1), ['iter_5.pth']),
        (2, 3, dict(interval=1), []),
        (8, 2, dict(interval=1), ['epoch_1.pth']),  # the last iteration of all
    ],
)
def test_bad_loss_stops_before_the_next_checkpoint(runner, tmp_path, at, max_epochs, checkpoint, kept, bad):
    losses = [{'sr.loss_pix': 1.0, 'sr.loss_tdp': bad if i + 1 >= at else 1.0} for i in range(20)]
    hooks = dict(checkpoint=dict(type='CheckpointHook', **checkpoint))
    iters = 4 if max_epochs else 8
    with pytest.raises(SR4IRError) as error:
        runner(Scripted(losses), iters=iters, max_epochs=max_epochs, interval=100, default_hooks=hooks).train()
    message = str(error.value)
    assert message.startswith(f"loss 'sr.loss_tdp' is {bad} at iteration {at}: training stopped.")
    assert 'Lower the learning rate, clip gradients' in message
    assert sorted(path.name for path in tmp_path.rglob('*.pth')) == kept
    last = f'The last good checkpoint is {tmp_path / kept[-1]}.' if kept else 'No checkpoint had been saved yet.'
    assert message.endswith(last)


def test_found_at_the_next_log(runner):
    losses = [dict(loss=float('nan') if i == 3 else 1.0) for i in range(20)]
    run = runner(Scripted(losses), iters=20, max_epochs=1, interval=3)
    with pytest.raises(SR4IRError, match="loss 'loss' is nan at iteration 4"):
        run.train()
    assert run.iter == 5  # the sixth iteration, where the logger is due
    assert run.message_hub.get_scalar('train/loss').data[0].tolist() == [1.0] * 3


def test_found_at_the_end_of_a_run(runner):
    """The last iteration may be without a log, the end of an epoch and a checkpoint."""
    losses = [dict(loss=1.0)] * 4 + [dict(loss=float('nan'))]
    longer = dict(dataset=ToyDataset(toy_batch(7)))
    with pytest.raises(SR4IRError, match='at iteration 5'):
        runner(Scripted(losses), iters=5, max_epochs=0, train_dataloader=longer).train()


def test_found_before_a_validation(runner, tmp_path):
    """Its best checkpoint would replace a good one."""
    val = dict(
        val_cfg={}, train_cfg=dict(val_interval=2),
        val_dataloader=dict(batch_size=1, dataset=ToyDataset(toy_batch(1)), sampler=dict(type='DefaultSampler')),
        val_evaluator=dict(type='DumpResults', out_file_path=str(tmp_path / 'results.pkl')),
    )  # fmt: skip
    losses = [dict(loss=float('nan') if i == 4 else 1.0) for i in range(8)]
    run = runner(Scripted(losses), iters=8, max_epochs=0, interval=100, **val)
    run.val()  # on its own: without losses
    with pytest.raises(SR4IRError, match='at iteration 5'):
        run.train()
    assert run.model.validations == 1 + 2


def test_losses_of_a_run_are_in_its_checkpoint(runner, tmp_path):
    """A resumed run logs their mean."""
    hooks = dict(checkpoint=dict(type='CheckpointHook', interval=2, by_epoch=False))
    runner(Scripted([dict(loss=float(i)) for i in range(4)]), iters=4, max_epochs=0, default_hooks=hooks).train()
    saved = torch.load(tmp_path / 'iter_2.pth')['message_hub']['log_scalars']['train/loss']
    assert saved.data[0].tolist() == [0.0, 1.0]


def test_only_losses_must_be_finite(runner):
    run = runner(Scripted([dict(loss=1.0, ratio=float('nan'))] * 3), iters=3, max_epochs=1)
    run.train()
    assert run.message_hub.get_scalar('train/loss').data[0].tolist() == [1.0] * 3
