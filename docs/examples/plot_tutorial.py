r"""
From your own arrays to an honest comparison
============================================

This takes about ten minutes. At the end you will have a small classifier that answers
like a large one, and you will know whether it is any better than the small classifier
that you could have trained without all this.

Everything needs two things: a table ``X`` (numpy, pandas, polars or sparse) and labels
``y``. Put yours in place of the survey below, which statsmodels carries with it: 6,366
married women who answered a magazine, eight coarse answers each, and whether they
reported an affair.
"""

import textwrap
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor, plot_tree

from semikd import (
    DistilledClassifier,
    ShrinkageCorrection,
    compare,
    cross_fit,
    external_labels,
    load_dataset,
    model_labels,
)
from semikd.exceptions import LeakageWarning

data = load_dataset("fair")
X, y = data.X, data.y
print(textwrap.fill(data.description, 84))
print(X.head(3).to_string())

# %%
# Distil
# ------
#
# Without arguments the teacher is gradient boosting that stops early, the student a
# tree of at most 128 leaves, and five folds see to it that no row is labelled by
# a teacher that saw it.

small = DistilledClassifier(random_state=0).fit(X, y)
print(small.predict_proba(X.head(3)).round(3))
print("student:", small.size_)
print("scale:  ", small.loss_)

# %%
# ``labels_`` is the record of who labelled what. Its ``mean`` is what the student was
# given; NaN would mark a row that nobody could label honestly. ``fold`` says in which
# fold each row was held out: rows that are identical in all columns, of which this
# table has many, always share one, since a teacher that saw one copy saw the other.

labels = small.labels_
print(labels.strategy, "| honest:", labels.honest)
print("rows in each fold:", np.bincount(labels.fold[0]))
print("log-loss of the out-of-fold labels:", round(log_loss(y, labels.mean), 4))

# %%
# Read it
# -------
#
# A student of this kind is a plain scikit-learn tree, so whatever works on one works on
# ``student_``. With six leaves it can be read aloud. Each leaf shows the probability of
# an affair that the teachers give to the women in it.

readable = DistilledClassifier(
    student=DecisionTreeRegressor(max_leaf_nodes=6), random_state=0
).fit(X, y)

figure, axes = plt.subplots(figsize=(10, 4.5), layout="constrained")
drawn = plot_tree(
    readable.student_,
    feature_names=list(X.columns),
    impurity=False,
    proportion=True,
    precision=2,
    rounded=True,
    fontsize=8,
    ax=axes,
)

# %%
# Choose
# ------
#
# Four choices matter, and each is an argument. What they cost, and which to start with,
# is on the page :doc:`/choosing`.
#
# - **The student**: any regressor, ``LogisticRegression``, a LightGBM or XGBoost
#   classifier, a Pipeline that ends in one of them, ``LinearStudent`` or
#   ``TorchStudent``. Its size is yours to choose.
# - **The correction**: how far each target moves from the teacher's answer (0) towards
#   the row's own label (1). A correction helps where the teacher is too simple, and
#   adds noise where it is not.
# - **cv**: the folds, ``"in-sample"`` for labels by a teacher that saw the rows, or
#   labels made elsewhere.
# - **The teacher**: any classifier with ``predict_proba``.

mixed = DistilledClassifier(
    RandomForestClassifier(50, min_samples_leaf=10, random_state=0),
    DecisionTreeRegressor(max_leaf_nodes=32, min_samples_leaf=20),
    correction=ShrinkageCorrection(squared_error=0.003),
    cv=4,
    random_state=0,
).fit(X, y)
print("student:", mixed.size_)
print("correction:", mixed.correction_)

# %%
# Compare
# -------
#
# Is any of this better than training the small model on the labels? The score that the
# fit itself can offer does not say: ``compare`` holds rows out before anything is
# fitted, trains the same student in every way that deserves a row, all of them several
# times with new folds and seeds, and looks at the differences. The tree from scratch
# gets its chance, too: its leaf size is tuned by cross-validation.

result = compare(X, y, random_state=0)
print(result.table[["log_loss", "brier", "auc", "leaves", "fit_seconds"]].round(4))

# %%
# The picture shows differences from the tuned tree with their intervals, and whether
# predicted probabilities can be believed.

figure = result.plot()

# %%
# The verdict says it in words. It counts as shown only what the interval over test
# rows *and* refits shows, for all arms together; where scratch wins, it says that
# scratch wins.

for sentence in result.verdict.splitlines():
    print(textwrap.fill(sentence, 84, subsequent_indent="    "))

