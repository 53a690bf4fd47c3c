"""Losses of hidden layers: against the formulas of the papers, written out in loops."""

import math

import numpy as np
import pytest
import torch

from semikd.features import (
    AttentionTransfer,
    ContrastiveRepresentation,
    FeatureLoss,
    Hint,
    RelationalAngle,
    RelationalDistance,
    SimilarityPreserving,
    get_features,
)
from semikd.nets import seeded

FAMILY = [
    AttentionTransfer(),
    ContrastiveRepresentation(dimension=4),
    Hint(),
    RelationalAngle(),
    RelationalDistance(),
    SimilarityPreserving(),
]
RELATIONS = [RelationalAngle(), RelationalDistance(), SimilarityPreserving()]
# The level of a contrast is held fixed in its gradient: that has a test of its own.
PLAIN = [loss for loss in FAMILY if loss.name != "contrastive"]
BY_NAME = pytest.mark.parametrize("loss", FAMILY, ids=lambda loss: loss.name)


def layers(loss, n=6, seed=0):
    """Return layers of a student and a teacher of other width, and connectors."""
    draws = np.random.default_rng(seed)
    pixels = (4, 3) if loss.reads_maps else ()
    s, t = (torch.from_numpy(draws.normal(size=(n, c, *pixels))) for c in (3, 5))
    own = seeded(lambda: loss.connectors(s.shape[1:], t.shape[1:]), seed)
    return s, t, {name: tensor.double() for name, tensor in own.items()}


def mean_of(loss, s, t, own, weight=None):
    weight = torch.ones(len(s), dtype=s.dtype) if weight is None else weight
    return float((weight * loss.value(s, t, weight, own)).sum() / weight.sum())


def huber(difference):
    size = abs(difference)
    return 0.5 * size**2 if size < 1 else size - 0.5


def distance(a, b):
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))


def test_every_loss_of_the_family_is_tested_and_has_a_name():
    assert {type(loss) for loss in FAMILY} == set(FeatureLoss.__subclasses__())
    for loss in FAMILY:
        assert get_features(loss.name)[0].name == loss.name
        assert get_features([loss.name, loss]) == (type(loss)(), loss)


@pytest.mark.parametrize("loss", PLAIN, ids=lambda loss: loss.name)
def test_gradients_are_those_of_differences(loss):
    s, t, own = layers(loss)
    weight = torch.from_numpy(np.random.default_rng(1).uniform(0.5, 2.0, size=len(s)))

    def total(s, *tensors):
        return loss.value(s, t, weight, dict(zip(own, tensors, strict=True)))

    inputs = [each.requires_grad_() for each in (s, *own.values())]
    assert torch.autograd.gradcheck(total, inputs)


def test_the_level_of_a_contrast_is_no_part_of_its_gradient():
    loss = ContrastiveRepresentation(dimension=4, temperature=0.5)
    s, t, own = layers(loss)
    s.requires_grad_()
    loss.value(s, t, torch.ones(len(s)).double(), own).sum().backward()
    level = contrast_level(s.detach(), t, own, 0.5)

    def held(s):
        return contrast_by_hand(s, t, own, 0.5, level).sum()

    assert torch.allclose(s.grad, torch.func.grad(held)(s.detach()))


@pytest.mark.parametrize(
    "loss",
    [AttentionTransfer(), Hint(), SimilarityPreserving()],
    ids=lambda loss: loss.name,
)
def test_a_row_of_weight_two_is_two_rows(loss):
    s, t, own = layers(loss)
    weight = torch.tensor([1.0, 2.0, 1.0, 3.0, 1.0, 1.0]).double()
    repeated = weight.long()
    s2, t2 = (x.repeat_interleave(repeated, dim=0) for x in (s, t))
    assert mean_of(loss, s, t, own, weight) == pytest.approx(
        mean_of(loss, s2, t2, own), rel=1e-12
    )


@BY_NAME
def test_weights_that_are_alike_change_nothing_but_similarities(loss):
    s, t, own = layers(loss)
    doubled = mean_of(loss, s, t, own, torch.full((len(s),), 2.0).double())
    factor = 2.0 if loss.name == "similarity" else 1.0
    assert mean_of(loss, s, t, own) == pytest.approx(factor * doubled, rel=1e-12)


