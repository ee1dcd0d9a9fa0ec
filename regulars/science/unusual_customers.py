"""Customers unlike the others, by an isolation forest, and what is unlike about them.

Liu, Ting and Zhou (2008), Isolation Forest: rows that few random cuts set apart are unusual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from sklearn.ensemble import IsolationForest

from regulars.errors import ConfigError
from regulars.science.columns import Floats, Places, order_by_key
from regulars.science.features import Scaled, choose_columns, scale_features
from regulars.science.training import Training, model_version

RULES = 1  # counted up when the same input gives other results
TREES = 200
SAMPLED_ROWS = 2048
EXTREMES = 8
REASONS = 3
ROWS_AT_ONCE = 50_000

FEATURES = pa.schema(
    [
        ("feature", pa.string()), ("status", pa.string()), ("null_count", pa.int64()), ("is_log", pa.bool_()),
        ("median", pa.float64()), ("scale", pa.float64()),
    ]
)  # fmt: skip

REASON_ROWS = pa.schema(
    [
        ("position", pa.int64()), ("feature", pa.string()), ("direction", pa.string()),
        ("value", pa.float64()), ("typical_value", pa.float64()), ("score_drop", pa.float64()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class UnusualCustomers:
    """What `find_unusual_customers` gives; its docstring names the columns."""

    status: str
    reason: str
    customers: pa.Table
    reasons: pa.Table
    features: pa.Table


def find_unusual_customers(
    table: pa.Table,
    *,
    first_date: date,
    as_of: date,
    seed: int,
    key: str = "customer_id",
    columns: Sequence[str] | None = None,
    share: float = 0.01,
    minimum_customers: int = 100,
) -> UnusualCustomers:
    """The `share` of customers that are easiest to set apart from all others.

    `table`, one row per customer in any order: <key> and features, all other columns or those in `columns`, which speak
    of `first_date` to `as_of` and nothing later. Numbers and booleans are used; `features.scale_features` says how they
    are scaled and what null means. How many are flagged is decided by `share` (rounded up), not by the data: it is a
    list to look at, not a test.

    `status` is found, too_few_customers or no_features (none that varies); in the latter two scores are null and nobody
    is flagged. Gives `customers`, ordered by key:
        <key>, score (0 to 1, 1 most unusual; about 0.5 is ordinary), rank (1 most unusual; ties by key), is_flagged
    `reasons`, up to three rows per flagged customer, the strongest first:
        <key>, position (1 to 3), feature, direction (high, low), value, typical_value (median), score_drop (by how much
        the score falls when this feature alone is made typical: what the forest itself goes by. Features that raise no
        score are left out)
    and `features`, a row per column:
        feature, status (used, all_null, constant, not_numeric), null_count, is_log, median, scale
    and in all of them model_version, trained_from, trained_to.

    Raises ContractError where key or columns are not as promised, ConfigError for a share outside (0, 1].
    """
    if not 0 < share <= 1:
        raise ConfigError("share must be above 0 and at most 1")
    table = order_by_key(table, key)
    scaled = scale_features(table, choose_columns(table, key, columns))
    training = Training(model_version("unusual_customers", RULES, "scikit-learn"), first_date, as_of)
    keys = table.column(key)
    scores, ranks = np.full(len(table), np.nan), np.zeros(len(table), dtype=np.int64)
    flagged, reasons = np.zeros(len(table), dtype=bool), REASON_ROWS.empty_table().add_column(0, key, keys.slice(0, 0))
    status, reason = "found", ""
    if len(table) < minimum_customers:
        status, reason = "too_few_customers", f"{len(table)} customers, {minimum_customers} are needed"
    elif not scaled.used:
        status, reason = "no_features", "no column is a number that varies"
    else:
        forest = fit_forest(scaled.matrix, seed)
        scores = score(forest, scaled.matrix)
        order = np.argsort(-scores, kind="stable")
        ranks[order] = np.arange(1, len(order) + 1)
        flagged = ranks <= np.ceil(share * len(table))
        places = order[: int(flagged.sum())]
        whose, reasons = explain(forest, scaled, places, scores[places])
        reasons = reasons.add_column(0, key, keys.take(pa.array(whose)))
    results = {
        key: keys,
        "score": pa.array(scores, mask=np.isnan(scores)),
        "rank": pa.array(ranks, mask=ranks == 0),
        "is_flagged": pa.array(flagged),
    }
    rows = [{"feature": feature.name} | vars(feature) for feature in scaled.features]
    return UnusualCustomers(
        status,
        reason,
        training.stamp(pa.table(results)),
        training.stamp(reasons),
        training.stamp(pa.Table.from_pylist(rows, schema=FEATURES)),
    )


def fit_forest(matrix: Floats, seed: int) -> IsolationForest:
    """Trees that all see the same rows, `training_rows`, and differ by their cuts; the same rows and seed, the same."""
    rows = matrix[training_rows(matrix, seed)]
    return IsolationForest(n_estimators=TREES, max_samples=len(rows), random_state=seed).fit(rows)


def training_rows(matrix: Floats, seed: int) -> Places:
    """Places of a random sample of the rows and of the EXTREMES smallest and greatest of each feature.

    Cuts lie within what a tree has seen: one that never saw a value far outside puts it beside the ordinary greatest. With
    the usual small samples, of 200,000 rows twenty planted outliers in one feature each were ranked 20,000th in
    the median and none came among the first hundredth; with the extremes, all did, at 26th.
    """
    if len(matrix) <= SAMPLED_ROWS:
        return np.arange(len(matrix))
    found = [np.random.default_rng(seed).choice(len(matrix), SAMPLED_ROWS, replace=False)]
    for values in matrix.T:
        order = np.argsort(values, kind="stable")
        found += [order[:EXTREMES], order[-EXTREMES:]]
    return np.unique(np.concatenate(found))


def score(forest: IsolationForest, matrix: Floats) -> Floats:
    """The anomaly score of Liu et al., 0 to 1, of each row; in one thread, since scores are sums over trees."""
    parts = [-forest.score_samples(matrix[at : at + ROWS_AT_ONCE]) for at in range(0, len(matrix), ROWS_AT_ONCE)]
    return np.concatenate(parts) if parts else np.empty(0)


def explain(forest: IsolationForest, scaled: Scaled, places: Places, scores: Floats) -> tuple[Places, pa.Table]:
    """For each of the rows `places` with their `scores`, the features without which it would stand out less.

    A feature is made typical (0) and the forest asked again. Robust z-scores would be cheaper, but speak of the features
    and not of the forest's judgement, and miss what is unusual only in combination. Gives the reasons, and for each of
    them the place of its row.
    """
    rows = scaled.matrix[places]
    drops = np.empty(rows.shape)
    for column in range(rows.shape[1]):
        without = rows.copy()
        without[:, column] = 0.0
        drops[:, column] = scores - score(forest, without)
    strongest = np.argsort(-drops, axis=1, kind="stable")[:, :REASONS]
    row, at = np.nonzero(np.take_along_axis(drops, strongest, axis=1) > 0)
    chosen = strongest[row, at]
    medians = np.array([feature.median for feature in scaled.used])
    reasons = {
        "position": pa.array(at + 1, pa.int64()),
        "feature": pa.array([feature.name for feature in scaled.used]).take(pa.array(chosen)),
        "direction": pa.array(np.where(rows[row, chosen] > 0, "high", "low"), pa.string()),
        "value": pa.array(scaled.values[places[row], chosen]),
        "typical_value": pa.array(medians[chosen]),
        "score_drop": pa.array(drops[row, chosen]),
    }
    return places[row], pa.table(reasons)
