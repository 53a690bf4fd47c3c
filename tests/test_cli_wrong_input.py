"""Wrong input gets one line and exit code 2; the same call made right succeeds."""

import gzip
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from semikd.cli import main

Capture = pytest.CaptureFixture[str]
Case = tuple[str, str, str]

QUICK = "distill --leaves 4 --refits 1 "
OWN = '''"""Teachers of one's own that fail in one way each."""
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

class Base(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self
    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)

class Fit(Base):
    def fit(self, X, y):
        raise RuntimeError("no such\\nluck")

class Late(Base):
    fits = 0
    def fit(self, X, y):
        Late.fits += 1
        if Late.fits > 2:
            raise KeyError("tired")
        return super().fit(X, y)

class Nan(Base):
    def predict_proba(self, X):
        return np.full((len(X), 2), np.nan)

class Wide(Base):
    def predict_proba(self, X):
        return np.full((len(X), 3), 1 / 3)

class Leaves(Base):
    def fit(self, X, y):
        raise SystemExit(0)

class NoEstimator:
    def fit(self, X, y):
        return self

def boom():
    raise KeyError("x")
'''


def a_table(n: int = 120) -> pd.DataFrame:
    """Return rows with something of every kind, and four targets."""
    draws = np.random.default_rng(0)
    a, c = draws.normal(size=n), draws.choice(["red", "green", "blue"], n)
    y = a + (c == "red") + draws.normal(scale=0.5, size=n) > 0.3
    return pd.DataFrame(
        {
            "id": [f"k{at:03d}" for at in range(n)],
            "a": a,
            "b": draws.integers(0, 9, n),
            "c": c,
            "w": draws.random(n),
            "g": np.arange(n) // 3,
            "r": 3 * a + draws.normal(size=n),
            "y": np.where(y, "yes", "no"),
        }
    )


def with_first(table: pd.DataFrame, column: str, value: object) -> pd.DataFrame:
    """Return a table whose first cell of a column is another."""
    changed = table[column].astype(object)
    changed[0] = value
    return table.assign(**{column: changed})


def tables() -> dict[str, pd.DataFrame]:
    """Return the tables by the names of their files."""
    good = a_table()
    text = [f"{at * 7919 % 1000} words and {at} more" for at in range(len(good))]
    return {
        "good": good,
        "one_class": good.assign(y="no"),
        "single": with_first(good, "y", "maybe"),
        "no_target_value": with_first(good, "y", None),
        "infinite": with_first(good, "a", "inf"),
        "infinite_target": with_first(good, "r", "-inf"),
        "negative_weight": with_first(good, "w", -1),
        "no_weights": good.assign(w=0),
        "one_class_weighs": good.assign(w=(good["y"] == "yes") * 1),
        "no_weight_value": with_first(good, "w", None),
        "one_group": good.assign(g=1),
        "constant": good.assign(r=1.5),
        "nothing_in_a": good.assign(a=None),
        "gap_in_a": with_first(good, "a", None),
        "text_only": pd.DataFrame({"t": text, "y": good["y"]}),
        "text_and_a": good[["a", "y"]].assign(t=text),
        "target_only": good[["y"]],
        "few": good.groupby("y").head(2),
        "without_target": good.drop(columns="y"),
        "without_a": good.drop(columns="a"),
        "capital_A": good.rename(columns={"a": "aa"}),
        "new_label": with_first(good, "y", "maybe"),
        "black": with_first(good, "c", "black"),
        "words_in_a": with_first(good, "a", "much"),
        "only_yes": good[good["y"] == "yes"],
        "one_row": good.head(1),
    }


