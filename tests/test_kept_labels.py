"""Labels on disk: what comes back, how large it is, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeRegressor

from semikd import DistilledClassifier, OutOfFold, cross_fit, external_labels
from semikd.crossfit import load_labels, save_labels
from semikd.datasets import make_multiclass_process
from semikd.exceptions import ArtifactError

DATA = make_multiclass_process(150, n_classes=5, random_state=0)
X, Y = DATA.X.to_numpy(), DATA.y.to_numpy()


def labels(**options: object) -> OutOfFold:
    """Return cross-fitted labels."""
    return cross_fit(LogisticRegression(), X, Y, cv=3, random_state=0, **options)  # type: ignore[arg-type]


def alike(found: OutOfFold, made: OutOfFold, atol: float = 0.0) -> None:
    """Compare two records, but for teachers."""
    np.testing.assert_allclose(found.prediction, made.prediction, rtol=0, atol=atol)
    np.testing.assert_array_equal(found.fold, made.fold)
    np.testing.assert_array_equal(found.row_hash, made.row_hash)
    for name in ("strategy", "honest", "leans"):
        assert getattr(found, name) == getattr(made, name)
    if made.classes is not None:
        assert found.classes is not None
        np.testing.assert_array_equal(found.classes, made.classes)
        assert found.classes.dtype == made.classes.dtype


PRECISE = [(64, 0), (32, 1e-7), (16, 4e-5), (8, 9e-3)]


@pytest.mark.parametrize(("n_bits", "atol"), PRECISE)
def test_labels_come_back_in_their_precision(
    tmp_path: Path, n_bits: int, atol: float
) -> None:
    made = labels(n_repeats=2)
    written = save_labels(made, tmp_path, n_bits=n_bits)
    found = load_labels(tmp_path, X)
    alike(found, made, atol)
    np.testing.assert_allclose(found.prediction.sum(axis=2), 1.0)
    assert written == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_the_top_comes_back_and_the_rest_is_even(tmp_path: Path) -> None:
    made = labels()
    save_labels(made, tmp_path, n_top=2)
    for row, found in zip(made.mean, load_labels(tmp_path).mean, strict=True):
        top = np.argsort(-row)[:2]
        expected = np.full(5, (1 - row[top].sum()) / 3)
        expected[top] = row[top]
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_short_labels_are_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n, k = 2000, 500
    p = rng.dirichlet(np.full(k, 0.05), n)
    record = external_labels(np.arange(n)[:, None], p, classes=np.arange(k))
    whole = save_labels(record, tmp_path / "whole")
    short = save_labels(record, tmp_path / "short", n_top=10, n_bits=16)
    # Ten numbers of two bytes with their places, eight for the row, four for the fold.
    assert short < n * (10 * 4 + 8 + 4 + 1) + 8_000 * 2
    assert whole > 60 * short


def test_rows_without_a_label_stay_without_one(tmp_path: Path) -> None:
    p = np.array([[0.2, 0.8], [np.nan, np.nan], [1.0, 0.0]])
    made = external_labels(X[:3], p, classes=["no", "yes"], honest=False)
    save_labels(made, tmp_path, n_bits=16)
    alike(load_labels(tmp_path, X[:3]), made, atol=1e-5)


def test_means_of_a_regression_are_kept_whole(tmp_path: Path) -> None:
    made = cross_fit(Ridge(), X, X[:, 0] * 3, cv=3, random_state=0)
    save_labels(made, tmp_path)
    alike(load_labels(tmp_path, X), made)
    with pytest.raises(ValueError, match="be probabilities to be shortened"):
        save_labels(made, tmp_path, n_bits=8)


def test_a_student_of_kept_labels_is_the_same_student(tmp_path: Path) -> None:
    made = labels()
    save_labels(made, tmp_path)
    tree = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)
    for correction in ("none", "estimated", "adaptive_alpha"):
        said = [
            DistilledClassifier(
                student=tree, correction=correction, cv=each, random_state=0
            )
            .fit(X, Y)
            .predict_proba(X)
            for each in (made, load_labels(tmp_path))
        ]
        np.testing.assert_array_equal(*said)


def test_out_of_bag_labels_still_lean(tmp_path: Path) -> None:
    forest = RandomForestClassifier(200, random_state=0)
    save_labels(cross_fit(forest, X, Y, cv="oob", random_state=0), tmp_path)
    model = DistilledClassifier(correction="estimated", cv=load_labels(tmp_path))
    with pytest.raises(ValueError, match="come from folds"):
        model.fit(X, Y)


def test_other_rows_and_other_teachers_are_refused(tmp_path: Path) -> None:
    teacher = LogisticRegression(C=0.5)
    save_labels(labels(), tmp_path, teacher=teacher)
    load_labels(tmp_path, X, teacher=LogisticRegression(C=0.5))
    with pytest.raises(ValueError, match=r"be of LogisticRegression .*got those of"):
        load_labels(tmp_path, X, teacher=LogisticRegression(C=1.0))
    with pytest.raises(ValueError, match="labels must be those of the rows of X"):
        load_labels(tmp_path, X + 1.0)
    with pytest.raises(ValueError, match="in another order"):
        load_labels(tmp_path, X[::-1])
    save_labels(labels(), tmp_path)
    with pytest.raises(ValueError, match="a teacher that was not named"):
        load_labels(tmp_path, teacher="forest of March")
    with pytest.raises(TypeError, match="teacher must be an estimator or a name"):
        load_labels(tmp_path, teacher=3)


def test_wrong_numbers_and_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="n_bits must be one of 64, 32, 16, 8"):
        save_labels(labels(), tmp_path, n_bits=12)
    with pytest.raises(TypeError, match="be an OutOfFold record"):
        save_labels(labels().mean, tmp_path)  # type: ignore[arg-type]
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(ValueError, match=r"holds 'mine\.txt'"):
        save_labels(labels(), tmp_path)
    with pytest.raises(ArtifactError, match="be a folder with saved labels"):
        load_labels(tmp_path / "none")


def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path) -> None:
    save_labels(labels(), tmp_path)
    (archive,) = tmp_path.glob("*.npz")
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(bytes(data))
    with pytest.raises(ArtifactError) as caught:
        load_labels(tmp_path)
    assert "\n" not in str(caught.value)


def test_frames_with_text_classes_come_back(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 0, "x", "y")})
    y = np.array(["low", "mid", "top"])[Y % 3]
    made = external_labels(frame, np.full((150, 3), 1 / 3), classes=np.unique(y))
    save_labels(made, tmp_path)
    alike(load_labels(tmp_path, frame), made)
