"""A member trained among others is the member trained alone, in float64 to 1e-9."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from semikd import nets
from semikd._progress import Step

TOLERANCE = 1e-9
# Lengths that differ, so that batches are padded and epochs end at different steps.
LENGTHS = (60, 47, 31, 58, 40)


@pytest.fixture(scope="module")
def table():
    draws = np.random.default_rng(0)
    x = torch.from_numpy(draws.normal(size=(80, 3)))
    # Targets and weights of each member.
    y = torch.from_numpy(draws.normal(size=(len(LENGTHS), 80, 2)))
    weight = torch.from_numpy(draws.uniform(0.2, 2.0, size=(len(LENGTHS), 80)))
    return x, y, weight


def objective(y, weight, first=0):
    """Weighted squares, with targets and weights of each member's own."""

    def losses(f, batch):
        at = (batch.members + first)[:, None], batch.rows
        return weight[at] * ((f - y[at]) ** 2).mean(dim=2)

    return losses


def plain():
    return nets.mlp(3, (8,), 2, dtype=torch.float64)


def thinned():
    return nets.mlp(3, (8,), 2, dropout=0.4, dtype=torch.float64)


def normed():
    block = nn.Sequential(
        nn.Linear(8, 8), nn.LayerNorm(8), nn.ReLU(), nets.Dropout(0.2)
    )
    layers = nn.Linear(3, 8), nn.SiLU(), nets.Residual(block), nn.Linear(8, 2)
    return nn.Sequential(*layers).double()


class Foreign(nn.Module):
    """What no rule knows, so that ``torch.vmap`` runs it."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 8), nn.Linear(8, 2)
        self.scale = nn.Parameter(torch.ones(8))

    def forward(self, x):
        return self.last(torch.tanh(self.first(x)) * self.scale)


class BatchNormed(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Linear(3, 8), nn.BatchNorm1d(8)
        self.last = nn.Linear(8, 2)

    def forward(self, x):
        return self.last(torch.relu(self.norm(self.first(x))))


class Branching(Foreign):
    """Python that depends on values cannot be run for many members at once."""

    def forward(self, x):
        out = super().forward(x)
        return out if out.sum() > 0 else 1.5 * out


class Centring(Foreign):
    """Subtracts the mean of the batch, so that each row's score depends on all."""

    def forward(self, x):
        return super().forward(x - x.mean(dim=0))


class Drawing(Foreign):
    """Dropout as a function, which draws from torch's global generator."""

    def forward(self, x):
        hidden = torch.tanh(self.first(x)) * self.scale
        return self.last(nn.functional.dropout(hidden, 0.3, self.training))


FACTORIES = {
    "plain": (plain, "native"),
    "thinned": (thinned, "native"),
    "normed": (normed, "native"),
    "foreign": (lambda: Foreign().double(), "vmap"),
    "batch norm": (lambda: BatchNormed().double(), "vmap"),
    "centring": (lambda: Centring().double(), "vmap"),
    "branching": (lambda: Branching().double(), "one by one"),
    "drawing": (lambda: Drawing().double(), "one by one"),
}


def members(build, lengths=LENGTHS, *, watched=False, **settings):
    """Members that differ in whatever they can differ in."""
    own = []
    for m, length in enumerate(lengths):
        order = torch.from_numpy(np.random.default_rng(m).permutation(80))
        own.append(
            nets.Member(
                nets.seeded(build, m),
                training=order[:length],
                validation=order[60 : 70 + m] if watched else None,
                **{
                    "seed": m,
                    "learning_rate": 0.004 * (m + 1),
                    "weight_decay": 0.02 * m,
                    "max_epochs": 13 + 2 * m,
                    **settings,
                },
            )
        )
    return own


def fitted_both_ways(own, table, options):
    """Return the members trained at once, and each of them trained by itself."""
    x, y, weight = table
    together = nets.train(own, x, objective(y, weight), options=options)
    alone = [
        nets.train([member], x, objective(y, weight, m), options=options)[0]
        for m, member in enumerate(own)
    ]
    return together, alone


def largest_difference(together, alone):
    return max(
        (left - right).abs().max().item()
        for one, other in zip(together, alone, strict=True)
        for left, right in zip(
            one.module.state_dict().values(),
            other.module.state_dict().values(),
            strict=True,
        )
    )


OPTIONS = nets.TrainingOptions(batch_size=15)


