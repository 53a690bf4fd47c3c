"""Parts of a teacher's knowledge as targets: against their formulas, by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from semikd import DistilledClassifier, external_labels
from semikd.diagnostics import class_geometry, gradient_rescaling
from semikd.label_aware import (
    ClassTable,
    ConfidenceTarget,
    hierarchy_table,
    named_correction,
    similarity_table,
)
from semikd.losses import CrossEntropyLoss, IdentityLoss, ProbabilityLoss
from semikd.simplex import one_hot
from semikd.students import LinearStudent

FloatArray = NDArray[np.float64]
GROUPS = ["cat", "cat", "cat", "car", "car"]


def drawn(k: int, n: int = 30) -> tuple[FloatArray, FloatArray]:
    """Return probabilities and one-hot labels."""
    rng = np.random.default_rng(k)
    return rng.dirichlet(np.ones(k), n), one_hot(rng.integers(0, k, n), k)


def tables(k: int) -> list[FloatArray]:
    """Return tables of each kind."""
    vectors = np.random.default_rng(k).normal(size=(k, 7))
    return [
        similarity_table(vectors, power=2.0, temperature=0.3),
        hierarchy_table(GROUPS[:k], own=0.6, siblings=0.3),
        np.eye(k),
    ]


@pytest.mark.parametrize("k", [2, 3, 5])
def test_targets_are_probabilities(k: int) -> None:
    p, y = drawn(k)
    for table in tables(k):
        np.testing.assert_allclose(table.sum(axis=1), 1.0)
        for rule in (ClassTable(table), ConfidenceTarget(table), ConfidenceTarget()):
            found = rule.stand_in(p, y)
            np.testing.assert_allclose(found.sum(axis=1), 1.0)
            assert (found >= 0).all()


def test_the_confidence_is_kept_and_the_rest_even() -> None:
    p, y = drawn(4)
    own = y.argmax(axis=1)
    found = ConfidenceTarget().stand_in(p, y)
    for row, said, t in zip(p, found, own, strict=True):
        expected = np.full(4, (1 - row[t]) / 3)
        expected[t] = row[t]
        np.testing.assert_allclose(said, expected)


def test_the_rest_is_shared_by_likeness() -> None:
    p, y = drawn(3)
    table = tables(3)[0]
    found = ConfidenceTarget(table).stand_in(p, y)
    for row, label, said in zip(p, y, found, strict=True):
        t = int(label.argmax())
        rest = np.delete(table[t], t)
        np.testing.assert_allclose(np.delete(said, t), (1 - row[t]) * rest / rest.sum())


def test_of_two_classes_the_confidence_is_the_answer() -> None:
    p, y = drawn(2)
    np.testing.assert_allclose(ConfidenceTarget().stand_in(p, y), p)
    alone = ConfidenceTarget(np.eye(2)).stand_in(p, y)
    np.testing.assert_allclose(alone, p)


def test_the_mean_of_a_perfect_teacher_is_that_of_the_docstrings() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(3), 1)
    table = tables(3)[0]
    for rule, expected in (
        (ClassTable(table), p[0] @ table),
        (
            ConfidenceTarget(),
            p[0] ** 2 + (p[0] * (1 - p[0]) @ (1 - np.eye(3))) / 2,
        ),
    ):
        each = [rule.stand_in(p, label[None])[0] for label in np.eye(3)]
        np.testing.assert_allclose(p[0] @ np.array(each), expected)


def test_outcomes_are_mixed_in_before_the_scale() -> None:
    p, y = drawn(3)
    loss, table = CrossEntropyLoss(temperature=2.0), tables(3)[0]
    rule = ClassTable(table, outcome_share=0.25)
    found = rule.target(p, y, loss=loss, complexity=1.0)
    np.testing.assert_allclose(found, loss.phi(0.75 * y @ table + 0.25 * y))
    assert rule.weight(p, None, loss, 1.0)[0] == pytest.approx(0.25)


def test_a_hierarchy_gives_what_is_missing_to_whom_there_is() -> None:
    table = hierarchy_table(GROUPS, own=0.6, siblings=0.3)
    np.testing.assert_allclose(table[0], [0.6, 0.15, 0.15, 0.05, 0.05])
    np.testing.assert_allclose(table[3], [0.1 / 3, 0.1 / 3, 0.1 / 3, 0.6, 0.3])
    lone = hierarchy_table(["a", "b", "b"], own=0.6, siblings=0.3)
    np.testing.assert_allclose(lone[0], [0.6, 0.2, 0.2])
    one_group = hierarchy_table(["a", "a", "a"], own=0.6, siblings=0.3)
    np.testing.assert_allclose(one_group[0], [0.6, 0.2, 0.2])


def test_similarities_are_softmaxes_of_cosines() -> None:
    vectors = np.array([[1.0, 0.0], [3.0, 3.0], [-2.0, 0.0]])
    cosine = np.array([[1, np.sqrt(0.5), 0], [np.sqrt(0.5), 1, 0], [0, 0, 1]])
    expected = special.softmax(cosine**2 / 0.5, axis=1)
    found = similarity_table(vectors, power=2.0, temperature=0.5)
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_the_rescaling_is_the_ratio_of_gradients(share: float) -> None:
    k, n = 4, 20
    rng = np.random.default_rng(1)
    z, q = rng.normal(size=(n, k)), rng.dirichlet(np.ones(k), n)
    codes = rng.integers(0, k, n)
    y, loss, step = one_hot(codes, k), CrossEntropyLoss(), 1e-6
    p = special.softmax(z, axis=1)
    found = gradient_rescaling(p, q, codes, share=share)

    def slopes(target: FloatArray) -> FloatArray:
        rise = np.zeros((n, k))
        for j, move in enumerate(step * np.eye(k)):
            up, down = loss.value(z + move, target), loss.value(z - move, target)
            rise[:, j] = (up - down) / (2 * step)
        return rise

    mixed = (1 - share) * slopes(y) + share * slopes(q)
    plain, rows = slopes(y), np.arange(n)
    np.testing.assert_allclose(
        found, mixed[rows, codes] / plain[rows, codes], atol=1e-7
    )
    # The wrong classes together are rescaled alike.
    wrong = mixed.sum(axis=1) - mixed[rows, codes]
    others = plain.sum(axis=1) - plain[rows, codes]
    np.testing.assert_allclose(found, wrong / others, atol=1e-7)


def test_a_sure_student_has_no_gradient_to_rescale() -> None:
    p, q = np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])
    assert np.isnan(gradient_rescaling(p, q, np.array([0]))[0])


def test_geometry_tells_groups_apart() -> None:
    rng = np.random.default_rng(0)
    centre = np.eye(6)[[0, 0, 0, 1, 1]]
    found = class_geometry(centre + 0.1 * rng.normal(size=(5, 6)), GROUPS)
    assert found["within"] > 0.9
    assert abs(found["between"]) < 0.3
    np.testing.assert_array_equal(found["order"], [3, 4, 0, 1, 2])
    with pytest.raises(ValueError, match="2 groups for 5 classes"):
        class_geometry(centre, ["a", "b"])


def test_a_student_of_a_table_learns_the_classes_blurred() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 2))
    p = special.softmax(X @ rng.normal(size=(2, 3)), axis=1)
    y = (p.cumsum(axis=1) > rng.random((len(X), 1))).argmax(axis=1)
    table = hierarchy_table(["a", "a", "b"], own=0.7, siblings=0.2)
    model = DistilledClassifier(
        student=LinearStudent(ridge=1e-6),
        correction=ClassTable(table),
        cv=external_labels(X, p, classes=[0, 1, 2]),
    ).fit(X, y)
    loss = CrossEntropyLoss()
    blurred, plain = (
        loss.probabilities(
            LinearStudent(ridge=1e-6).fit_target(X, goal, loss=loss).scores(X)
        )
        for goal in (p @ table, p)
    )
    assert np.abs(model.predict_proba(X) - blurred).mean() < 0.01
    assert np.abs(model.predict_proba(X) - plain).mean() > 0.03


def test_wrong_tables_and_hierarchies_are_refused() -> None:
    p, y = drawn(3)
    with pytest.raises(ValueError, match="2 classes where there are 3"):
        ClassTable(np.eye(2)).stand_in(p, y)
    with pytest.raises(ValueError, match=r"a row of sum 1\.1"):
        ClassTable([[0.6, 0.5], [0.5, 0.5]])
    with pytest.raises(ValueError, match="a negative number"):
        ClassTable([[1.5, -0.5], [0.5, 0.5]])
    with pytest.raises(ValueError, match="a row and a column for each class"):
        ClassTable([[0.5, 0.5]])
    with pytest.raises(ValueError, match="no group for class 1"):
        hierarchy_table(["a", None, "b"])
    with pytest.raises(ValueError, match="siblings"):
        hierarchy_table(["a", "a"], own=0.9, siblings=0.2)
    with pytest.raises(ValueError, match="zeros for class 1"):
        similarity_table([[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="be one for numbers"):
        ConfidenceTarget().require(IdentityLoss())


def test_rules_have_names() -> None:
    assert named_correction("confidence") == ConfidenceTarget()
    assert named_correction(0.2).value == 0.2  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="Did you mean 'adaptive_alpha'"):
        named_correction("adaptive_alfa")
    p, y = drawn(3)
    loss = ProbabilityLoss()
    rule = named_correction("reliability").fit(
        p, y, X=p, loss=loss, fold=np.arange(30) % 3
    )
    assert rule.weight(p, p, loss, 1.0).shape == (30,)