def test_similarities_are_those_of_the_paper():
    loss = SimilarityPreserving()
    s, t, _ = layers(loss)
    b = len(s)

    def normalised(x):
        g = [[float(x[i] @ x[j]) for j in range(b)] for i in range(b)]
        return [[e / math.sqrt(sum(v**2 for v in row)) for e in row] for row in g]

    gs, gt = normalised(s), normalised(t)
    by_hand = sum((gs[i][j] - gt[i][j]) ** 2 for i in range(b) for j in range(b))
    assert mean_of(loss, s, t, {}) == pytest.approx(by_hand / b**2, rel=1e-12)


def test_distances_are_those_of_the_paper():
    loss = RelationalDistance()
    s, t, _ = layers(loss)
    s, t = 3.0 * s, t * torch.linspace(0.1, 9.0, len(t)).double()[:, None]
    pairs = [(i, j) for i in range(len(s)) for j in range(len(s)) if i != j]

    def relative(x):
        each = {
            pair: distance(x[pair[0]].tolist(), x[pair[1]].tolist()) for pair in pairs
        }
        mean = sum(each.values()) / len(pairs)
        return {pair: d / mean for pair, d in each.items()}

    ds, dt = relative(s), relative(t)
    by_hand = sum(huber(ds[pair] - dt[pair]) for pair in pairs) / len(pairs)
    assert max(abs(ds[pair] - dt[pair]) for pair in pairs) > 1.0
    assert mean_of(loss, s, t, {}) == pytest.approx(by_hand, rel=1e-12)


def test_angles_are_those_of_the_paper():
    loss = RelationalAngle()
    s, t, _ = layers(loss)
    n = range(len(s))
    triples = [(i, j, k) for i in n for j in n for k in n if len({i, j, k}) == 3]

    def cosine(x, i, j, k):
        one, two = x[i] - x[j], x[k] - x[j]
        return float(one @ two) / math.sqrt(float(one @ one) * float(two @ two))

    by_hand = sum(huber(cosine(s, *at) - cosine(t, *at)) for at in triples)
    found = mean_of(loss, s, t, {})
    assert found == pytest.approx(by_hand / len(triples), rel=1e-12)


def test_weighted_distances_are_means_over_weighted_pairs():
    loss = RelationalDistance()
    s, t, _ = layers(loss)
    w = torch.tensor([1.0, 2.0, 0.5, 3.0, 1.0, 1.0]).double()
    pairs = [(i, j) for i in range(len(s)) for j in range(len(s)) if i != j]
    mass = {(i, j): float(w[i] * w[j]) for i, j in pairs}
    ds, dt = (
        {(i, j): distance(x[i].tolist(), x[j].tolist()) for i, j in pairs}
        for x in (s, t)
    )
    ms, mt = (sum(mass[p] * d[p] for p in pairs) / sum(mass.values()) for d in (ds, dt))
    by_hand = sum(mass[p] * huber(ds[p] / ms - dt[p] / mt) for p in pairs)
    found = mean_of(loss, s, t, {}, w)
    assert found == pytest.approx(by_hand / sum(mass.values()), rel=1e-12)


def test_weighted_angles_are_means_over_weighted_triples():
    loss = RelationalAngle()
    s, t, _ = layers(loss, n=4)
    w = [1.0, 2.0, 0.5, 3.0]
    total = mass = 0.0
    for i in range(4):
        for j in range(4):
            for k in range(4):
                if len({i, j, k}) == 3:
                    cosines = []
                    for x in (s, t):
                        one, two = x[i] - x[j], x[k] - x[j]
                        lengths = float(one.norm() * two.norm())
                        cosines.append(float(one @ two) / lengths)
                    total += w[i] * w[j] * w[k] * huber(cosines[0] - cosines[1])
                    mass += w[i] * w[j] * w[k]
    found = mean_of(loss, s, t, {}, torch.tensor(w).double())
    assert found == pytest.approx(total / mass, rel=1e-12)


