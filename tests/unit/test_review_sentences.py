"""What the report says of the planted truth: faults are counted by kind, and one that went wrong is told."""

from __future__ import annotations

import pandas as pd

from ratebook.release.sentences import say_review

TABLES = {
    "checklist": pd.DataFrame({"status": ["pass", "warn"]}),
    "sensitivity": pd.DataFrame({"sign_change": [False, False]}),
}


def say(rows: list[tuple]) -> str:
    recovery = pd.DataFrame(rows, columns=["quantity", "lower", "covered"])
    return " ".join(say_review(TABLES | {"recovery": recovery}, {}))


def test_a_kind_of_fault_is_right_when_all_that_is_told_of_it_is():
    rows = [("days engaged within 365, RSN", 1.0, True)]
    rows += [(f"{measure}, copy", None, True) for measure in ("recall", "precision")]
    rows += [("dollars that stand, copy, usd", None, True)]
    rows += [("recall, void", None, True), ("precision, void", None, False)]
    said = say(rows)
    assert "Of 1 planted quantities with a 95% interval, 1 lie inside it" in said
    assert "Of 2 kinds of fault planted in claims, 1 came out as they should" in said