@pytest.mark.parametrize("name", list(FACTORIES))
def test_a_member_of_a_batch_is_the_member_alone(table, name):
    build, mode = FACTORIES[name]
    own = members(build)
    together, alone = fitted_both_ways(own, table, OPTIONS)
    assert {one.mode for one in together} == {mode}
    assert largest_difference(together, alone) < TOLERANCE
    for one, other, member in zip(together, alone, own, strict=True):
        assert len(one.history) == len(other.history) == member.max_epochs
        np.testing.assert_allclose(
            [epoch.train_loss for epoch in one.history],
            [epoch.train_loss for epoch in other.history],
            rtol=0,
            atol=TOLERANCE,
        )
    # The members went somewhere, and not to the same place.
    assert largest_difference(together[:1], together[1:2]) > 0.01


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
@pytest.mark.parametrize("schedule", ["constant", "cosine", "warm_cosine", "steps"])
def test_so_it_is_for_every_optimizer_and_schedule(table, optimizer, schedule):
    options = replace(OPTIONS, optimizer=optimizer, schedule=schedule, clip_norm=0.5)
    together, alone = fitted_both_ways(members(thinned), table, options)
    assert largest_difference(together, alone) < TOLERANCE


def test_so_it_is_with_early_stopping(table):
    own = members(thinned, watched=True, max_epochs=60)
    together, alone = fitted_both_ways(own, table, replace(OPTIONS, patience=4))
    lengths = [len(one.history) for one in together]
    assert lengths == [len(one.history) for one in alone]
    assert len(set(lengths)) > 2
    assert min(lengths) < 60
    assert largest_difference(together, alone) < TOLERANCE


def test_so_it_is_for_augmented_rows(table):
    def blurred(x, generator):
        return x + 0.1 * torch.randn(x.shape, generator=generator, dtype=x.dtype)

    options = replace(OPTIONS, augment=blurred)
    together, alone = fitted_both_ways(members(thinned), table, options)
    assert largest_difference(together, alone) < TOLERANCE
    still = fitted_both_ways(members(thinned), table, OPTIONS)[0]
    assert largest_difference(together, still) > 0.01


def test_members_that_share_rows_and_seed_read_them_once_and_are_as_alone(table):
    x, y, weight = table
    rows = torch.arange(50)
    own = [replace(m, training=rows, seed=7) for m in members(thinned)]
    shapes = set()

    def noting(f, batch):
        shapes.add((len(batch.inputs), len(batch.rows), len(f)))
        return objective(y, weight)(f, batch)

    together = nets.train(own, x, noting, options=OPTIONS)
    assert (1, 1, 5) in shapes
    assert all(read == told == 1 for read, told, _ in shapes)
    alone = fitted_both_ways(own, table, OPTIONS)[1]
    assert largest_difference(together, alone) < TOLERANCE


def test_a_generator_that_members_share_would_be_seen(table):
    # The control: with one generator for all, noise depends on who else is there.
    x, y, weight = table
    own = members(thinned)

    class OneGenerator(nets.fleet.Loop):
        def __init__(self, *args):
            super().__init__(*args)
            self.noise = [self.noise[0]] * len(self.noise)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nets.fleet, "Loop", OneGenerator)
        together = nets.train(own, x, objective(y, weight), options=OPTIONS)
    alone = fitted_both_ways(own, table, OPTIONS)[1]
    assert largest_difference(together, alone) > 1e-3


def test_padding_that_counts_would_be_seen(table):
    x, y, weight = table
    own = members(plain)

    def counted_padding(*args):
        segment = nets.batches.next_segment(*args)
        share = torch.full_like(segment.share, 1.0 / segment.share.shape[-1])
        return replace(segment, share=share)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nets.loop, "next_segment", counted_padding)
        together = nets.train(own, x, objective(y, weight), options=OPTIONS)
    alone = fitted_both_ways(own, table, OPTIONS)[1]
    assert largest_difference(together, alone) > 1e-3


def test_chunks_of_members_are_trained_alike(table):
    x, y, weight = table
    own = members(thinned, watched=True)
    whole, parts = (
        nets.train(
            own, x, objective(y, weight), options=replace(OPTIONS, max_members=most)
        )
        for most in (None, 2)
    )
    assert largest_difference(whole, parts) < TOLERANCE


def test_different_architectures_are_trained_in_one_call(table):
    x, y, weight = table
    kinds = [plain, thinned, plain, lambda: Foreign().double(), normed]
    own = [
        replace(m, module=nets.seeded(b, 0))
        for m, b in zip(members(plain), kinds, strict=True)
    ]
    steps = []
    together = nets.train(
        own, x, objective(y, weight), options=OPTIONS, progress=steps.append
    )
    assert largest_difference(together, fitted_both_ways(own, table, OPTIONS)[1]) < (
        TOLERANCE
    )
    assert [one.mode for one in together] == ["native"] * 3 + ["vmap", "native"]
    assert steps[0] == Step("epoch", "epoch 2, 2 networks, part 1 of 4", 1, 21)


