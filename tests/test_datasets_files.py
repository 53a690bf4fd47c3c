"""Loaders are judged on files made here, whose content is known."""

import gzip
import io
import tarfile

import numpy as np
import pandas as pd
import pytest

from semikd.datasets import load_dataset


def write_gzip(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        gzip.compress(content.encode() if isinstance(content, str) else content)
    )


def load_tiny(name, home):
    return load_dataset(name, data_home=home, cache=home / "cache", verify=False)


def test_a_missing_file_is_named_with_its_place_and_source(tmp_path, monkeypatch):
    monkeypatch.delenv("SEMIKD_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match="SEMIKD_DATA") as caught:
        load_dataset("adult")
    assert "data_home must hold the file adult/adult.test.gz" in str(caught.value)
    assert "https://archive.ics.uci.edu" in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match="no such file in") as caught:
        load_dataset("adult", data_home=tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_the_environment_variable_names_the_folder_unless_one_is_passed(
    tmp_path, monkeypatch
):
    write_gzip(tmp_path / "magic/magic04.data.gz", "1,2,3,4,5,6,7,8,9,10,g\n")
    monkeypatch.setenv("SEMIKD_DATA", str(tmp_path))
    assert len(load_dataset("magic", verify=False).y) == 1
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_dataset("magic", data_home=tmp_path / "elsewhere", verify=False)


def test_another_checksum_is_refused_and_both_are_named(tmp_path):
    write_gzip(tmp_path / "magic/magic04.data.gz", "1,2,3,4,5,6,7,8,9,10,g\n")
    known = "3cfa121556434f2359d69cf5e0518a73bf82f732cf14fb1d42af2f78fefab95d"
    with pytest.raises(ValueError, match=f"have SHA-256 {known}; got [0-9a-f]{{64}}"):
        load_dataset("magic", data_home=tmp_path)


def test_adult_joins_the_test_file_first_and_codes_in_declared_order(tmp_path):
    row = (
        "{}, {}, 77516, Bachelors, 13, Never-married, ?, Wife, White, Male, 0, 0, 40, "
        "Hong, {}\n"
    )
    train = row.format(39, "State-gov", "<=50K") + row.format(40, "?", ">50K") + "\n"
    test = "|1x3 Cross validator\n" + row.format(25, "Private", ">50K.")
    write_gzip(tmp_path / "adult/adult.data.gz", train)
    write_gzip(tmp_path / "adult/adult.test.gz", test)
    data = load_tiny("adult", tmp_path)
    assert data.y.tolist() == [">50K", "<=50K", ">50K"]
    assert data.X["age"].tolist() == [25, 39, 40]
    assert data.extra["test_index"].tolist() == [0]
    assert data.extra["train_index"].tolist() == [1, 2]
    assert data.extra["sample_weight"].tolist() == [77516.0] * 3
    workclass = data.numeric()[:, 1]
    np.testing.assert_array_equal(workclass, [0, 5, np.nan])
    assert data.X["occupation"].isna().all()


def test_an_undeclared_category_is_refused_by_row(tmp_path):
    row = (
        "1, Pirate, 1, Bachelors, 13, Divorced, Sales, Wife, White, Male, 0, 0, 1, "
        "Hong, >50K\n"
    )
    write_gzip(tmp_path / "adult/adult.data.gz", row)
    write_gzip(
        tmp_path / "adult/adult.test.gz", "|\n" + row.replace("Pirate", "Private")
    )
    with pytest.raises(ValueError, match=r"'workclass' must hold .*'Pirate' in row 1"):
        load_tiny("adult", tmp_path)


def test_bank_marketing_drops_duration_and_takes_unknown_as_missing(tmp_path):
    names = (
        "age;job;marital;education;default;housing;loan;contact;month;day_of_week;"
        "duration;campaign;pdays;previous;poutcome;emp.var.rate;cons.price.idx;"
        "cons.conf.idx;euribor3m;nr.employed;y\n"
    )
    row = (
        '56;"housemaid";"married";"basic.4y";"unknown";"no";"yes";"telephone";"may";'
        '"mon";261;1;999;0;"nonexistent";1.1;93.994;-36.4;4.857;5191;"no"\n'
    )
    write_gzip(tmp_path / "bank_marketing/bank-additional-full.csv.gz", names + row)
    data = load_tiny("bank_marketing", tmp_path)
    assert "duration" not in data.X.columns
    assert data.X.shape == (1, 19)
    assert data.X["default"].isna().all()
    assert data.numeric()[0, 8] == 4.0


def test_magic_keeps_its_rows_in_order(tmp_path):
    lines = "1,2,3,4,5,6,7,8,9,10,g\n0.5,2,3,4,5,6,7,8,9,10,h\n"
    write_gzip(tmp_path / "magic/magic04.data.gz", lines)
    data = load_tiny("magic", tmp_path)
    assert data.y.tolist() == ["g", "h"]
    assert data.X["fLength"].tolist() == [1.0, 0.5]


@pytest.mark.parametrize("name", ["spambase", "letter"])
def test_arff_files_lose_their_header_only(name, tmp_path):
    header = "% a remark\n@RELATION x\n@attribute 'first one' integer\n"
    header = (
        header.replace("first one", "first-one") + "@attribute class {0, 1}\n@data\n"
    )
    write_gzip(tmp_path / f"{name}/{name}.arff.gz", header + "3,1\n4,0\n")
    data = load_tiny(name, tmp_path)
    assert data.X["first-one"].tolist() == [3, 4]
    assert data.y.tolist() == [1, 0]


def test_covertype_drops_the_row_number(tmp_path):
    content = "Id,Elevation,Cover_Type\n1,2596,5\n2,2590,2\n"
    write_gzip(tmp_path / "covertype_15k/train.csv.gz", content)
    data = load_tiny("covertype_15k", tmp_path)
    assert data.X.columns.tolist() == ["Elevation"]
    assert data.y.tolist() == [5, 2]


def test_electricity_keeps_the_order_of_time(tmp_path):
    content = "period,nswprice,class\n0.0,0.3,1\n0.02,0.1,0\n"
    write_gzip(tmp_path / "electricity/elec.csv.gz", content)
    data = load_tiny("electricity", tmp_path)
    assert data.X["period"].tolist() == [0.0, 0.02]
    assert data.y.tolist() == [1, 0]


def idx(array):
    lengths = np.array(array.shape, dtype=">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + lengths + array.astype(np.uint8).tobytes()


def write_mnist(home, images):
    for part, rows in (("train", images[:2]), ("t10k", images[2:])):
        write_gzip(home / f"mnist/{part}-images-idx3-ubyte.gz", idx(rows))
        write_gzip(home / f"mnist/{part}-labels-idx1-ubyte.gz", idx(rows[:, 0, 0]))


def test_mnist_images_and_labels_come_back_as_written(tmp_path):
    images = np.arange(18).reshape(3, 2, 3)
    write_mnist(tmp_path, images)
    data = load_tiny("mnist", tmp_path)
    np.testing.assert_array_equal(data.X, images)
    assert data.X.dtype == np.uint8
    assert data.y.tolist() == [0, 6, 12]
    assert data.extra["train_index"].tolist() == [0, 1]
    assert data.extra["test_index"].tolist() == [2]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            b"\x00\x00\x0d\x01",
            "begin as an idx file of unsigned bytes; got the bytes 00 00 0d",
        ),
        (
            idx(np.zeros(4))[:-1],
            r"hold one byte per entry; got 3 bytes for shape \(4,\)",
        ),
    ],
)
def test_a_damaged_idx_file_is_refused(content, complaint, tmp_path):
    write_mnist(tmp_path, np.zeros((3, 2, 2)))
    write_gzip(tmp_path / "mnist/train-labels-idx1-ubyte.gz", content)
    with pytest.raises(ValueError, match=complaint):
        load_tiny("mnist", tmp_path)


