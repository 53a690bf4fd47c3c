"""Tables in and out of files: read whole, or refused in one line that says where."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from semikd.exceptions import UsageError
from semikd.job import read_table, write_table

GOOD = "age,colour\n31,red\n40,blue\n"

Written = Callable[[str, str | bytes], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Return a function that writes a file and returns its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def refused(path: Path, match: str) -> None:
    """Check that a path is refused on one line, in the form of all refusals."""
    with pytest.raises(UsageError, match=match) as caught:
        read_table(path)
    text = str(caught.value)
    assert text.startswith("TABLE must ")
    assert "; got " in text
    assert "\n" not in text


def test_a_table_is_read_with_plain_types(written: Written) -> None:
    text = (
        "whole,broken,gap,flag,halfflag,day,instant,clock,word,void\n"
        "1,1.5,1,true,true,2024-02-29,2024-02-29 10:00:00,12:30,a,\n"
        "2,2,,false,,2024-03-01,,09:15,?,NA\n"
    )
    frame = read_table(written("t.csv", text))
    kinds = {name: frame[name].dtype.kind for name in frame.columns}
    assert kinds == {
        "whole": "i",
        "broken": "f",
        "gap": "f",
        "flag": "b",
        "halfflag": "f",
        "day": "M",
        "instant": "M",
        "clock": "O",
        "word": "O",
        "void": "f",
    }
    assert frame["clock"].tolist() == ["12:30", "09:15"]
    assert frame["day"].dt.day.tolist() == [29, 1]
    np.testing.assert_array_equal(frame["halfflag"], [1.0, np.nan])
    assert frame.isna().sum().to_dict() == dict.fromkeys(kinds, 0) | {
        "gap": 1,
        "halfflag": 1,
        "instant": 1,
        "word": 1,
        "void": 2,
    }


def test_numbers_and_words_agree_with_pandas(written: Written) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=500),
            "n": rng.integers(-5, 5, 500),
            "w": rng.choice(["red, dark", 'say "hi"', "two\nlines", "plain"], 500),
        }
    )
    path = written("t.csv", frame.to_csv(index=False))
    pd.testing.assert_frame_equal(
        read_table(path), pd.read_csv(path), check_exact=False, rtol=1e-15
    )


def test_late_surprises_change_the_whole_column(written: Written) -> None:
    many = "".join(f"0{i % 7},1\n" for i in range(400_000))
    frame = read_table(written("t.csv", "code,x\n" + many + "none of it,2.5\n"))
    assert frame["code"].iloc[[0, 1, -1]].tolist() == ["00", "01", "none of it"]
    assert frame["x"].iloc[-1] == 2.5


def test_null_words_are_those_of_skrub(written: Written, tmp_path: Path) -> None:
    from skrub import Cleaner
    from skrub._clean_null_strings import STR_NA_VALUES

    words = [*STR_NA_VALUES, "   ", "\u2003", "N.A.", "missing", "0", "x"]
    ids = range(len(words))
    given = pd.DataFrame({"id": ids, "word": words}).astype({"word": "str"})
    oracle = Cleaner().fit_transform(given)["word"].isna()
    lines = "".join(f'{i},"{word}"\n' for i, word in zip(ids, words, strict=True))
    frame = read_table(written("t.csv", "id,word\n" + lines))
    assert frame["word"].isna().tolist() == oracle.tolist()
    assert 0 < oracle.sum() < len(words)
    parquet.write_table(pa.table({"word": words}), tmp_path / "t.parquet")
    again = read_table(tmp_path / "t.parquet")
    assert again["word"].isna().tolist() == oracle.tolist()


def test_columns_asked_for_as_text_keep_their_zeros(written: Written) -> None:
    path = written("t.csv", "code,when\n01,12:30\n?,\n")
    frame = read_table(path, text_columns=["code", "absent"])
    assert frame["code"].tolist()[0] == "01"
    assert frame["code"].isna().tolist() == [False, True]
    assert read_table(path)["code"].tolist()[0] == 1.0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", GOOD),
        ("t.csv", GOOD.replace(",", ";")),
        ("t.csv", GOOD.replace(",", "\t")),
        ("t.txt", GOOD.replace(",", "\t")),
        ("t.tsv", GOOD.replace(",", "\t")),
        ("T.CSV", GOOD),
        ("t.csv", GOOD.replace("\n", "\r\n")),
        ("t.csv", "\ufeff" + GOOD),
        ("t.csv", "\n\n" + GOOD + "\n\n"),
        ("t.csv", GOOD.rstrip("\n")),
    ],
)
def test_delimiters_and_line_ends_are_recognised(
    name: str, text: str, written: Written
) -> None:
    frame = read_table(written(name, text))
    assert frame.to_dict("list") == {"age": [31, 40], "colour": ["red", "blue"]}
    packed = written(f"{name}.gz", gzip.compress(text.encode()))
    pd.testing.assert_frame_equal(read_table(packed), frame)


def test_decimal_commas_are_understood_between_semicolons(written: Written) -> None:
    frame = read_table(written("t.csv", "a;b\n1,5;x\n-2;y\n"))
    assert frame["a"].tolist() == [1.5, -2.0]
    mixed = read_table(written("t.csv", "a;b\n1,5;2.5\n2;3\n"))
    assert mixed["b"].tolist() == [2.5, 3.0]


def test_quoted_cells_may_hold_anything(written: Written) -> None:
    text = '"na\nme",b\n"x\n\ny","1"\n"say ""hi"", you",2\n5" pipe,3\n'
    frame = read_table(written("t.csv", text))
    assert frame.columns.tolist() == ["na\nme", "b"]
    assert frame.iloc[:, 0].tolist() == ["x\n\ny", 'say "hi", you', '5" pipe']


def test_a_frame_that_was_read_can_be_changed(written: Written) -> None:
    frame = read_table(written("t.csv", "a,b\n1,2.5\n3,4.5\n"))
    frame.loc[0, "a"] = 7
    frame.loc[0, "b"] = 7.5
    assert frame.iloc[0].tolist() == [7, 7.5]


def test_parquet_types_become_plain_ones(tmp_path: Path) -> None:
    table = pa.table(
        {
            "small": pa.array([1, 2], pa.int8()),
            "gap": pa.array([1, None], pa.int32()),
            "huge": pa.array([2**63, 1], pa.uint64()),
            "half": pa.array([0.5, 1.5], pa.float32()),
            "money": pa.array(["1.50", "2.25"]).cast(pa.decimal128(5, 2)),
            "kind": pa.array(["a", "b"]).dictionary_encode(),
            "paris": pa.array([0, 3600], pa.timestamp("s", "Europe/Paris")),
            "spent": pa.array([1500, None], pa.duration("ms")),
            "bytes": pa.array([b"a", b"b"]),
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet")
    frame = read_table(tmp_path / "t.parquet")
    kinds = "".join(frame[name].dtype.kind for name in frame.columns)
    assert kinds == "iffffOMfO"
    assert frame["money"].tolist() == [1.5, 2.25]
    assert frame["spent"].tolist()[0] == 1.5
    assert frame["paris"].tolist() == [
        pd.Timestamp("1970-01-01 00:00"),
        pd.Timestamp("1970-01-01 01:00"),
    ]
    assert frame["huge"].tolist() == [2.0**63, 1.0]


def test_the_index_that_pandas_stores_is_no_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3]}).iloc[[2, 0]]
    frame.to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").columns.tolist() == ["a"]


def test_a_parquet_column_of_lists_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"a": [1], "b": [[1, 2]]}), path)
    refused(path, r"one value in every cell; got list<.*> in column 'b'")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "have a header and rows; got an empty file"),
        ("\n \n", "have a header and rows; got an empty file"),
        ("age,colour\n", "have rows; got a header only"),
        ("age,colour", "have rows; got a header only"),
        ("age,age\n1,2\n", "differently; got 'age' more than once"),
        ("age,\n1,2\n", "name every column; got no name for column 2"),
        ("age,colour\n31,red\n40\n", "2 cells in every row; got 1 in line 3"),
        ("age,colour\n31,red\n\n40,b,c\n", "2 cells in every row; got 3 in line 4"),
        ('age,colour\n"4\n2",red\n1\n', "2 cells in every row; got 1 in line 4"),
        ('age,colour\n31,"red\n40,blue\n', "well quoted; got .* begins in line 2"),
        ('age,colour\n31,"red\n40,"blue"\n', "well quoted; got .* begins in line 2"),
        ("age|colour\n31|red\n", r"as its ending says; got one column, 'age\|colour'"),
    ],
)
def test_broken_text_is_refused_where_it_breaks(
    text: str, match: str, written: Written
) -> None:
    refused(written("t.csv", text), match)
    assert len(read_table(written("t.csv", GOOD))) == 2


def test_text_in_another_code_is_refused(written: Written) -> None:
    refused(
        written("t.csv", "age,colour\n31,rouge\n40,bleuté\n".encode("latin-1")),
        "UTF-8 text; got byte 0xe9 in line 3. Save the file as UTF-8",
    )
    refused(written("t.csv", b"\xe9ge\n1\n"), "byte 0xe9 in line 1")
    refused(written("t.csv", GOOD.encode("utf-16")), "got UTF-16 text")
    refused(written("t.csv", GOOD.encode("utf-32")), "got UTF-32 text")
    refused(written("t.csv", GOOD.encode("utf-16-le")), "got a zero byte in line 1")
    late = "age,colour\n" + "31,red\n" * 300_000
    refused(written("t.csv", late.encode() + b"1,\xff\n"), "0xff in line 300002")
    assert read_table(written("t.csv", "é,colour\n1,bleuté\n"))["colour"][0] == "bleuté"


def test_tabs_are_expected_where_the_ending_says_so(written: Written) -> None:
    refused(written("t.tsv", GOOD), "got one column, 'age,colour'. Separate")


def test_a_damaged_archive_is_refused(written: Written) -> None:
    packed = gzip.compress(GOOD.encode() * 1000)
    middle = bytearray(packed)
    middle[len(packed) // 2] ^= 0xFF
    for damaged in (packed[:-12], bytes(middle), GOOD.encode(), packed[:5]):
        refused(written("t.csv.gz", damaged), "be a file that can be read; got ")
    refused(written("t.csv.gz", b""), "an empty file")


def test_a_late_damage_is_refused_too(written: Written) -> None:
    noise = np.random.default_rng(0).integers(0, 10**9, 400_000)
    packed = gzip.compress(("x\n" + "\n".join(map(str, noise))).encode(), 1)
    assert len(read_table(written("t.csv.gz", packed))) == len(noise)
    refused(written("t.csv.gz", packed[:-100]), "be a file that can be read")


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    whole = path.read_bytes()
    for damaged in (b"", b"PAR1", whole[:-20], whole[50:], b"x" * 500):
        path.write_bytes(damaged)
        refused(path, "be a whole Parquet file; got ")
    path.write_bytes(whole)
    assert len(read_table(path)) == 1000


def test_parquet_is_held_to_the_same_names_and_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table([[1], [2]], names=["a", "a"]), path)
    refused(path, "'a' more than once")
    parquet.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    refused(path, "a header only")


def test_what_is_no_file_is_refused_with_the_nearest(
    written: Written, tmp_path: Path
) -> None:
    assert len(read_table(written("train.csv", GOOD))) == 2
    refused(tmp_path, "be a file of a table; got the folder '")
    refused(tmp_path / "trian.csv", r"Did you mean 'train\.csv' in that folder\?$")
    refused(tmp_path / "zzz.csv", "There is no such file")
    refused(tmp_path / "no" / "train.csv", "There is no folder '.*no'")
    refused(written("train.xlsx", "x"), "end in .csv, .tsv, .txt, .* or .parquet")


def test_the_nearest_file_of_this_folder_has_no_folder(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(written("train.csv", GOOD).parent)
    refused(Path("trian.csv"), r"got 'trian\.csv'\. Did you mean 'train\.csv'\?$")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions of POSIX")
def test_a_file_that_may_not_be_read_is_refused(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written("t.csv", GOOD)
    if os.geteuid() == 0:
        # The administrator may read everything, so the refusal is played.
        def deny(self: Path, *_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "open", deny)
    path.chmod(0)
    refused(path, r"got '.*t\.csv' \(Permission denied\)\. Give yourself the right")


def test_messages_name_the_option_they_speak_of(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--test must be a file of a table"):
        read_table(tmp_path / "no.csv", name="--test")


FRAME = pd.DataFrame({"row": [0, 1], "p(a,b)": [0.1, 1 / 3], "class": ["x", 'q"\n']})


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet"])
def test_what_is_written_is_read_again(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{ending}"
    write_table(FRAME, path)
    pd.testing.assert_frame_equal(read_table(path), FRAME.astype({"class": "str"}))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_packed_text_has_the_same_bytes_every_time(tmp_path: Path) -> None:
    for name in ("a.csv.gz", "b.csv.gz"):
        write_table(FRAME, tmp_path / name)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


@pytest.mark.parametrize("path", ["-", None])
def test_the_screen_gets_plain_lines(
    path: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(FRAME[["row"]], path)
    assert capsys.readouterr().out == "row\n0\n1\n"


def test_a_failed_write_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_table(FRAME, path)
    before = path.read_bytes()

    class Broken(pd.DataFrame):
        def to_csv(self, handle: object, **kwargs: object) -> None:
            handle.write("half a li")  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(Broken({"a": [1]}), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


def test_a_full_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(UsageError, match=r"\(No space left on device\)\. Make room"):
        write_table(FRAME, tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


def test_places_that_take_no_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"--out must end in \.csv, .*got '.*out\.xls'"
    ):
        write_table(FRAME, tmp_path / "out.xls")
    with pytest.raises(UsageError, match=r"No such file or directory.*Make the folder"):
        write_table(FRAME, tmp_path / "no" / "out.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match=r"be a file that can be written.*a folder"):
        write_table(FRAME, tmp_path / "folder.csv")
    write_table(FRAME, tmp_path / "out.csv")
    assert len(read_table(tmp_path / "out.csv")) == 2


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="needs /dev/null")
def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "null.csv").symlink_to("/dev/null")
    write_table(FRAME, tmp_path / "null.csv")
    assert Path("/dev/null").is_char_device()


def test_a_link_keeps_leading_to_what_is_written(tmp_path: Path) -> None:
    frame = pd.DataFrame({"p": [0.5]})
    link, loop = tmp_path / "link.csv", tmp_path / "loop.csv"
    link.symlink_to(tmp_path / "file.csv")
    loop.symlink_to(loop)
    for path in (link, loop):
        write_table(frame, path)
        assert path.read_text() == "p\n0.5\n"
    assert link.is_symlink()
    assert not loop.is_symlink()