class Scaled(Foreign):
    def __init__(self, act):
        super().__init__()
        self.act = act

    def forward(self, x):
        return self.act(super().forward(x))


@pytest.mark.parametrize(
    ("build", "settings"),
    [
        (nets.Dropout, (0.1, 0.6)),
        (nn.LeakyReLU, (0.1, 0.9)),
        (lambda eps: nn.LayerNorm(3, eps=eps), (1e-5, 1.0)),
        (lambda c: Scaled(lambda f: c * f), (1.0, 2.0)),
        (lambda c: Scaled(partial(torch.mul, other=c)), (1.0, 2.0)),
    ],
    ids=["dropout", "slope", "eps", "closure", "partial"],
)
def test_settings_that_only_an_attribute_holds_tell_members_apart(
    table, build, settings
):
    own = []
    for member, setting in zip(members(plain)[:2], settings, strict=True):
        module = nets.seeded(
            lambda s=setting: nn.Sequential(build(s), nn.Linear(3, 2)), 0
        )
        if isinstance(module[0], Scaled):
            module = module[0]
        own.append(replace(member, module=module.double()))
    together, alone = fitted_both_ways(own, table, OPTIONS)
    assert largest_difference(together, alone) < TOLERANCE


def test_frozen_parameters_stay_and_tell_members_apart(table):
    own = members(plain)[:2]
    own[1].module[0].weight.requires_grad_(False)
    before = own[1].module[0].weight.clone()
    together, alone = fitted_both_ways(own, table, OPTIONS)
    assert largest_difference(together, alone) < TOLERANCE
    assert torch.equal(together[1].module[0].weight, before)
    assert not torch.equal(together[0].module[0].weight, own[0].module[0].weight)


def test_in_single_precision_final_losses_agree_over_seeds(table):
    x, y, weight = (values.float() for values in table)
    build = lambda: nets.mlp(3, (16,), 2, dropout=0.1)  # noqa: E731
    rows = torch.arange(80)
    settings = {"max_epochs": 30, "learning_rate": 0.01}
    own = [
        nets.Member(nets.seeded(build, s), rows, seed=s, **settings) for s in range(5)
    ]
    loss = objective(y[:1].expand(5, -1, -1), weight[:1].expand(5, -1))
    together = nets.train(own, x, loss, options=OPTIONS)
    final = [one.history[-1].train_loss for one in together]
    alone = [
        nets.train([member], x, loss, options=OPTIONS)[0].history[-1].train_loss
        for member in own
    ]
    # Each pair is one fit up to rounding: far closer than two seeds are.
    np.testing.assert_allclose(final, alone, rtol=1e-3)
    assert np.std(alone) > 10 * np.abs(np.subtract(final, alone)).max()


@pytest.mark.parametrize("bad", range(3))
def test_a_loss_that_is_not_finite_names_the_member_and_the_epoch(table, bad):
    x, y, weight = table
    seen = []

    def losses(f, batch):
        seen.append(len(batch.rows))
        out = objective(y, weight)(f, batch)
        spoiled = (batch.members == bad) & (len(seen) > 8)
        return torch.where(spoiled[:, None], torch.nan, out)

    own = members(plain, lengths=(60, 60, 60))
    with pytest.raises(ValueError, match=rf"got nan in epoch 3 of member {bad}\. Low"):
        nets.train(own, x, losses, options=OPTIONS)


def test_rows_beyond_a_members_own_are_never_read(table):
    x, y, weight = table
    own = members(plain, watched=True)
    used = [torch.cat([member.training, member.validation]) for member in own]
    y = y.clone()
    for m, rows in enumerate(used):
        others = torch.ones(80, dtype=torch.bool)
        others[rows] = False
        y[m, others] = torch.nan
    found = nets.train(own, x, objective(y, weight), options=OPTIONS)
    assert all(np.isfinite(one.history[-1].validation_loss) for one in found)


def test_a_member_without_rows_is_refused(table):
    x, y, weight = table
    own = members(plain)
    own[3] = replace(own[3], training=torch.arange(0))
    with pytest.raises(ValueError, match="hold at least one row; got none in member 3"):
        nets.train(own, x, objective(y, weight), options=OPTIONS)
    assert nets.train([], x, objective(y, weight)) == []
