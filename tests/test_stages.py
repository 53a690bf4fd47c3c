"""Teachers of two stages: scikit-learn's checks, honesty, cost, and every way in."""

from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from semikd.teachers import (
    CalibratedTeacher,
    CodedTeacher,
    ResidualTeacher,
    StackedTeacher,
)

EXACT = LogisticRegression(tol=1e-12, max_iter=10_000)
CHECKED = [
    *(
        CalibratedTeacher(EXACT, method=method)
        for method in ("sigmoid", "beta", "isotonic", "temperature")
    ),
    StackedTeacher([EXACT, DecisionTreeClassifier(max_depth=3, random_state=0)]),
    ResidualTeacher(EXACT, Ridge()),
    CodedTeacher(),
    CodedTeacher(EXACT, coding="indicators"),
]


# scikit-learn brings tiny tables, of which the library warns.
@pytest.mark.filterwarnings("default::semikd.exceptions.SemikdWarning")
@pytest.mark.usefixtures("generator_of_the_checks")
@parametrize_with_checks(CHECKED)
def test_every_check_passes_without_exception(estimator: Any, check: Any) -> None:
    check(estimator)
