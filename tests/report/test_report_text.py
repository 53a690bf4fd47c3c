"""The parts of the page against something independent: text, ticks, curves."""

import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score

from semikd._text import visible
from semikd.corrections import get_correction
from semikd.evaluation.binning import binned_means
from semikd.report.curves import error_quantiles, reliability, roc
from semikd.report.svg import Chart, tag, tick_texts, ticks
from semikd.report.tables import _setting_words
from semikd.report.text import (
    bytes_text,
    duration_text,
    name_html,
    number_text,
    percent,
    rounded_numbers,
    significant,
    times_text,
)


@given(st.text(st.characters()))
def test_visible_text_can_be_written_and_hides_nothing(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert all(unicodedata.category(c) not in {"Cc", "Cs", "Zl"} for c in shown)
    assert all(unicodedata.bidirectional(c) not in {"RLO", "LRO", "RLI"} for c in shown)
    assert visible(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\x00\x7f", "a␊b␀␡"),
        ("x\u202ey\u2066z\u200b", "x[U+202E]y[U+2066]z[U+200B]"),
        ("ad\xad\u2063m\U000e0041in", "ad[U+00AD][U+2063]m[U+E0041]in"),
        ("\ud800\ufffe", "\ufffd\ufffd"),
        ("אב é 👩\u200d👧 $x$", "אב é 👩\u200d👧 $x$"),
    ],
)
def test_what_hides_or_moves_text_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_long_name_is_shortened_with_all_of_it_in_its_title() -> None:
    name = "begin" + "<" * 300 + "end"
    shown = name_html(name)
    assert "begin&lt;" in shown.split(">", 1)[1]
    assert shown.endswith("end</bdi>")
    assert len(shown.split(">", 1)[1]) < 600
    assert f'title="{name.replace("<", "&lt;")}"' in shown


def test_marks_stacked_on_a_letter_are_cut() -> None:
    _, shown = name_html("a" + "\u0301" * 50).split(">", 1)
    assert shown == "a\u0301\u0301\u0301</bdi>"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (number_text(-1234.5678, 2), "−1,234.57"),
        (number_text(-0.0001, 2), "0.00"),
        (number_text(0.5, 1, sign=True), "+0.5"),
        (number_text(float("nan"), 2), "–"),
        (number_text(12_345.0, -2), "12,300"),
        (number_text(-1.234e-11, 12), "−1.2e−11"),
        (number_text(6.4e10, -9, sign=True), "+6.4e10"),
        (number_text(1e-14, 12), "0"),
        (significant(0.0012345), "0.00123"),
        (significant(-123456.0), "−123,456"),
        (significant(1.5e-9), "1.50e−09"),
        (percent(0.0), "0\xa0%"),
        (percent(0.0004), "<0.1\xa0%"),
        (percent(0.034), "3.4\xa0%"),
        (percent(0.996), "99.6\xa0%"),
        (percent(0.9997), ">99.9\xa0%"),
        (percent(1.0 - 1e-8), "100\xa0%"),
        (percent(1.0), "100\xa0%"),
        (bytes_text(999.0), "999\xa0bytes"),
        (bytes_text(1_420_000.0), "1.42\xa0MB"),
        (duration_text(0.14), "140\xa0ns"),
        (duration_text(3_000_000.0), "3.00\xa0s"),
        (times_text(1418.0), "1,400"),
        (times_text(90.4), "90"),
        (times_text(2.04), "2"),
        (times_text(0.19), "0.2"),
        (rounded_numbers("a=0.010000000000000002, b=3"), "a=0.01, b=3"),
    ],
)
def test_numbers_have_few_digits(shown: str, expected: str) -> None:
    assert shown == expected


def test_attributes_and_children_of_an_element_are_escaped_once() -> None:
    inner = tag("title", Markup("&lt;"))
    assert tag("g", inner, aria_label='"<>') == (
        '<g aria-label="&#34;&lt;&gt;"><title>&lt;</title></g>'
    )


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6).filter(lambda width: width > 1e-6))
def test_ticks_are_few_evenly_spaced_and_inside(low: float, width: float) -> None:
    high = low + width
    found = np.array(ticks(low, high))
    assert 2 <= len(found) <= 12
    assert (np.diff(found) > 0).all()
    assert found[0] >= low - 1e-6 * width - 1e-9
    assert found[-1] <= high + 1e-6 * width + 1e-9


@given(st.floats(-300, 300), st.floats(1, 9.99))
def test_ticks_of_any_size_are_apart_and_short(power: float, size: float) -> None:
    found = ticks(0.0, size * 10.0**power)
    assert (np.diff(found) > 0).all()
    texts = tick_texts(found)
    assert len(set(texts)) == len(texts)
    assert max(map(len, texts)) <= 8


def test_a_long_line_is_thinned_and_keeps_its_ends() -> None:
    chart = Chart((0.0, 1.0), (0.0, 1.0), "x", "y", "A line.")
    x = np.linspace(0.0, 1.0, 100_000)
    chart.line(x, x, "curve")
    (points,) = [
        part.split('"')[0].split() for part in chart.svg().split('points="')[1:]
    ]
    assert len(points) <= 240
    ends = [tuple(map(float, point.split(","))) for point in (points[0], points[-1])]
    assert ends == [(44.0, 258.0), (330.0, 10.0)]


def test_calibration_is_that_of_scikit_learn_with_equal_weights() -> None:
    rng = np.random.default_rng(0)
    p = rng.uniform(size=1000)
    hits = rng.uniform(size=1000) < p
    found = reliability(p, hits, np.full(1000, 3.0))
    observed, predicted = calibration_curve(hits, p, n_bins=10, strategy="quantile")
    np.testing.assert_allclose(found.predicted, predicted)
    np.testing.assert_allclose(found.observed, observed)
    assert found.gap == pytest.approx(np.abs(predicted - observed).mean())


def test_rows_of_equal_prediction_have_one_observed_frequency() -> None:
    p = np.repeat([0.2, 0.7], 50)
    hits = np.r_[np.ones(10), np.zeros(40), np.ones(35), np.zeros(15)]
    found = reliability(p, hits, None)
    assert Counter(found.observed.round(9)) == {0.2: 5, 0.7: 5}
    assert found.gap == pytest.approx(0.0)


def test_bins_without_weight_are_left_out() -> None:
    weights = np.r_[np.zeros(5), np.ones(5)]
    x, _, share = binned_means(np.arange(10.0), np.ones(10), weights, n_bins=2)
    assert x.tolist() == [7.0]
    assert share.tolist() == [5.0]


def test_the_area_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    p, weights = rng.uniform(size=300).round(1), rng.uniform(size=300)
    hits = rng.uniform(size=300) < p
    expected = roc_auc_score(hits, p, sample_weight=weights)
    assert roc(p, hits, weights)[2] == pytest.approx(expected)


def test_quantiles_of_errors_are_those_of_repeated_rows() -> None:
    rng = np.random.default_rng(0)
    error, counts = rng.normal(size=50), rng.integers(0, 4, size=50)
    shares = np.array([0.1, 0.5, 0.9])
    repeated = np.repeat(np.abs(error), counts)
    expected = np.quantile(repeated, shares, method="inverted_cdf")
    found = error_quantiles(error, counts.astype(float), shares)
    np.testing.assert_allclose(found, expected)


def test_a_setting_leaves_out_a_correction_that_is_none() -> None:
    labels = "5-fold cross-fitting"
    plain = f"{labels}; {get_correction('none')}"
    assert _setting_words(plain) == labels
    assert _setting_words(f"{labels}; {get_correction(0.5)}").endswith("; constant 0.5")