def test_angles_keep_their_digits_where_one_weight_is_large():
    loss = RelationalAngle()
    s, t, _ = layers(loss)
    w = torch.tensor([3e5, 1.0, 1.0, 2.0, 0.5, 1.0])
    exact = mean_of(loss, s, t, {}, w.double())
    assert mean_of(loss, s.float(), t.float(), {}, w) == pytest.approx(exact, rel=1e-5)


def test_rows_on_top_of_one_another_do_not_drive_angles_apart():
    loss = RelationalAngle()
    s, t, _ = layers(loss)

    def slope(gap):
        own = s.clone()
        own[1] = own[0] + gap
        own.requires_grad_()
        loss.value(own, t, torch.ones(len(s)).double(), {}).sum().backward()
        return float(own.grad.abs().max())

    # The gradient grows as one over the gap, until there is no direction any more.
    assert slope(1e-3) > 10.0
    assert slope(0.0) < 10.0
    assert slope(1e-9) < 10.0


def test_weights_of_mean_one_give_similarity_a_batch_of_the_rows():
    loss = SimilarityPreserving()
    s, t, _ = layers(loss)
    counts = torch.tensor([1, 2, 1, 3, 1, 1])
    each = torch.arange(len(s)).repeat_interleave(counts)
    copies = mean_of(loss, s[each], t[each], {}) * len(each) / len(s)
    weight = counts / counts.double().mean()
    assert mean_of(loss, s, t, {}, weight) == pytest.approx(copies, rel=1e-12)


def test_attention_is_that_of_the_paper():
    loss = AttentionTransfer()
    s, t, _ = layers(loss)

    def attention(maps):
        each = [
            sum(float(maps[c, h, w]) ** 2 for c in range(maps.shape[0]))
            for h in range(maps.shape[1])
            for w in range(maps.shape[2])
        ]
        length = math.sqrt(sum(q**2 for q in each))
        return [q / length for q in each]

    for row, found in enumerate(loss.value(s, t, torch.ones(len(s)), {})):
        one, two = attention(s[row]), attention(t[row])
        by_hand = sum((a - b) ** 2 for a, b in zip(one, two, strict=True)) / len(one)
        assert float(found) == pytest.approx(by_hand, rel=1e-12)


def test_a_hint_is_that_of_the_paper():
    loss = Hint()
    s, t, own = layers(loss)
    for row, found in enumerate(loss.value(s, t, torch.ones(len(s)), own)):
        total = 0.0
        for unit in range(5):
            foretold = float(own["bias"][unit])
            for j in range(3):
                foretold += float(s[row, j] * own["weight"][j, unit])
            total += (foretold - float(t[row, unit])) ** 2
        assert float(found) == pytest.approx(0.5 * total / 5, rel=1e-12)


def test_a_hint_of_maps_is_a_convolution_of_one_pixel():
    draws = np.random.default_rng(0)
    s = torch.from_numpy(draws.normal(size=(2, 3, 8, 8)))
    t = torch.from_numpy(draws.normal(size=(2, 5, 4, 4)))
    own = seeded(lambda: Hint().connectors(s.shape[1:], t.shape[1:]), 0)
    own = {name: tensor.double() for name, tensor in own.items()}
    pooled = torch.nn.functional.avg_pool2d(s, 2)
    kernel = own["weight"].T[:, :, None, None]
    foretold = torch.nn.functional.conv2d(pooled, kernel, own["bias"])
    by_hand = 0.5 * ((foretold - t) ** 2).mean(dim=(1, 2, 3))
    assert torch.allclose(Hint().value(s, t, torch.ones(2), own), by_hand)


def contrast_level(s, t, own, temperature):
    u, v = embedded(s, t, own)
    return math.log(float((u @ v.T / temperature).exp().mean()) * (len(s) - 1))


def embedded(s, t, own):
    each = []
    for side, x in (("student", s), ("teacher", t)):
        z = x @ own[f"{side}_weight"] + own[f"{side}_bias"]
        each.append(z / (z**2).sum(dim=1, keepdim=True).sqrt())
    return each