def labels(made: pd.DataFrame, good: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return files of labels, the first two of which are right."""
    no, yes = made["p(no)"].copy(), made["p(yes)"].copy()
    no[0], yes[0] = -0.1, 1.1
    ids = good["id"].to_numpy()[made["row"]]
    kept = np.setdiff1d(np.arange(len(good)), np.flatnonzero(good["y"] == "yes")[:9])
    halves = {"p(no)": 0.5, "p(yes)": 0.5}
    return {
        "right": made,
        "by_key": made.drop(columns=["row", "row_hash"]).assign(id=ids),
        "no_fold": made.drop(columns="fold"),
        "no_row": made.drop(columns="row"),
        "other_class": made.rename(columns={"p(no)": "p(n)"}),
        "twice": pd.concat([made, made.head(1)]),
        "beyond": made.assign(row=made["row"] + 1000),
        "other_rows": made.assign(row_hash="0" * 16),
        "negative": made.assign(**{"p(no)": no, "p(yes)": yes}),
        "no_sum": made.assign(**{"p(no)": 0.9, "p(yes)": 0.3}),
        "words": made.assign(**{"p(no)": "half"}),
        "gap": with_first(made, "p(no)", None),
        "half_fold": made.assign(fold=0.5),
        "other_keys": made.drop(columns="row").assign(id=[f"z{at}" for at in ids]),
        "labels_header": made.head(0),
        "only_no": made[(good["y"] == "no").to_numpy()[made["row"]]],
        "lacking": pd.DataFrame({"row": kept, "fold": kept % 5}).assign(**halves),
    }


BYTES = {
    "empty.csv": b"",
    "header.csv": b"id,a,b,c,w,g,r,y\n",
    "double.csv": b"a,a,y\n" + b"1,2,no\n2,3,yes\n" * 20,
    "latin.csv": b"a,b,y\n" + b"1,2,no\n2,3,yes\n" * 20 + b"1,2,n\xf8\n",
    "ragged.csv": b"a,b,y\n" + b"1,2,no\n2,3,yes\n" * 20 + b"1,no\n",
    "quote.csv": b"a,b,y\n" + b"1,2,no\n2,3,yes\n" * 20 + b'1,"2,no\n',
    "broken.parquet": b"PAR1 and nothing else",
    "unpacked.csv.gz": b"a,y\n1,no\n",
    "table.xlsx": b"PK\x03\x04",
    "own.py": OWN.encode(),
    "exits.py": b"import sys\nsys.exit(0)\n",
    "syntax.py": b"def x(:\n",
    "file": b"x",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with every file of this module, and a model in ``model``."""
    folder = tmp_path_factory.mktemp("home")
    before = os.getcwd()
    os.chdir(folder)
    for name, frame in tables().items():
        frame.to_csv(f"{name}.csv", index=False)
    for name, content in BYTES.items():
        Path(name).write_bytes(content)
    Path("good.csv.gz").write_bytes(gzip.compress(Path("good.csv").read_bytes()))
    a_table().to_parquet("good.parquet")
    words = shlex.split(f"{QUICK} good.csv --target y --teacher linear --out model")
    assert main(words) == 0
    made = pd.read_csv("model/labels.csv.gz", dtype={"row_hash": str})
    for name, frame in labels(made, a_table()).items():
        frame.to_csv(f"{name}.csv", index=False)
    Path("foreign").mkdir()
    shutil.copy("good.csv", "foreign/notes.csv")
    for name, spoil in SPOILT.items():
        shutil.copytree("model", name)
        spoil(Path(name))
    yield folder
    os.chdir(before)


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Return every file and folder, hidden ones too, with size and time."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if "__pycache__" not in path.parts:
            entry = path.lstat()
            found[str(path)] = (entry.st_size, entry.st_mtime_ns)
    return found


def refused(words: str, home: Path, capsys: Capture) -> str:
    """Run a wrong call and return its refusal, without the lines of stages before."""
    os.chdir(home)
    before = state(home)
    capsys.readouterr()
    code = main(shlex.split(words))
    shown = capsys.readouterr()
    after = {name: at for name, at in state(home).items() if before.get(name) != at}
    assert code == 2, shown.err
    # A folder's own time moves when a hidden one came and went; no file may.
    assert set(before) == set(state(home))
    assert all(Path(name).is_dir() for name in after)
    assert shown.out == ""
    assert "Traceback" not in shown.err
    assert not set(shown.err) & set("╭│╰─")
    *_, last = lines = shown.err.removesuffix("\n").split("\n")
    assert all(line.endswith(" s") for line in lines[:-1])
    assert last.startswith("semikd: ")
    return "" if len(lines) > 1 and " --teacher" not in words else last


done: dict[str, int] = {}


def succeeds(words: str, home: Path, out: Path) -> bool:
    """Return whether a right call ends well; one that did is not run again."""
    os.chdir(home)
    if words not in done:
        there = f" --out {out}" if words.startswith("distill") else ""
        done[words] = main(shlex.split(words + there))
    return done[words] == 0


GOOD = QUICK + "good.csv --target y --teacher linear"


def distill(wrong: str, words: str, right: str = GOOD) -> Case:
    """Return a case of a table: with ``{}`` for what comes before its name."""
    return f"{QUICK} --teacher linear --out new {wrong}", words, right


TABLES = [
    distill("no_such.csv --target y", "TABLE must be a file .*got 'no_such.csv'"),
    distill("god.csv --target y", "Did you mean 'good.csv'"),
    distill("foreign --target y", "got the folder 'foreign'. Name a file in it"),
    distill("empty.csv --target y", "TABLE must have a header and rows; got an empty"),
    distill("header.csv --target y", "TABLE must have rows; got a header only"),
    distill("table.xlsx --target y", "TABLE must end in .csv, .*got 'table.xlsx'"),
    distill("double.csv --target y", "every column differently; got 'a' more than"),
    distill("latin.csv --target y", "UTF-8 text; got byte 0xf8 in line 42. Save"),
    distill("ragged.csv --target y", "3 cells in every row; got 2 in line 42"),
    distill("quote.csv --target y", "TABLE must be well quoted; got .*line 42"),
    distill("broken.parquet --target y", "whole Parquet file; got .*Write or copy"),
    distill("unpacked.csv.gz --target y", "can be read; got Not a gzipped file"),
    distill("infinite.csv --target y", "finite numbers; got inf in row 0 of .*'a'"),
    distill("target_only.csv --target y", "have columns to predict from; got no"),
    distill("few.csv --target y", "at least 3 rows of every class .*; got 2 of class"),
]
ROLES = [
    distill("good.csv", "--target must name the column to predict; got nothing"),
    distill("good.csv --target yy", "column of the table; got 'yy'. Did you mean 'y'"),
    distill("good.csv --target Y", "--target must be a column .*Did you mean 'y'"),
    distill("one_class.csv --target y", "two different values; got only 'no' in"),
    distill("single.csv --target y", "two rows of every class; got one row, row 0"),
    distill("no_target_value.csv --target y", "value in every row; got 1 row"),
    distill("infinite_target.csv --target r", "--target must be finite; got -inf"),
    distill("constant.csv --target r", "different values; got only 1.5 in column 'r'"),
    distill("constant.csv --target r --task regression", "--target must .*only 1.5"),
    distill("good.csv --target y --task regression", "be a number for a regression"),
    distill("good.csv --target r --task classification", "whole numbers as classes"),
    distill("negative_weight.csv --target y --weight w", "got -1 in row 0 of .*'w'"),
    distill("no_weights.csv --target y --weight w", "positive sum; got only zeros"),
    distill("one_class_weighs.csv --target y --weight w", "only zeros for class 'no'"),
    distill("no_weight_value.csv --target y --weight w", "--weight must have a value"),
    distill("good.csv --target y --weight c", "be a column of numbers; got 'blue'"),
    distill("good.csv --target y --weight ww", "--weight .*Did you mean 'w'"),
    distill("good.csv --target y --groups gg", "--groups .*Did you mean 'g'"),
    distill("one_group.csv --target y --groups g", "at least two groups; got one"),
    distill("good.csv --target y --groups y", "no other role; got 'y' for both"),
]
OPTIONS = [
    distill("good.csv --target y --test 1.5", "--test must be .*at most 0.9; got 1.5"),
    distill("good.csv --target y --test 0", "--test must be a number above 0"),
    distill("good.csv --target y --test 0.001", "--test must leave every class"),
    distill("good.csv --target y --test no.csv", "--test must be a file of a table"),
    distill("good.csv --target y --test without_target.csv", "have the target, .*'y'"),
    distill("good.csv --target y --test without_a.csv", "--test must have the column"),
    distill("good.csv --target y --test new_label.csv", "--test must .*got 'maybe'"),
    distill("good.csv --target y --test only_yes.csv", "--test .*none of class 'no'"),
    distill("good.csv --target y --test one_row.csv", "--test must .*; got 1 row"),
    distill("good.csv --target r --test one_row.csv", "--test must .*; got 1 row"),
    distill("good.csv --target y --cv 1", "--cv must be an integer of at least 2"),
    distill("good.csv --target y --cv few", "--cv must be an integer; got 'few'"),
    distill("good.csv --target y --leaves 1", "--leaves must be .*least 2; got 1"),
    distill(f"good.csv --target y --leaves {10**20}", "--leaves must be .*at most 1"),
    distill("good.csv --target y --jobs 0", "--jobs must be .*other than 0; got 0"),
    distill("good.csv --target y --refits 0", "--refits must be .*at least 1; got 0"),
    distill("good.csv --target y --seed=-1", "--seed must be .*at least 0; got -1"),
    distill("good.csv --target y --student oak", "--student must be one of 'tree'"),
    distill("good.csv --target y --correction 2", "--correction must .*at most 1"),
    distill("good.csv --target y --key id", "--key must come with --labels"),
    distill("good.csv --target y --preset fas", "--preset must .*Did you mean 'fast'"),
    distill("good.csv --target y --time-budget=-1", "--time-budget must be .*above 0"),
    distill("good.csv --target y --time-budget inf", "--time-budget must be .*got inf"),
    distill("good.csv --target y --time-budget soon", "--time-budget must be a number"),
    distill("good.csv --target y --time-budget 9 --preset none", "with a search that"),
    distill("good.csv --target y --by cc", "--by .*column of the table; got 'cc'"),
    distill("good.csv --target y --by c", "parts of 30 rows or more, 10 of them out"),
    distill("good.csv --target y --by g --groups g", "'g', which is that of --groups"),
    distill("good.csv --target y --within 0", "--within must be a number above 0"),
    distill("good.csv --target y --within much", "--within must be a number; got"),
    distill("good.csv --target y --within 1 --student linear", "tree or a forest; got"),
    distill(
        "good.csv --target y --preset fast --correction 0.2", "--preset must be ab"
    ),
    distill("good.csv --targt y", "No such option: --targt .*--target"),
    distill("good.csv more.csv --target y", "unexpected extra argument.*more.csv"),
    ("distil good.csv", "No such command 'distil'. Did you mean 'distill'", GOOD),
    ("", "a command is needed. See semikd --help", GOOD),
    ("predict model", "Missing argument 'TABLE'", "predict model good.csv"),
]
TEACHERS = [
    distill(f"good.csv --target y --teacher {teacher}", words, right)
    for teacher, words, right in [
        ("forrest", "--teacher must .*Did you mean 'forest'", GOOD),
        ("no_module:x", "be importable; got .*No module named 'no_module'", GOOD),
        ("own:", "have the form package.module:object; got 'own:'", GOOD),
        ("own:Bass", "something in 'own'; got 'own:Bass'. Did you mean 'Base'", GOOD),
        ("syntax:x", "be importable; got 'syntax:x', which raised SyntaxError", GOOD),
        ("exits:x", "be importable; got 'exits:x', which raised SystemExit", GOOD),
        ("own:boom", "callable without arguments .*raised KeyError", GOOD),
        ("own:NoEstimator", "name an estimator, .*got NoEstimator", GOOD),
        ("own:Fit", "learn from the table; got RuntimeError: no such luck", GOOD),
        ("own:Late", "able to learn from the table; got KeyError: 'tired'", GOOD),
        ("own:Leaves", "able to learn from the table; got SystemExit: 0", GOOD),
        ("own:Nan", "teacher probabilities must be finite; got nan in row 0", GOOD),
        ("own:Wide", r"teacher probabilities must have shape \(84, 2\)", GOOD),
        ("sklearn.svm:SVC", "teacher must offer predict_proba; got SVC", GOOD),
    ]
] + [
    (
        QUICK + "gap_in_a.csv --target y --teacher sklearn.naive_bayes:GaussianNB",
        "--teacher must be able to learn from the table; got ValueError: .*NaN",
        QUICK + "good.csv --target y --teacher sklearn.naive_bayes:GaussianNB",
    ),
    (
        f"{GOOD} --teacher own:Fit --out new",
        "no such luck",
        f"{GOOD} --teacher own:Base",
    ),
]
PLACES = [
    (f"{GOOD} --out model", "holds an earlier result. Add --force", f"{GOOD} --force"),
    (f"{GOOD} --out foreign --force", "which holds 'notes.csv'. Name another", GOOD),
    (f"{GOOD} --out file", "--out must be a folder .*got 'file', a file", GOOD),
    (f"{GOOD} --out file/new", "folder that can be written; got 'file/new'", GOOD),
    (f"{GOOD} --out . --force", "a folder in use. Name a new folder in it", GOOD),
]
BY_KEY = QUICK + "good.csv --target y --key id --labels by_key.csv"
RIGHT_LABELS = QUICK + "good.csv --target y --labels right.csv"
LABELS = [
    (QUICK + f"good.csv --target y --out new --labels {wrong}", words, right)
    for wrong, words, right in [
        ("no_file.csv", "--labels must be a file of a table", RIGHT_LABELS),
        ("labels_header.csv", "--labels must have rows; got a header", RIGHT_LABELS),
        ("right.csv --teacher forest", "--teacher must be absent", RIGHT_LABELS),
        ("right.csv --preset fast", "--preset must be absent, or 'no", RIGHT_LABELS),
        ("right.csv --within 0.1", "--within must be absent with", RIGHT_LABELS),
        ("right.csv --time-budget 9", "--time-budget must come with", RIGHT_LABELS),
        ("no_fold.csv", "got columns without 'fold'. The columns are", RIGHT_LABELS),
        ("no_row.csv", "got columns without 'row'. The columns are", RIGHT_LABELS),
        ("other_class.csv", r"got columns without 'p\(no\)'", RIGHT_LABELS),
        ("twice.csv", "one label for a row; got two with 'row'", RIGHT_LABELS),
        ("beyond.csv", "name rows of the table; got row 1", RIGHT_LABELS),
        ("other_rows.csv", "belong to the table's rows; got 84 rows", RIGHT_LABELS),
        ("negative.csv", "sum to one; got -0.1 in line 2", RIGHT_LABELS),
        ("no_sum.csv", "sum to one; got a sum of 1.2 in line 2", RIGHT_LABELS),
        ("words.csv", r"hold numbers; got words in column 'p\(no\)'", RIGHT_LABELS),
        ("gap.csv", "hold finite numbers; got nan in line 2", RIGHT_LABELS),
        ("half_fold.csv", "integers of at least -1 in column 'fold'", RIGHT_LABELS),
        ("only_no.csv", "--labels must leave every class .*with a label", RIGHT_LABELS),
        ("lacking.csv", "--labels must leave .*without a label, held", RIGHT_LABELS),
        ("right.csv --key no", "--key must be a column of the table", BY_KEY),
        ("by_key.csv --key c", "--key must tell every row .*got '.*' more", BY_KEY),
        ("right.csv --key id", "got columns without 'id'", BY_KEY),
        ("other_keys.csv --key id", "--labels must have keys of the table", BY_KEY),
    ]
]
PREDICT, EVALUATE = "predict model good.csv", "evaluate model good.csv"
APPLIED = [
    ("predict no_model good.csv", "no_model must be a folder with a saved", PREDICT),
    ("predict file good.csv", "file must be a folder with a saved model", PREDICT),
    ("predict foreign good.csv", "got none: model.json is missing", PREDICT),
    ("predict model n" + 300 * "o", "a path must be .*File name too long", PREDICT),
    ("predict n" + 300 * "o" + " good.csv", "o must be a folder|path must be", PREDICT),
    ("predict model no.csv", "TABLE must be a file of a table; got 'no.csv'", PREDICT),
    ("predict model header.csv", "TABLE must have rows; got a header", PREDICT),
    (
        "predict model without_a.csv",
        "columns of the training table; got .*'a'",
        PREDICT,
    ),
    ("predict model capital_A.csv", "without 'a' .*Did you mean 'aa'", PREDICT),
    ("predict model infinite.csv", "'a' must be finite; got inf in row 0", PREDICT),
    (
        "predict model good.csv --out x.doc",
        "--out must end in .csv, .*'x.doc'",
        PREDICT,
    ),
    ("predict model good.csv --out no/x.csv", "Make the folder first", PREDICT),
    ("evaluate model without_target.csv", "have the target, column 'y'", EVALUATE),
    ("evaluate model no_target_value.csv", "got 1 without one .*row 0", EVALUATE),
    (
        "evaluate model new_label.csv",
        "labels of 'y': 'no', 'yes'; got 'maybe'",
        EVALUATE,
    ),
    ("evaluate model without_a.csv", "columns of the training table", EVALUATE),
]


CASES = [*TABLES, *ROLES, *OPTIONS, *TEACHERS, *PLACES, *LABELS, *APPLIED]


@pytest.mark.parametrize(
    ("wrong", "words", "right"),
    [pytest.param(*case, id=case[0].replace(QUICK, "")) for case in CASES],
)
def test_what_is_wrong_is_one_line_and_what_is_right_succeeds(
    wrong: str, words: str, right: str, home: Path, tmp_path: Path, capsys: Capture
) -> None:
    line = refused(wrong, home, capsys)
    assert re.search(words, line), line
    assert succeeds(right, home, tmp_path / "right"), capsys.readouterr().err


def hostile(folder: Path, **changes: object) -> None:
    """Change what model.json says."""
    file = folder / "model.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def flipped(file: Path, at: int) -> None:
    """Change one bit of a file."""
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


SPOILT: dict[str, Callable[[Path], object]] = {
    "no_arrays": lambda folder: (folder / "model.npz").unlink(),
    "cut_short": lambda folder: os.truncate(folder / "model.npz", 300),
    "one_bit": lambda folder: flipped(folder / "model.npz", 400),
    "other_format": lambda folder: (folder / "model.json").write_text('{"a": 1}'),
    "a_list": lambda folder: (folder / "model.json").write_text("[]"),
    "no_json": lambda folder: (folder / "model.json").write_text("model"),
    "no_text": lambda folder: (folder / "model.json").write_bytes(b"\xff\xfe\x00"),
    "a_tower": lambda folder: (folder / "model.json").write_text("[" * 100_000),
    "another_threshold": lambda folder: hostile(folder, threshold=0.01),
    "a_pickle": lambda folder: pd.to_pickle(print, folder / "model.npz"),
}
SAID = {
    "no_arrays": "model.npz must be a regular file that can be read",
    "cut_short": "model.npz must have the .* bytes that model.json states; got 300",
    "one_bit": "model.npz must agree with model.json; got another hash",
    "other_format": "must be of the format 'semikd-model'; got another",
    "a_list": "model.json must be a JSON object; got list",
    "no_json": "model.json must be JSON; got Expecting value",
    "no_text": "model.json must be JSON; got .*0xff",
    "a_tower": "model.json must be nested at most 32 deep; got more",
    "another_threshold": "model.json must agree with its hash; got changed content",
    "a_pickle": "model.npz must have the .* bytes that model.json states",
}


@pytest.mark.parametrize("command", ["predict", "evaluate"])
@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_damaged_or_hostile_model_is_one_line(
    command: str, spoilt: str, home: Path, tmp_path: Path, capsys: Capture
) -> None:
    line = refused(f"{command} {spoilt} good.csv", home, capsys)
    assert re.search(SAID[spoilt], line), line
    assert succeeds(f"{command} model good.csv", home, tmp_path)


@pytest.mark.parametrize(
    "right",
    [
        QUICK + "nothing_in_a.csv --target y --teacher linear",
        QUICK + "text_and_a.csv --target y --teacher linear",
        QUICK + "good.csv.gz --target y --teacher linear",
        QUICK + "good.parquet --target y --teacher linear --groups g --weight w",
        QUICK + "good.csv --target y --teacher linear --cv 1000",
        QUICK + "good.csv --target y --teacher linear --cv 2",
        QUICK + "good.csv --target y --teacher linear --time-budget 0.001",
        QUICK + "good.csv --target y --teacher linear --within 0.001",
        QUICK + "good.csv --target r --teacher linear --within 1e9",
        QUICK + "good.csv --target y --labels right.csv --preset none",
        "predict model black.csv",
        "predict model words_in_a.csv",
        "evaluate model only_yes.csv",
        "evaluate model one_row.csv",
    ],
)
def test_what_is_odd_but_not_wrong_is_handled(
    right: str, home: Path, tmp_path: Path
) -> None:
    assert succeeds(right, home, tmp_path / "right")


def test_a_table_of_texts_only_has_nothing_for_a_student(
    home: Path, capsys: Capture
) -> None:
    os.chdir(home)
    words = f"{QUICK} text_only.csv --target y --teacher linear --out new"
    assert main(shlex.split(words)) == 2
    *_, last = capsys.readouterr().err.splitlines()
    assert "must have a column that a student can read; got" in last
    assert not (home / "new").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk is ever full")
def test_an_output_that_is_full_is_no_bug(
    home: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chdir(home)
    # Closing it fails again.
    with suppress(OSError), open("/dev/full", "w") as full, monkeypatch.context() as at:
        at.setattr(sys, "stdout", full)
        assert main(["evaluate", "model", "good.csv"]) == 2
    said = capsys.readouterr().err
    assert "the output must be one that the system allows; got No space" in said
    assert main(["evaluate", "model", "good.csv"]) == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write_is_refused(
    home: Path, tmp_path: Path, capsys: Capture
) -> None:
    tmp_path.chmod(0o500)
    line = refused(f"{GOOD} --out {tmp_path}/new", home, capsys)
    assert "--out must be a folder that can be written" in line
    tmp_path.chmod(0o700)
    assert succeeds(GOOD, home, tmp_path / "new")
