"""The page: what it says, that it says it of any name, and that it loads nothing."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from semikd._text import visible
from semikd.artifact import LinearArrays, NetworkArrays, ShippedModel
from semikd.artifact.forests import ForestArrays
from semikd.artifact.trees import TreeArrays
from semikd.encoding import Encoder, NumberColumn
from semikd.evaluation import Table
from semikd.report import ReportFacts, report_page

Maker = Callable[..., ReportFacts]


class Reader(HTMLParser):
    """Collects what a browser would see: elements, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.pieces: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"]:
            self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.pieces).split())


def headline(facts: ReportFacts) -> str:
    """Return the answer in large letters."""
    found = re.search(r'<p class="headline">(.*?)</p>', report_page(facts))
    assert found
    return found[1]


def test_no_name_becomes_an_element_or_an_attribute(nasty_facts: ReportFacts) -> None:
    read = Reader(report_page(nasty_facts))
    assert {"script", "img", "iframe", "object"} & set(read.tags) == set()
    names = {name for name, _ in read.attributes}
    assert {name for name in names if name.startswith("on")} == set()
    assert names & {"src", "style", "srcset", "action"} == set()


def test_every_name_is_on_the_page_with_nothing_hidden_in_it(
    nasty_facts: ReportFacts, nasty_names: dict[str, str]
) -> None:
    page = report_page(nasty_facts)
    read = Reader(page)
    shown = read.text + " ".join(value for _, value in read.attributes)
    for name in nasty_names.values():
        assert visible(name) in shown
    assert "49" not in Reader(page).pieces
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x09\x0b-\x1f]", page)


def test_a_name_from_the_data_is_isolated_from_its_neighbours(
    nasty_facts: ReportFacts, nasty_names: dict[str, str]
) -> None:
    page = report_page(nasty_facts)
    hebrew = nasty_names["right to left"]
    places = [found.start() for found in re.finditer(re.escape(hebrew), page)]
    assert len(places) > 5
    isolated = ("<bdi>", 'dir="auto"', "<title>", 'aria-label="', "<bdi title=")
    for place in places:
        assert any(mark in page[max(0, place - 1400) : place] for mark in isolated)


def test_a_command_keeps_its_line_ends(make_facts: Maker) -> None:
    page = report_page(make_facts(given={"command": "one \\\n  two <&\u202e"}))
    assert "<code>one \\\n  two &lt;&amp;[U+202E]</code>" in page


def test_nothing_is_loaded_and_nothing_is_run(nasty_facts: ReportFacts) -> None:
    page = report_page(nasty_facts)
    assert not re.search(r"https?://", page)
    assert "@import" not in page
    assert "url(" not in page
    links = re.findall(r'\b(?:href|src|srcset|action)="([^"]*)"', page)
    assert links == ["data:,"]
    assert "<script" not in page


