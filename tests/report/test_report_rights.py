"""Who pays: counts of right answers in words, against counts by hand."""

import numpy as np
import pytest

from semikd.diagnostics import subgroup_report
from semikd.report.rights import RightFacts, right_rows, right_sentence, right_view

N = 400


def facts(*, harm: float) -> RightFacts:
    """Return two parts, in the second of which what ships is wrong more often."""
    draws = np.random.default_rng(0)
    y, part = draws.integers(0, 2, N), np.arange(N) % 2
    scratch = np.where((draws.random(N) < 0.9)[:, None], np.eye(2)[y], np.eye(2)[1 - y])
    wrong = (part == 1) & (draws.random(N) < harm)
    ships = np.where(wrong[:, None], scratch[:, ::-1], scratch)
    arms = {"scratch": scratch, "tree": 0.5 * ships + 0.25}
    found = subgroup_report(y, arms, reference="scratch", groups=part, random_state=0)
    return RightFacts(["north", "south"], "tree", found)


def test_rows_say_what_was_counted() -> None:
    found = facts(harm=0.5)
    rows, table = right_rows(found), found.report.table
    for at, row in enumerate(rows):
        own = table[table["group"] == str(at)].set_index("arm")
        assert row.shares == tuple(
            f"{100 * own.at[a, 'accuracy']:.1f}" for a in own.index
        )
        margin = own.at["tree", "margin"]
        # A probability of 3/4 or 1/4: the margin is half of that of the shares.
        assert margin == pytest.approx(own.at["tree", "accuracy"] - 0.5)
        assert row.margins[1] == f"{margin:+.2f}".replace("-", "\N{MINUS SIGN}")
    assert [row.verdict for row in rows] == ["", "less often"]
    assert "is right less often than 'scratch' on 1, and shown to be on 1" in (
        right_sentence(found)
    )
    assert "Its worst is 'south'" in right_sentence(found)


def test_no_harm_and_no_interval_are_said_so() -> None:
    found = facts(harm=0.0)
    assert "is right less often than 'scratch' on no part" in right_sentence(found)
    table = found.report.table.assign(lower=np.nan, upper=np.nan)
    unsure = RightFacts(
        found.names,
        "tree",
        type(found.report)(table, "scratch", found.report.means, 1, 0.95),
    )
    assert {row.shown for row in right_rows(unsure)} == {"0.0 (no interval)"}
    assert right_view(None) == {"rights": []}
