"""What we read beside what the supplier says it sent: by file, month and category, and by file."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from ratebook.contracts.clean import Reconciliation
from ratebook.contracts.quality import FileTotals

KEYS = ["source_file", "paid_month", "category"]
ALL = "all"
"""The supplier's category for the sum of all."""


def build_reconciliation(tally: pd.DataFrame, control: pd.DataFrame, warn: float, error: float) -> pd.DataFrame:
    """Set what we read beside what the supplier says it sent, per file, month paid and category.

    Category `all` of the supplier is compared with the sum of ours, and a file of which it counts no month with all
    months of ours. The status is pass up to `warn`, warn up to `error`, fail above, judged in decimals; na where the
    control is zero; fail where a file, month or category stands on one side only.

    Parameters
    ----------
    tally : pandas.DataFrame
        As `attrition.tally_lines`. Identical copies count once: the supplier sent one.
    control : ControlTotals
    warn, error : float
        Limits of |ours / control - 1|.

    Returns
    -------
    Reconciliation
        Empty where the supplier sent no totals.

    References
    ----------
    methods.md, A13 T2 and H1.
    """
    theirs, ours = _sent(control), _received(tally)
    by_month = theirs.groupby("source_file").paid_month.transform("count") > 0
    # A line without a month, of a file counted by month, is the file's sum: `build_file_totals` compares it.
    theirs = theirs[theirs.paid_month.notna() | ~by_month]
    undated = ours.source_file.isin(theirs.source_file[theirs.paid_month.isna()])
    ours = _sum(ours.assign(paid_month=ours.paid_month.mask(undated)), KEYS)
    summed, detailed = theirs[theirs.category == ALL], theirs[theirs.category != ALL]
    whole = _sum(ours.assign(category=ALL), KEYS)
    ours = ours[ours.source_file.isin(detailed.source_file) & ours.category.isin(detailed.category)]
    ours = pd.concat([ours, whole[whole.source_file.isin(summed.source_file)]])
    both = theirs.merge(ours, on=KEYS, how="outer").sort_values(KEYS, kind="stable", ignore_index=True)
    return _judge(both, warn, error)[list(Reconciliation.types())]


def build_file_totals(tally: pd.DataFrame, control: pd.DataFrame, warn: float, error: float) -> pd.DataFrame:
    """Set all we read of a file beside all the supplier says of it; files that only one side knows fail.

    The supplier's total of a file is its line of category `all`, where there is one, else the sum of its categories;
    and its line without a month, where there is one, else the sum of its months.

    Returns
    -------
    FileTotals
        Every file of either side; where the supplier sent no totals at all, each is na.

    References
    ----------
    methods.md, A13 T2.
    """
    theirs, ours = _sent(control), _received(tally)
    months = [side[["source_file", "paid_month"]].dropna().drop_duplicates() for side in (theirs, ours)]
    months = months[0].merge(months[1], how="outer", indicator="side")
    theirs = _whole(_whole(theirs, theirs.category == ALL), theirs.paid_month.isna())
    theirs, ours = _sum(theirs, ["source_file"]), _sum(ours, ["source_file"])
    both = theirs.merge(ours, on="source_file", how="outer").sort_values(
        "source_file", kind="stable", ignore_index=True
    )
    asked = both.source_file.isin(theirs.source_file)
    for column, side in (("months_absent", "left_only"), ("months_unannounced", "right_only")):
        counted = months.source_file[months.side == side].value_counts()
        both[column] = both.source_file.map(counted).where(asked).fillna(0).astype("int64")
    both = _judge(both, warn, error)
    if control.empty:
        both["status"] = "na"
    return both[list(FileTotals.types())]


def _sent(control: pd.DataFrame) -> pd.DataFrame:
    theirs = control.rename(columns={"record_count": "control_records", "paid_amount": "control_usd"})
    return _sum(theirs.assign(category=theirs.category.fillna(ALL)), KEYS)


def _received(tally: pd.DataFrame) -> pd.DataFrame:
    once = tally.loc[tally.rule_id != "A3.1", ["source_file", "paid_month", "claim_type", "rows", "raw_usd"]]
    return _sum(once.rename(columns={"claim_type": "category", "rows": "records", "raw_usd": "paid_usd"}), KEYS)


def _sum(side: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    sums = [name for name in ("control_records", "records", "control_usd", "paid_usd") if name in side]
    return side.groupby(keys, as_index=False, dropna=False)[sums].sum()


def _whole(theirs: pd.DataFrame, is_whole: pd.Series) -> pd.DataFrame:
    """Keep, of each file that has lines which are the whole, those; of any other file all lines."""
    is_whole = is_whole[theirs.index]
    return theirs[is_whole | ~is_whole.groupby(theirs.source_file).transform("any")]


def _judge(both: pd.DataFrame, warn: float, error: float) -> pd.DataFrame:
    """Say how far ours are from the control; a limit itself is still within, to the last digit of the decimals."""
    limits = Decimal(str(warn)), Decimal(str(error))
    gaps, found = [], []
    for ours, control in zip(both.paid_usd, both.control_usd):
        one_side = pd.isna(ours) != pd.isna(control)
        gap = None if pd.isna(ours) or pd.isna(control) or not control else abs(Decimal(ours) / Decimal(control) - 1)
        status = "na" if gap is None else ["pass", "warn", "fail"][sum(gap > limit for limit in limits)]
        gaps.append(None if gap is None else float(gap))
        found.append("fail" if one_side else status)
    both = both.assign(difference_share=pd.Series(gaps, both.index, dtype=float), status=found)
    return both.astype({"records": "Int64", "control_records": "Int64"})