# %%
# Read the size of a difference before its verdict. On this table the tuned tree of some
# sixteen leaves is hard to beat: eight coarse answers do not hold much more, and the
# arms near zero could change sides with another split. What is large is the first
# difference: a tree of 128 leaves is far worse when it is trained on the labels than
# when it is trained on a teacher's answers, without any search for its size.
# ``semikd distill`` writes such a comparison of this table as a page.

# %%
# Two questions have two answers. ``procedure`` asks whether distilling in this way
# helps, with the refits as a source of chance; ``one_fit`` asks whether the one model
# that you hold is better, and its intervals are narrower.

area = result.one_fit("auc")
print(textwrap.fill(area.estimand, 84))
print(area.to_frame()[["estimate", "lower", "upper"]].round(4))

# %%
# Bring labels from elsewhere
# ---------------------------
#
# The large model may be someone else's, or run on another machine. A table of
# probabilities enters as the same record, with the hashes of the rows it belongs to,
# so that a shuffled table is refused instead of being learned. ``honest`` is your word
# that no labelling model saw the row that it labelled.

teacher_table = labels.mean  # stands for a file that came from elsewhere
record = external_labels(X, teacher_table, classes=[0, 1], honest=True)
student = DistilledClassifier(cv=record, random_state=0).fit(X, y)
print(student.labels_.strategy)

try:
    DistilledClassifier(cv=record).fit(X[::-1], y[::-1])
except ValueError as error:
    print(textwrap.fill(f"refused: {error}", 84))

# %%
# A frozen model labels rows that it did not see. Name the rows that it did see, and
# they get no label, nor do their copies, of which this table has many.

first, second = train_test_split(np.arange(len(y)), random_state=0)
frozen = LogisticRegression(max_iter=1_000).fit(X.iloc[first], y.iloc[first])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", LeakageWarning)
    by_frozen = model_labels(frozen, X.iloc[second], seen=X.iloc[first])
print(caught[0].message)
student = DistilledClassifier(cv=by_frozen, random_state=0)
student.fit(X.iloc[second], y.iloc[second])
print(student.labels_.strategy, "| student:", student.size_)

# %%
# Groups and weights
# ------------------
#
# Rows that belong together (visits of a patient, clicks of a user) must share a fold,
# or the teacher knows the row's siblings. Weights are numbers of rows: a weight of 2 is
# the row twice, and a weight of 0 leaves it out. Here we invent both.

rng = np.random.default_rng(0)
household = rng.integers(2_000, size=len(y))
weight = rng.integers(1, 4, size=len(y))
grouped = DistilledClassifier(random_state=0)
grouped.fit(X, y, sample_weight=weight, groups=household)
fold = grouped.labels_.fold[0]
straddling = sum(len(np.unique(fold[household == h])) > 1 for h in np.unique(household))
print("households in two folds:", straddling)

# %%
# Pipelines and searches
# ----------------------
#
# The estimators are scikit-learn's in every respect. A search over the student's size
# looks like any other:

X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
pipeline = make_pipeline(
    StandardScaler(),
    DistilledClassifier(
        LogisticRegression(), DecisionTreeRegressor(min_samples_leaf=10), random_state=0
    ),
)
search = GridSearchCV(
    pipeline,
    {"distilledclassifier__student__max_leaf_nodes": [4, 16, 64]},
    scoring="neg_log_loss",
    cv=3,
).fit(X_train, y_train)
print(search.best_params_)
print("log-loss on untouched rows:", round(-search.score(X_test, y_test), 4))

# %%
# .. warning::
#
#    The search above distils inside each of its folds, so that its validation rows are
#    new to every teacher. Passing one record of labels (``cv=record``) to save the
#    time of the teachers would not do: a row that scores a candidate has helped to
#    train the teachers that labelled the candidate's training rows. And whatever was
#    chosen by any search is judged on rows that took no part in it, such as ``X_test``
#    above; the best score of the search itself is too good.
#
# To label rows once and try many students on them nevertheless, keep rows apart that no
# labelling teacher sees: some to choose by, and others for the verdict.

X_fit, X_choose, y_fit, y_choose = train_test_split(
    X_train, y_train, stratify=y_train, random_state=0
)
shared = cross_fit(LogisticRegression(max_iter=1_000), X_fit, y_fit, random_state=0)
students = {
    leaves: DistilledClassifier(
        student=DecisionTreeRegressor(max_leaf_nodes=leaves, min_samples_leaf=10),
        cv=shared,
        random_state=0,
    ).fit(X_fit, y_fit)
    for leaves in (4, 16, 64)
}
losses = {
    leaves: log_loss(y_choose, model.predict_proba(X_choose))
    for leaves, model in students.items()
}
best = min(losses, key=losses.get)
final = log_loss(y_test, students[best].predict_proba(X_test))
print(f"chosen: {best} leaves; log-loss on untouched rows: {final:.4f}")
