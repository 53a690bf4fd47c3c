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
    kept = {
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
