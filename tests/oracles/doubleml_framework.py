"""Joint bands and clusters by DoubleML, another implementation with many dependencies.

Run in an environment of its own (``pip install DoubleML==0.11.4``), it writes
``doubleml_framework.json`` with the rows and what DoubleML makes of them. Its partially
linear model, whose two nuisances are given as zero, is the least squares of y on d.
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

N, PER_CLUSTER, N_FOLDS, LEVEL, N_DRAWS = 240, 6, 5, 0.95, 100_000


def main() -> None:
    """Write the rows and the estimates."""
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(N // PER_CLUSTER), PER_CLUSTER)
    shared = rng.normal(size=(N // PER_CLUSTER, 3))[clusters]
    # Errors of three arms that share much, whose spread depends on the column.
    column = (rng.normal(size=N) + 0.5 * shared[:, 0]).round(4)
    common = rng.normal(size=(N, 1)) + shared[:, :1]
    outcomes = (0.3 * column[:, None] + common + 0.5 * rng.normal(size=(N, 3))).round(4)
    outcomes = (outcomes * (1.0 + np.abs(column))[:, None]).round(4)
    order = rng.permutation(N)
    column, outcomes, clusters = column[order], outcomes[order], clusters[order]
    kept = {
        "made by": f"DoubleML {version('DoubleML')}",
        "level": LEVEL,
        "column": column.tolist(),
        "outcomes": outcomes.tolist(),
        "clusters": clusters.tolist(),
        # A mean is the slope on a constant; DoubleML takes 1 for a class.
        "means": _joint(np.full(N, 2.0), 2.0 * outcomes),
        "slopes": _joint(column, outcomes),
        "clustered": [_clustered(column, y, clusters) for y in outcomes.T],
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(kept) + "\n")


def _joint(column: Any, outcomes: Any) -> dict[str, Any]:
    """Return slopes through the origin, their errors, and both kinds of intervals."""
    # Here, so that whoever reads this file needs no DoubleML.
    import doubleml

    models = [_model(column, y).framework for y in outcomes.T]
    together = doubleml.concat(models)
    # DoubleML draws from the global generator.
    np.random.seed(0)  # noqa: NPY002
    together.bootstrap(n_rep_boot=N_DRAWS)
    return {
        "estimate": together.thetas.tolist(),
        "std_error": together.ses.tolist(),
        "interval": together.confint(level=LEVEL).to_numpy().tolist(),
        "joint": together.confint(joint=True, level=LEVEL).to_numpy().tolist(),
    }


def _clustered(column: Any, y: Any, clusters: Any) -> dict[str, float]:
    """Return a slope through the origin and its error by cluster."""
    fitted = _model(column, y, clusters)
    return {"estimate": float(fitted.coef[0]), "std_error": float(fitted.se[0])}


def _model(column: Any, y: Any, clusters: Any = None) -> Any:
    """Return the fitted partially linear model whose nuisances are zero."""
    import doubleml
    from doubleml.utils import DMLDummyRegressor

    unused = np.zeros((len(y), 1))
    data = doubleml.DoubleMLData.from_arrays(unused, y, column, cluster_vars=clusters)
    model = doubleml.DoubleMLPLR(
        data, DMLDummyRegressor(), DMLDummyRegressor(), n_folds=N_FOLDS
    )
    nothing = np.zeros((len(y), 1))
    given = {"d": {"ml_l": nothing, "ml_m": nothing}}
    return model.fit(external_predictions=given)


if __name__ == "__main__":
    main()
