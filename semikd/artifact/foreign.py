"""Students of other libraries: kept by skops, from types that are known by name."""

import pickle
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from semikd._files.checks import refusal
from semikd._files.npz import open_archive
from semikd._validation import Shown, count, wrong_type
from semikd.artifact.arrays import Arrays, StudentArrays, float_rows
from semikd.exceptions import ArtifactError
from semikd.simplex import FloatArray

__all__ = ["KNOWN_TYPES", "ForeignStudent"]

# What skops does not trust by itself, and a student may be made of. None of these runs
# code that a file brings along.
KNOWN_TYPES = frozenset(
    {
        "collections.OrderedDict",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.gaussian_process.kernels.ConstantKernel",
        "sklearn.gaussian_process.kernels.Product",
        "sklearn.gaussian_process.kernels.RBF",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.metrics._dist_metrics.ManhattanDistance64",
        "sklearn.metrics._dist_metrics.MinkowskiDistance64",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRegressor",
    }
)

_ADAPTERS = ("lightgbm", "regressor", "xgboost")
_MAX_UNPACKED = 1 << 29
_MAX_MEMBERS = 4096


@dataclass(frozen=True, eq=False)
class ForeignStudent(StudentArrays):
    """A fitted learner of another library, which still needs that library to answer.

    Parameters
    ----------
    learner : estimator
        The fitted learner.
    adapter : {'lightgbm', 'regressor', 'xgboost'}
        How scores are had of it.
    n_features : int
        Number of columns d.
    n_outputs : int
        Number of scores m.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> from semikd.artifact import ForeignStudent
    >>> X = np.array([[0.0], [1.0]])
    >>> student = ForeignStudent.of(KNeighborsRegressor(1).fit(X, [2.0, 3.0]))
    >>> student.scores([[0.9]])
    array([[3.]])
    """

    learner: Any
    adapter: str
    n_features: int
    n_outputs: int
    kind: ClassVar[str] = "foreign"

    @classmethod
    def of(cls, learner: Any) -> Self:
        """Return the student that a fitted learner is; ``TypeError`` if it is none."""
        from sklearn.base import is_regressor

        adapters = {"LGBMClassifier": "lightgbm", "XGBClassifier": "xgboost"}
        adapter = adapters.get(type(learner).__name__)
        predicts = hasattr(learner, "predict") and is_regressor(learner)
        if adapter is None and not predicts:
            constraint = "be a fitted regressor, or a student of this library"
            raise wrong_type("student", constraint, Shown(type(learner).__name__))
        n_features = int(learner.n_features_in_)
        student = cls(learner, adapter or "regressor", n_features, 1)
        n_outputs = student.scores(np.zeros((1, n_features))).shape[1]
        return cls(learner, student.adapter, n_features, n_outputs)

    def scores(self, features: Any) -> FloatArray:
        """Return the scores of rows, shape (n, m)."""
        from semikd.students import (
            LightGBMStudent,
            RegressorStudent,
            Student,
            XGBoostStudent,
        )

        rows = float_rows(features, self.n_features, np.float32)
        adapters: dict[str, Callable[[Any], Student]] = {
            "lightgbm": LightGBMStudent,
            "regressor": RegressorStudent,
            "xgboost": XGBoostStudent,
        }
        return adapters[self.adapter](self.learner).scores(rows)

    @property
    def bare_bytes(self) -> int:
        """Bytes of the pickled learner, as no other measure fits all libraries."""
        return len(pickle.dumps(self.learner))

    def describe(self) -> dict[str, Any]:
        """Return the class of the learner, and its leaves or coefficients if any."""
        from semikd.students import measured_size

        size = measured_size(self.learner)
        found = {"leaves": size.leaves, "coefficients": size.coefficients}
        counts = {name: value for name, value in found.items() if value is not None}
        return {"learner": type(self.learner).__name__, **counts}

    def to_arrays(self) -> Arrays:
        """Return no arrays: skops keeps the learner."""
        return {}

    def to_bytes(self) -> bytes:
        """Return what skops writes, if only known types are in it."""
        skops = _skops()
        # A boosted learner is mostly zeros: as it is, it is four times its pickle.
        content: bytes = skops.dumps(self.learner, compression=zipfile.ZIP_DEFLATED)
        strange = sorted(set(skops.get_untrusted_types(data=content)) - KNOWN_TYPES)
        if strange:
            constraint = "be made of types that are known to be safe"
            remedy = "Use a student of scikit-learn, LightGBM, XGBoost or this library"
            raise wrong_type("student", constraint, Shown(strange[0]), remedy)
        return content

    @classmethod
    def from_bytes(cls, path: Path, data: bytes, entry: Mapping[str, Any]) -> Self:
        """Return the student of a skops file; ``ArtifactError`` if it is none."""
        adapter, n_outputs = entry.get("adapter"), entry.get("n_outputs")
        if adapter not in _ADAPTERS:
            raise refusal(path, f"be read by one of {', '.join(_ADAPTERS)}", adapter)
        skops = _skops()
        try:
            outputs = count("n_outputs", n_outputs)
            open_archive(path, data, _MAX_UNPACKED, max_members=_MAX_MEMBERS).close()
            strange = sorted(set(skops.get_untrusted_types(data=data)) - KNOWN_TYPES)
            if strange:
                raise refusal(path, "hold known types only", strange[0])
            learner = skops.loads(data, trusted=sorted(KNOWN_TYPES))
        except ArtifactError:
            raise
        except Exception as error:
            # Whatever skops or a library says of a hostile file is one line here.
            shown = Shown(f"{type(error).__name__}: {error}"[:300])
            raise refusal(path, "be a student that skops can read", shown) from None
        n_features = entry.get("n_features")
        if getattr(learner, "n_features_in_", None) != n_features:
            raise refusal(path, f"have {n_features} columns", Shown("another number"))
        return cls(learner, str(adapter), int(learner.n_features_in_), outputs)


def _skops() -> Any:
    """Return skops' module of persistence, or say what to install."""
    try:
        import skops.io
    except ImportError:
        raise ImportError(
            "A student of another library is saved and loaded by skops, which is not "
            "installed: run `pip install 'semikd[skops]'`."
        ) from None
    return skops.io