def test_the_policy_knows_the_style_sheet_by_its_hash(make_facts: Maker) -> None:
    page = report_page(make_facts())
    style = re.search(r"<style>(.*?)</style>", page, flags=re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = re.search(r'Security-Policy" content="([^"]*)"', page)
    assert policy
    assert policy[1].startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "unsafe" not in policy[1]
    assert page.index("Content-Security-Policy") < page.index("<style>")


def test_equal_facts_give_equal_pages(make_facts: Maker) -> None:
    assert report_page(make_facts()) == report_page(make_facts())


def test_a_page_of_a_128_leaf_tree_is_small(make_facts: Maker) -> None:
    assert len(report_page(make_facts(leaves=128)).encode()) < 300_000


@pytest.mark.parametrize(
    ("noise", "said"),
    [
        ({"cross-fitted": 0.0}, "Distilling helped."),
        ({"cross-fitted": 1.5}, "Distilling did not help: training from scratch was"),
        (
            {"cross-fitted": 0.6},
            "made no difference: training from scratch was as good",
        ),
        ({"cross-fitted": 0.59}, "not shown to help: training from scratch may be"),
    ],
    ids=["better", "worse", "equal", "undecided"],
)
@pytest.mark.parametrize("n_refits", [1, 2])
def test_the_headline_says_who_wins(
    make_facts: Maker, noise: dict[str, float], said: str, n_refits: int
) -> None:
    if n_refits == 2 and said.startswith("Distilling helped"):
        noise = {"cross-fitted": 0.0, "scratch": 3.0, "scratch, tuned": 2.5}
    n = 40 if "may be" in said else 2000
    facts = make_facts(noise=noise, n_refits=n_refits, n=n)
    assert said in headline(facts)


def test_help_is_not_claimed_where_the_untuned_student_is_as_good(
    make_facts: Maker,
) -> None:
    better = {"cross-fitted": 0.0, "scratch, tuned": 3.0}
    rival = {**better, "scratch": 0.0}
    facts = make_facts(noise={**better, "scratch": 3.0}, n=2000, n_refits=1)
    assert headline(facts) == "Distilling helped."
    facts = make_facts(noise=rival, n=2000, n_refits=1)
    assert "not shown to help" in headline(facts)


def test_a_model_from_scratch_is_not_called_distilled(make_facts: Maker) -> None:
    assert "Nothing distilled ships" in headline(make_facts(shipped="scratch, tuned"))


def test_a_single_fit_is_said_to_be_one(make_facts: Maker) -> None:
    single = Reader(report_page(make_facts(n_refits=1))).text
    several = Reader(report_page(make_facts(n_refits=3))).text
    assert "Everything was fitted once" in single
    assert "The procedure:" not in single
    assert "Everything was fitted once" not in several
    assert "The procedure:" in several
    assert "This fitted model:" in several


def test_the_numbers_are_those_of_the_comparison(make_facts: Maker) -> None:
    facts = make_facts(weighted=True, n_refits=1)
    text = Reader(report_page(facts)).text
    comparison = facts.comparison
    assert f"{comparison.table['accuracy']['cross-fitted']:.3f}" in text
    last = comparison.predictions[0, comparison.names.index("cross-fitted"), :, 1]
    area = roc_auc_score(
        comparison.test.codes, last, sample_weight=comparison.test.weights
    )
    assert f"cross-fitted {area:.3f}" in text
    low, high = comparison.one_fit().conf_int(kind="simultaneous")[-1]
    shown = [float(end.replace("−", "-")) for end in interval_of(text)]
    assert shown == pytest.approx([low, high], abs=0.006)


def interval_of(text: str) -> tuple[str, str]:
    """Return the ends of the interval in the verdict."""
    found = re.search(r"interval: (\S+) to ([^\s)]+)\)", text)
    assert found
    return found[1], found[2]


def test_size_and_speed_are_told_against_the_teacher(make_facts: Maker) -> None:
    text = Reader(report_page(make_facts())).text
    assert "smaller than the teacher 1,400 times" in text
    assert "faster than the teacher, in bulk 90 times" in text
    assert "2.40 ms 20 × the first" in text
    larger = make_facts(given={"artifact_bytes": 14_200_000})
    assert "larger than the teacher 10 times" in Reader(report_page(larger)).text


def test_regressions_show_errors_in_place_of_probabilities(make_facts: Maker) -> None:
    read = Reader(report_page(make_facts(classes=None)))
    assert "squared error" in read.text
    assert "Predicted and observed" in read.text
    assert "ROC" not in read.text
    assert "the mean of “ outcome ”" in read.text


def scaled(facts: ReportFacts, unit: float, shift: float = 0.0) -> ReportFacts:
    """Return facts of a regression in another unit."""
    old = facts.comparison
    y = shift + unit * np.asarray(old.test.y)
    new = replace(
        old,
        predictions=shift + unit * old.predictions,
        test=Table(old.test.X, y, None, None, False),
    )
    return replace(facts, comparison=new)


@pytest.mark.parametrize("unit", [1e-5, 1e-2, 1.0, 1e3, 1e5, 1e15])
def test_means_of_any_size_are_told_with_their_digits(
    unit: float, make_facts: Maker
) -> None:
    facts = scaled(make_facts(classes=None), unit)
    text = Reader(report_page(facts)).text
    interval = facts.comparison.procedure().conf_int(kind="simultaneous")[-1]
    shown = [float(e.replace("−", "-").replace(",", "")) for e in interval_of(text)]
    half = (interval[1] - interval[0]) / 2
    assert shown == pytest.approx(interval, abs=half / 10)


@pytest.mark.parametrize(("unit", "shift"), [(1e-13, 0.0), (1.0, 1e17), (0.0, 0.0)])
def test_means_that_hardly_differ_have_a_page(
    unit: float, shift: float, make_facts: Maker
) -> None:
    page = report_page(scaled(make_facts(classes=None), unit, shift))
    assert "nan" not in Reader(page).text
    assert not [value for _, value in Reader(page).attributes if "nan" in value]


def test_what_is_not_known_of_the_teacher_is_not_said(make_facts: Maker) -> None:
    facts = make_facts()
    known = facts.comparison.details
    details = {
        **known,
        "kilobytes": [np.nan, *known["kilobytes"][1:]],
        "latency_us": [None, *known["latency_us"][1:]],
    }
    unknown = replace(facts, comparison=replace(facts.comparison, details=details))
    text = Reader(report_page(unknown)).text
    assert "nan" not in text
    assert "than the teacher" not in text


def test_curves_are_said_to_be_those_of_the_first_refit(make_facts: Maker) -> None:
    said = "Drawn are the models that were fitted first"
    assert said in report_page(make_facts(n_refits=2))
    assert said not in report_page(make_facts(n_refits=1))


def test_of_many_classes_the_largest_are_drawn_and_that_is_said(
    make_facts: Maker,
) -> None:
    classes = tuple(f"class {letter}" for letter in "abcdefghijkl")
    page = report_page(make_facts(classes=classes))
    assert page.count("<h3>ROC curve") == 3
    assert "Of 12 classes the three with most rows" in page
    assert "7 further classes" in page


def test_figures_have_a_text_with_their_numbers(make_facts: Maker) -> None:
    page = report_page(make_facts())
    labels = re.findall(r'class="chart" aria-label="([^"]*)"', page)
    sizes, *curves = labels
    assert re.search(r"32 leaves \+[\d.]+", sizes)
    assert len(curves) == 2
    assert all(re.search(r"cross-fitted [\d.]+", label) for label in curves)
    drawings = re.findall(r"<svg[^>]*>", page)
    described = [d for d in drawings if "aria-" in d]
    nested = [d for d in drawings if d not in described]
    assert all("overflow=" in d for d in nested)
    assert len(described) > 10


def chain(n_leaves: int) -> TreeArrays:
    """Return a tree in which every right child is a leaf."""
    inner = np.arange(n_leaves - 1)
    left = np.full(2 * n_leaves - 1, -1)
    right = left.copy()
    left[2 * inner], right[2 * inner] = 2 * inner + 2, 2 * inner + 1
    splits = (np.zeros(n_leaves - 1, dtype=int), -inner.astype(float), inner > 0)
    value = np.linspace(0.0, 1.0, n_leaves)[:, None]
    cover = np.full(n_leaves, 1 / n_leaves)
    return TreeArrays.of_leaves((left, right), splits, value, cover, 1)


def one_column(student: Any, **settings: Any) -> ShippedModel:
    """Return a model that reads one column."""
    link = settings.pop("link", "probability")
    classes = settings.pop("classes", ("no", "yes"))
    return ShippedModel(Encoder((NumberColumn("age"),)), student, link, classes)


@pytest.mark.parametrize("n_leaves", [1, 2, 40, 700])
def test_every_node_is_drawn_or_listed(make_facts: Maker, n_leaves: int) -> None:
    page = report_page(make_facts(model=one_column(chain(n_leaves))))
    drawn = page.count('<div class="node')
    listed = len(re.findall(r'<li class="d\d+">', page))
    letters = page.count('<details class="outline">')
    # The first line of an outline is the drawn box that its letter stands in.
    assert drawn + listed - letters == 2 * n_leaves - 1
    assert "further nodes" not in page


def test_a_huge_tree_is_cut_and_that_is_said(make_facts: Maker) -> None:
    page = report_page(make_facts(model=one_column(chain(2000))))
    left_out = re.search(r"([\d,]+) further nodes are in the model", page)
    listed = len(re.findall(r'<li class="d\d+">', page))
    drawn = page.count('<div class="node')
    assert left_out
    assert listed == 1500
    assert int(left_out[1].replace(",", "")) == 3999 - listed - drawn + 1
    assert len(page.encode()) < 1_000_000


def test_coefficients_are_listed_from_the_largest(make_facts: Maker) -> None:
    encoder = Encoder(tuple(NumberColumn(f"x{at}") for at in range(30)))
    coef = np.linspace(-1.0, 2.0, 30)[None]
    student = LinearArrays(coef, np.array([0.25]))
    filled = _filled(encoder)
    model = ShippedModel(filled, student, "cross_entropy", ("no", "yes"))
    page = report_page(make_facts(model=model))
    names = re.findall(r'<th scope="row"><bdi>(x\d+)</bdi>', page)
    expected = [f"x{at}" for at in np.argsort(-np.abs(coef[0]), kind="stable")]
    assert names == expected
    assert "10 more" in page
    assert "+2.00" in page
    assert "Constant term: 0.250" in page


def _filled(encoder: Encoder) -> Encoder:
    """Return the encoder with numbers in place of missing ones."""
    from semikd.encoding import Scaling

    scaling = Scaling(fill=0.0, center=0.0, scale=1.0)
    columns = tuple(NumberColumn(c.name, scaling=scaling) for c in encoder.columns)
    return Encoder(columns)


def test_a_forest_says_what_its_trees_ask(make_facts: Maker) -> None:
    forest = ForestArrays((chain(3), chain(5)))
    text = Reader(report_page(make_facts(model=one_column(forest)))).text
    assert "2 trees that are averaged, with 3 to 5 leaves each, 8 in all" in text
    # Splits: 2 + 4; asked per row: (1 + 2/3 + 1 + 4/5 + 3/5 + 2/5) / 2.
    assert re.search(r"age 6 2\.23", text)


def test_trees_of_one_score_each_are_not_called_averaged(make_facts: Maker) -> None:
    each = ForestArrays((chain(3), chain(5), chain(4)), (0, 1, 2))
    three = ("a", "b", "c")
    model = ShippedModel(
        Encoder((NumberColumn("age"),)), each, "log_probability", three
    )
    text = Reader(report_page(make_facts(classes=three, model=model))).text
    assert "3 trees for one score each, with 3 to 5 leaves" in text
    assert "averaged, with" not in text
    both = ForestArrays((*each.trees, chain(2)), (0, 1, 2, 2))
    more = replace(model, student=both)
    text = Reader(report_page(make_facts(classes=three, model=more))).text
    assert "4 trees for one score each, those of a score averaged, with" in text


def test_scores_beyond_the_tenth_are_said_to_be_left_out(make_facts: Maker) -> None:
    classes = tuple(f"c{at:02d}" for at in range(12))
    encoder = _filled(Encoder((NumberColumn("age"),)))
    student = LinearArrays(np.ones((12, 1)), np.zeros(12))
    model = ShippedModel(encoder, student, "cross_entropy", classes)
    text = Reader(report_page(make_facts(classes=classes, model=model))).text
    assert "The first 10 of 12 scores are shown." in text


def test_a_network_says_its_shape(make_facts: Maker) -> None:
    weights = (np.ones((4, 1)), np.ones((1, 4)))
    biases = (np.zeros(4), np.zeros(1))
    network = NetworkArrays(np.zeros(1), np.ones(1), weights, biases)
    encoder = _filled(Encoder((NumberColumn("age"),)))
    model = ShippedModel(encoder, network, "cross_entropy", ("no", "yes"))
    text = Reader(report_page(make_facts(model=model))).text
    assert "A network of 2 layers with 1 → 4 → 1 units, 13 coefficients" in text


def test_facts_of_an_arm_that_does_not_exist_are_refused(make_facts: Maker) -> None:
    with pytest.raises(ValueError, match=r"shipped must be an arm.*; got 'corrected'"):
        make_facts(shipped="corrected")
    with pytest.raises(ValueError, match=r"artifact_bytes must be .*; got -1"):
        make_facts(given={"artifact_bytes": -1})


def test_sections_without_facts_are_left_out(make_facts: Maker) -> None:
    empty: dict[str, Any] = {"data": (), "choices": (), "notes": (), "latency": ()}
    empty |= {"choice": None, "sizes": None}
    page = report_page(make_facts(given=empty))
    headings = ["The data", "How it was set up", "<h2>Notes", "One row at a time"]
    for heading in [*headings, "What was chosen", "How small it may be"]:
        assert heading not in page
        assert heading in report_page(make_facts())


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour such as #ffffff, by the WCAG."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares
    ]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 to 21, by the WCAG."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_lines_stand_out_from_the_paper(
    make_facts: Maker, scheme: str
) -> None:
    blocks = re.findall(r":root \{(.*?)\}", report_page(make_facts()), flags=re.DOTALL)
    found = re.findall(r"--([\w-]+): (#\w{6})", blocks[scheme == "dark"])
    colours = dict(found)
    texts = [
        *((ink, ground) for ink in ("ink", "soft") for ground in ("paper", "card")),
        ("ink", "wash"),
        ("ink", "ship-wash"),
        ("soft", "ship-wash"),
        ("ship", "ship-wash"),
        ("ship", "card"),
        ("bar", "bar-wash"),
    ]
    for ink, ground in texts:
        assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for ink in ("ship", "bar", "teach", "faint", "good", "even", "bad"):
        assert contrast(colours[ink], colours["paper"]) >= 3.0, ink
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