def write_cifar(home, colours):
    from PIL import Image

    path = home / "cifar10/cifar10_jpg.tar.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for member, colour in colours.items():
            stream = io.BytesIO()
            Image.new("RGB", (32, 32), (colour, colour, colour)).save(stream, "JPEG")
            info = tarfile.TarInfo(member)
            info.size = len(stream.getvalue())
            archive.addfile(info, io.BytesIO(stream.getvalue()))


def test_cifar10_is_decoded_once_in_order_of_part_class_and_number(
    tmp_path, monkeypatch
):
    members = {
        "test/ship/0000.jpg": 10,
        "train/truck/0000.jpg": 60,
        "train/cat/0001.jpg": 200,
        "train/cat/0000.jpg": 120,
        "README.md": 0,
    }
    write_cifar(tmp_path, members)
    first = load_tiny("cifar10", tmp_path)
    assert first.X.shape == (4, 32, 32, 3)
    np.testing.assert_allclose(first.X[:, 5, 5, 0], [120, 200, 60, 10], atol=2)
    assert first.y.tolist() == [3, 3, 9, 8]
    assert first.extra["test_index"].tolist() == [3]
    assert first.extra["class_names"][9] == "truck"
    assert len(list((tmp_path / "cache").iterdir())) == 2
    monkeypatch.setattr("semikd.datasets._images._decode", None)
    np.testing.assert_array_equal(load_tiny("cifar10", tmp_path).X, first.X)


