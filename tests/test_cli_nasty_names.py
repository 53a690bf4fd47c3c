"""Names that break things go through every command, and come out as they went in."""

import html
import json
import re
import shlex
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semikd._text import visible
from semikd.artifact import load_model
from semikd.cli import main
from semikd.job import read_table

Capture = pytest.CaptureFixture[str]

QUICK = ("--leaves", "6", "--refits", "1")
LINEAR = ("--teacher", "linear")
# Of the nasty names those that a file may have, in one.
FILE = "[b] $_^ \u202egpj.exe <img src=x> 'q' \"&` {{ 7*7 }} \N{PILE OF POO}\n=1+1"
# What a terminal obeys, and what reorders or hides text.
_OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"


def a_table(names: dict[str, str], target: str, n: int = 420) -> pd.DataFrame:
    """Return a table whose columns, categories and classes all have these names."""
    draws = np.random.default_rng(0)
    every = list(names.values())
    numbers = {f"{name}{at}": draws.normal(size=n) for at, name in enumerate(every)}
    texts = {name: draws.choice(every, n) for name in every if name != target}
    score = draws.normal(size=(n, len(every)))
    for at, name in enumerate(every):
        score[:, at] += 4 * (next(iter(texts.values())) == name)
    return pd.DataFrame(texts | numbers | {target: np.array(every)[score.argmax(1)]})


def shown_safely(text: str) -> None:
    """Check that nothing in a terminal's text is obeyed by the terminal."""
    odd = {
        character
        for character in text
        if unicodedata.category(character) in _OBEYED and character not in _JOINERS
    }
    assert odd <= {"\n"}
    # What is meant for a terminal of its own is never read as markup.
    assert "\x1b" not in text


def page_is_safe(page: str, names: dict[str, str]) -> None:
    """Check that no name is read as markup by a browser."""
    assert not re.search(r"<img|onerror=alert\(1\)>", page)
    # Scripts, styles and comments of the page's own do not hold any name.
    assert page.count("</script>") == page.count("<script")
    assert "{{" not in page.replace("{{ 7*7 }}", "")
    assert "49" not in re.findall(r"<bdi>([^<]*)</bdi>", page)
    text = html.unescape(re.sub(r"<[^>]*>", "", page))
    assert not {c for c in page if unicodedata.category(c) in _OBEYED - {"Cf"}} - {"\n"}
    assert names["console markup"] in text
    assert names["markup"] in text
    assert "\u202e" not in page


def written(rows: pd.DataFrame, ending: str) -> str:
    """Write a table to a file of a nasty name, and return that."""
    table = FILE + ending
    if ending == ".parquet":
        rows.to_parquet(table)
    else:
        rows.to_csv(table, index=False, sep="\t" if ".tsv" in ending else ",")
    return table


def runs_safely(*argv: str, capsys: Capture) -> str:
    """Run a command that ends well and shows nothing that a terminal obeys."""
    capsys.readouterr()
    assert main(argv) == 0
    shown = capsys.readouterr()
    shown_safely(shown.out + shown.err)
    return shown.out


def predictions_come_back(folder: Path, table: str, rows: pd.DataFrame) -> None:
    """Check that files of predictions hold the names as the table has them."""
    model = load_model(folder)
    wanted = ["prediction", *(f"p({label})" for label in model.classes or ())]
    # Text has no place for a zero byte.
    for name in ("found.parquet", *([] if "parquet" in table else ["found.csv"])):
        assert main(["predict", str(folder), table, "--out", name]) == 0
        found = read_table(name, text_columns=["prediction"])
        assert list(found) == wanted
        assert found["prediction"].tolist() == model.predict(rows).tolist()
        proba = model.predict_proba(rows)
        np.testing.assert_allclose(found[wanted[1:]], proba, rtol=1e-12)


@pytest.mark.parametrize(
    ("ending", "kind"),
    [(".parquet", "markup"), (".csv", "line end"), (".tsv.gz", "option")],
)
def test_nasty_names_go_all_the_way(
    ending: str,
    kind: str,
    nasty_names: dict[str, str],
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    target = nasty_names[kind]
    # Text has no place for a zero byte, and numpy for one at the end.
    zero = "\x00." if ending == ".parquet" else ""
    names = {key: name.replace("\x00", zero) for key, name in nasty_names.items()}
    rows = a_table(names, target)
    table, out = written(rows, ending), Path("[b]<img src=x>\u202e")
    words = ("distill", table, f"--target={target}", *QUICK)
    shown = runs_safely(*words, *LINEAR, "--out", str(out), capsys=capsys)
    assert "[b]" in shown
    assert visible(repr(target)) in shown
    page_is_safe((out / "report.html").read_text(encoding="utf-8"), names)

    assert set(load_model(out).classes or ()) == set(names.values())
    assert load_model(out).target == target
    predictions_come_back(out, table, rows)
    shown = runs_safely("evaluate", str(out), table, capsys=capsys)
    assert shown.startswith("420 rows, target ")

    told = json.loads((out / "metrics.json").read_text())["command"]
    runs_safely(*shlex.split(told)[1:], "--out", "again", capsys=capsys)
    again = Path("again") / "model.npz"
    assert again.read_bytes() == (out / "model.npz").read_bytes()
    if ending != ".parquet":
        plain = (*LINEAR, "--preset", "none", "--out", "plain")
        runs_safely(*words, *plain, capsys=capsys)
        brought = ("--labels", "plain/labels.csv.gz", "--out", "brought")
        runs_safely(*words, *brought, capsys=capsys)
        mine, theirs = (
            load_model(at).predict_proba(rows) for at in ("plain", "brought")
        )
        np.testing.assert_allclose(mine, theirs, atol=1e-9)


def test_nasty_names_that_are_wrong_are_one_safe_line(
    nasty_names: dict[str, str], tmp_path: Path, capsys: Capture, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = a_table(nasty_names, nasty_names["markup"])
    rows.to_parquet("table.parquet")
    for name in nasty_names.values():
        for words in (
            ["table.parquet", f"--target={name}?"],
            ["table.parquet", f"--target={nasty_names['markup']}", f"--groups={name}!"],
            [f"./{name}".replace("\x00", ""), "--target", "y"],
            ["table.parquet", "--target", "y", f"--teacher={name}:x"],
        ):
            assert main(["distill", *words, "--out", "out"]) == 2
            shown = capsys.readouterr()
            assert shown.out == ""
            assert " must " in shown.err
            assert shown.err.count("\n") == 1
            shown_safely(shown.err)
    assert [path.name for path in tmp_path.iterdir()] == ["table.parquet"]
