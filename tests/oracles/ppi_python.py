"""Estimates by ppi-python, another implementation, which changes warning filters.

Run in an environment of its own (``pip install ppi-python==0.2.3``), it writes
``ppi_python.json`` with the rows and what ppi-python makes of them.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy import special, stats

N, MORE, LEVEL = 120, 500, 0.95


def main() -> None:
    """Write the rows and the estimates."""
    # Here, so that whoever reads this file needs no ppi-python.
    import ppi_py

    rng = np.random.default_rng(5)
    X = rng.normal(size=(N + MORE, 2)).round(4)
    truth = special.expit(X @ [1.0, -0.5] + 0.3)
    y = (rng.random(N) < truth[:N]).astype(float)
    said = (0.15 + 0.7 * truth).round(4)
    weights = rng.uniform(0.5, 2.0, N).round(3)
    design = np.column_stack([X, np.ones(len(X))])
    found = {}
    for power in (0.0, 0.6, 1.0):
        data = (y, said[:N], said[N:])
        low, high = ppi_py.ppi_mean_ci(*data, alpha=1 - LEVEL, lam=power)
        found[f"mean {power}"] = {
            "estimate": np.ravel(
                ppi_py.ppi_mean_pointestimate(*data, lam=power)
            ).tolist(),
            "std_error": np.ravel(
                (high - low) / 2 / stats.norm.ppf(0.5 + LEVEL / 2)
            ).tolist(),
            "weighed": np.ravel(
                ppi_py.ppi_mean_pointestimate(*data, lam=power, w=weights)
            ).tolist(),
            "logistic": ppi_py.ppi_logistic_pointestimate(
                design[:N],
                y,
                said[:N],
                design[N:],
                said[N:],
                lam=power,
                optimizer_options={"ftol": 1e-16, "gtol": 1e-12},
            ).tolist(),
        }
    # ppi-python adds two regressions. Where columns of both samples have the same mean
    # squares, that is the root of the one equation of the paper.
    even = X[:N] - X[:N].mean(axis=0)
    number = (even @ [1.0, -0.5] + rng.normal(size=N)).round(4)
    told = (0.8 * even[:, 0] + 0.1).round(4)
    mirrored, more_told = np.vstack([-even, even]), rng.normal(size=2 * N).round(4)
    both = [np.column_stack([part, np.ones(len(part))]) for part in (even, mirrored)]
    for power in (0.0, 0.6, 1.0):
        data = (both[0], number, told, both[1], more_told)
        low, high = ppi_py.ppi_ols_ci(*data, alpha=1 - LEVEL, lam=power)
        found[f"squares {power}"] = {
            "estimate": ppi_py.ppi_ols_pointestimate(*data, lam=power).tolist(),
            "std_error": ((high - low) / 2 / stats.norm.ppf(0.5 + LEVEL / 2)).tolist(),
        }
    kept = {
        "numbers": number.tolist(),
        "told": told.tolist(),
        "more_told": more_told.tolist(),
        "made by": f"ppi-python {version('ppi-python')}",
        "X": X.tolist(),
        "y": y.tolist(),
        "said": said.tolist(),
        "weights": weights.tolist(),
        "found": found,
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(kept) + "\n")


if __name__ == "__main__":
    main()