def test_an_archive_without_images_is_refused(tmp_path):
    write_cifar(tmp_path, {"README.md": 0})
    with pytest.raises(
        ValueError, match=r"must hold train\|test/CLASS/NNNN.jpg; got none"
    ):
        load_tiny("cifar10", tmp_path)


def test_another_archive_is_not_answered_from_the_cache(tmp_path):
    write_cifar(tmp_path, {"train/cat/0000.jpg": 0})
    load_tiny("cifar10", tmp_path)
    write_cifar(tmp_path, {"train/dog/0000.jpg": 0, "test/dog/0000.jpg": 9})
    assert load_tiny("cifar10", tmp_path).y.tolist() == [5, 5]


def test_the_cache_of_the_user_is_taken_where_none_is_passed(tmp_path, monkeypatch):
    write_cifar(tmp_path, {"train/cat/0000.jpg": 0})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    load_dataset("cifar10", data_home=tmp_path, verify=False)
    assert len(list((tmp_path / "user/semikd").glob("*.npy"))) == 2


def test_lalonde_keeps_treatment_and_outcome_out_of_the_features(tmp_path):
    columns = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]
    frame = pd.DataFrame({name: [1, 2] for name in columns})
    (tmp_path / "lalonde").mkdir()
    experiment = frame.assign(treat=[1, 0], re78=np.float32([0.1, 5]))
    experiment.to_stata(tmp_path / "lalonde/nsw_mixtape.dta", write_index=False)
    names = {"hisp": "hispanic", "marr": "married"}
    joined = frame.rename(columns=names).assign(treated=[0, 1], re78=[3.0, 4.0])
    joined.to_stata(tmp_path / "lalonde/nswcps.dta", write_index=False)
    data, survey = load_tiny("lalonde", tmp_path), load_tiny("lalonde_cps", tmp_path)
    assert data.X.columns.tolist() == survey.X.columns.tolist() == columns
    assert data.extra["treatment"].tolist() == [1, 0]
    assert survey.extra["treatment"].tolist() == [0, 1]
    assert data.y.dtype == np.float64


def test_pension401k_tells_eligibility_from_participation(tmp_path):
    names = "nifa net_tfa tw age inc fsize educ db marr twoearn e401 p401 pira hown"
    frame = pd.DataFrame({name: [0.0, 1.0] for name in names.split()})
    (tmp_path / "pension401k").mkdir()
    frame = frame.assign(e401=[1, 1])
    frame.to_stata(tmp_path / "pension401k/sipp1991.dta", write_index=False)
    data = load_tiny("pension401k", tmp_path)
    assert data.extra["treatment"].tolist() == [1, 1]
    assert data.extra["participation"].tolist() == [0, 1]
    assert not {"e401", "p401", "nifa", "tw", "net_tfa"} & set(data.X.columns)


def test_penn_bonus_compares_arm_four_with_control(tmp_path):
    header = "abdt tg inuidur1 inuidur2 female  dep \n"
    content = header + "1 0 18 18 0 2\n1 2 7 3 0 0\n1 4 1 1 1 0\n"
    write_gzip(tmp_path / "penn_bonus/penn_jae.dat.gz", content)
    data = load_tiny("penn_bonus", tmp_path)
    assert data.X.columns.tolist() == ["female", "dep"]
    assert data.extra["treatment"].tolist() == [0, 1]
    np.testing.assert_allclose(data.y, [np.log(18), 0.0])
    assert len(data.extra["all_rows"]) == 3


def test_ihdp_names_the_replication_and_recodes_x14(tmp_path):
    (tmp_path / "ihdp").mkdir()
    row = [1, 5.0, 4.0, 2.0, 6.5, *range(1, 14), 2, *range(15, 26)]
    line = ",".join(str(value) for value in row)
    (tmp_path / "ihdp/ihdp_npci_2.csv").write_text(line)
    data = load_tiny("ihdp_2", tmp_path)
    assert data.name == "ihdp_2"
    assert data.X["x14"].tolist() == [1]
    assert data.X["x25"].tolist() == [25]
    assert (data.extra["mu1"] - data.extra["mu0"]).tolist() == [4.5]
    assert "4.5000" in data.description
