"""The declared categories of the tables, in the order of their documentation.

Codes made from a declaration do not depend on which rows were read.
"""

from typing import TYPE_CHECKING

from semikd._validation import Shown, invalid

if TYPE_CHECKING:
    import pandas as pd

Declaration = dict[str, tuple[str, ...]]


def _words(text: str) -> tuple[str, ...]:
    """Return the categories of a declaration written with blanks between them."""
    return tuple(text.split())


ADULT: Declaration = {
    "workclass": _words(
        "Private Self-emp-not-inc Self-emp-inc Federal-gov Local-gov State-gov "
        "Without-pay Never-worked"
    ),
    "education": _words(
        "Bachelors Some-college 11th HS-grad Prof-school Assoc-acdm Assoc-voc 9th "
        "7th-8th 12th Masters 1st-4th 10th Doctorate 5th-6th Preschool"
    ),
    "marital-status": _words(
        "Married-civ-spouse Divorced Never-married Separated Widowed "
        "Married-spouse-absent Married-AF-spouse"
    ),
    "occupation": _words(
        "Tech-support Craft-repair Other-service Sales Exec-managerial Prof-specialty "
        "Handlers-cleaners Machine-op-inspct Adm-clerical Farming-fishing "
        "Transport-moving Priv-house-serv Protective-serv Armed-Forces"
    ),
    "relationship": _words(
        "Wife Own-child Husband Not-in-family Other-relative Unmarried"
    ),
    "race": _words("White Asian-Pac-Islander Amer-Indian-Eskimo Other Black"),
    "sex": _words("Female Male"),
    "native-country": _words(
        "United-States Cambodia England Puerto-Rico Canada Germany "
        "Outlying-US(Guam-USVI-etc) India Japan Greece South China Cuba Iran Honduras "
        "Philippines Italy Poland Jamaica Vietnam Mexico Portugal Ireland France "
        "Dominican-Republic Laos Ecuador Taiwan Haiti Columbia Hungary Guatemala "
        "Nicaragua Scotland Thailand Yugoslavia El-Salvador Trinadad&Tobago Peru Hong "
        "Holand-Netherlands"
    ),
}

BANK: Declaration = {
    "job": _words(
        "admin. blue-collar entrepreneur housemaid management retired self-employed "
        "services student technician unemployed"
    ),
    "marital": _words("divorced married single"),
    "education": _words(
        "basic.4y basic.6y basic.9y high.school illiterate professional.course "
        "university.degree"
    ),
    "default": _words("no yes"),
    "housing": _words("no yes"),
    "loan": _words("no yes"),
    "contact": _words("cellular telephone"),
    "month": _words("jan feb mar apr may jun jul aug sep oct nov dec"),
    "day_of_week": _words("mon tue wed thu fri"),
    "poutcome": _words("failure nonexistent success"),
}


def declare(frame: "pd.DataFrame", declaration: Declaration) -> "pd.DataFrame":
    """Return the table with its text columns as categories; others are refused."""
    import pandas as pd

    columns = {}
    for name, categories in declaration.items():
        unknown = frame[name].dropna()[lambda values, c=categories: ~values.isin(c)]
        if len(unknown):
            shown = Shown(f"{unknown.iloc[0]!r} in row {unknown.index[0]}")
            raise invalid(f"column {name!r}", "hold only declared categories", shown)
        columns[name] = pd.Categorical(frame[name], categories=list(categories))
    return frame.assign(**columns)