def contrast_by_hand(s, t, own, temperature, level, counts=None):
    """Return the loss of each row by the formula of the docstring, in loops."""
    counts = [1.0] * len(s) if counts is None else counts
    u, v = embedded(s, t, own)
    e = (u @ v.T / temperature).exp()
    h = e / (e + math.exp(level))
    rows = []
    for i in range(len(s)):
        total = -2.0 * h[i, i].log()
        for j in range(len(s)):
            if j != i:
                each = (1.0 - h[i, j]).log() + (1.0 - h[j, i]).log()
                total = total - counts[j] * each
        rows.append(total)
    return torch.stack(rows)


def test_a_contrast_is_that_of_its_formula():
    loss = ContrastiveRepresentation(dimension=4)
    s, t, own = layers(loss)
    by_hand = contrast_by_hand(s, t, own, 0.07, contrast_level(s, t, own, 0.07))
    found = loss.value(s, t, torch.ones(len(s)).double(), own)
    assert torch.allclose(found, by_hand)
    # Weights of mean one: a partner counts by its own, and so do pairs in the level.
    w = torch.tensor([0.5, 1.5, 1.0, 2.0, 0.25, 0.75]).double()
    u, v = embedded(s, t, own)
    mean = float(((u @ v.T / 0.07).exp() * w[:, None] * w).sum() / w.sum() ** 2)
    by_hand = contrast_by_hand(s, t, own, 0.07, math.log(5.0 * mean), w)
    assert torch.allclose(loss.value(s, t, w, own), by_hand)


def test_a_contrast_is_least_where_each_row_finds_its_own():
    loss = ContrastiveRepresentation(dimension=6)
    own = {
        f"{side}_{part}": torch.eye(6) if part == "weight" else torch.zeros(6)
        for side in ("student", "teacher")
        for part in ("weight", "bias")
    }
    t = torch.eye(6)
    same = mean_of(loss, t, t, own)
    assert same < mean_of(loss, torch.ones(6, 6), t, own)
    assert same < mean_of(loss, t.roll(1, dims=0), t, own)


@pytest.mark.parametrize("loss", RELATIONS, ids=lambda loss: loss.name)
def test_no_rotation_order_or_scale_of_a_layer_changes_a_relation(loss):
    s, t, _ = layers(loss)
    turn = torch.linalg.qr(
        torch.from_numpy(np.random.default_rng(7).normal(size=(5, 5)))
    )
    before = mean_of(loss, s, t, {})
    assert before > 1e-3
    for moved in (t @ turn.Q, t[:, [4, 2, 0, 1, 3]], 7.0 * t):
        assert mean_of(loss, s, moved, {}) == pytest.approx(before, rel=1e-10)
    assert mean_of(loss, t @ turn.Q, t, {}) < 1e-12


@pytest.mark.parametrize("loss", RELATIONS, ids=lambda loss: loss.name)
def test_layers_that_are_dead_have_finite_gradients(loss):
    s = torch.zeros(5, 3, dtype=torch.float64, requires_grad=True)
    t = layers(loss, n=5)[1]
    loss.value(s, t, torch.ones(5).double(), {}).sum().backward()
    assert bool(s.grad.isfinite().all())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: get_features("hints"), "features must be one of"),
        (lambda: get_features(3), "features must be the name of a loss of hidden"),
        (lambda: get_features([]), "features must name at least one loss"),
        (lambda: Hint(-1.0), "weight must be"),
        (lambda: Hint(student_layer=3), "student_layer must be the name of a layer"),
        (lambda: ContrastiveRepresentation(dimension=0), "dimension must be"),
        (lambda: ContrastiveRepresentation(temperature=0.0), "temperature must be"),
        (
            lambda: AttentionTransfer().check((8,), (8,)),
            r"student_layer must give maps \(channels, height, width\).*got \(8,\)",
        ),
        (
            lambda: AttentionTransfer().check((8, 4, 4), (8, 1, 1)),
            r"teacher_layer must give maps.*several pixels; got \(8, 1, 1\)",
        ),
        (
            lambda: Hint().check((8,), (4, 2, 2)),
            r"the layers must give vectors of both networks, or maps.*\(4, 2, 2\)",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
