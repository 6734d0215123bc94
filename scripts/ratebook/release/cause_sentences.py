"""What the report says of why the arms' costs differ: the identity, models, before and after, and prices."""

from __future__ import annotations

from ratebook.release.cost_sentences import ARMS, COST_WORDS, WORTH
from ratebook.release.sentences import NO_COHORT, Tables, contrast, pick, section, value_of
from ratebook.release.wording import is_missing, phrase

CHANGE = ("rose", "fell", "did not move")


@section("identity")
def say_identity(tables: Tables, settings: dict) -> list[str]:
    """Multiply the ratio of a month by the ratio of months, and say whether the two answers part ways."""
    rows = tables["paradox"]
    known = rows[rows.total_ratio.notna()].to_dict("records")
    if not known:
        return [NO_COHORT]
    said = []
    for row in known:
        words = COST_WORDS[row["numerator"]]
        said.append(
            f"{words[0].upper()}{words[1:]}, RSN over CSP: {_ratio(row, 'month')} per engaged month, times "
            f"{_ratio(row, 'duration')} in engaged months, is {_ratio(row, 'total')} per member."
        )
    apart = [COST_WORDS[row["numerator"]] for row in known if row["is_paradox"] is True]
    if apart:
        said.append(f"For {' and '.join(apart)} the month and the member point to different programs, as they may.")
    for row in tables["fixed_and_monthly"].to_dict("records"):
        if row["numerator"] == "program" and not is_missing(row["fixed_usd"]):
            shown = [_dollars(row, name) for name in ("fixed_usd", "further_month_usd")]
            said.append(
                f"The navigator, {row['arm']}: {shown[0]} whatever the stay, and {shown[1]} for each month more."
            )
    return said


def _ratio(row: dict, name: str) -> str:
    lower, upper = row[f"{name}_ratio_lower"], row[f"{name}_ratio_upper"]
    known = not (is_missing(lower) or is_missing(upper))
    return f"{row[f'{name}_ratio']:.2f}" + (f" (95% CI {lower:.2f} to {upper:.2f})" if known else "")


def _dollars(row: dict, name: str) -> str:
    shown = {"estimate": row[name], "lower": row[f"{name}_lower"], "upper": row[f"{name}_upper"], "reason": None}
    return phrase(shown, "usd")


@section("models")
def say_models(tables: Tables, settings: dict) -> list[str]:
    """Say what the difference is once the arms are alike in what was known at discharge, and if the model may be doubted."""
    rows = tables["cost_models"]
    said = []
    for name, words in COST_WORDS.items():
        row = pick(rows, estimand=name, arm="difference", is_primary=True)
        if row is not None:
            text = f"Adjusted for what was known at discharge, {words} per member was {{word}} under RSN, by {{size}}"
            said.append(contrast(row, f"Adjusted, the difference in {words}", text, WORTH, "usd"))
    checks = tables["cost_model_checks"]
    for row in checks[(checks.status == "warn") & (checks.estimand == "total_sud")].to_dict("records"):
        if not is_missing(row["finding"]):
            said.append(f"A warning for all SUD cost: {row['finding']}.")
    return said or [NO_COHORT]


@section("before_after")
def say_before_after(tables: Tables, settings: dict) -> list[str]:
    """Set each arm's own change beside the difference of the changes, and say what the months before showed."""
    rows = tables["did"]
    rows = rows[(rows.estimand == "total_sud") & (rows.dollars == "nominal") & (rows.months == "all")]
    said = []
    for arm in (*ARMS, "none"):
        row = pick(rows, contrast=arm, quantity="change")
        if row is not None:
            who = f"for {arm}" if arm in ARMS else "without a navigator"
            text = f"SUD cost per member month {who} {{word}} from before to after the index stay, by {{size}}"
            said.append(contrast(row, f"The change {who}", text, CHANGE, "usd"))
    row = pick(rows, contrast="RSN-CSP", quantity="difference_in_differences")
    if row is not None:
        text = "The change was {word} under RSN than under CSP, by {size}: that, not either change, is the comparison"
        said.append(contrast(row, "The difference of the changes", text, ("larger", "smaller", "no larger"), "usd"))
    test = pick(rows, contrast="RSN-CSP", quantity="pre_trend_test")
    if test is not None and not is_missing(test["p_value"]):
        said.append(
            f"Of the months before admission: the arms' difference moved with p = {test['p_value']:.2f} (joint F)."
        )
    whole = pick(tables["group_time"], dollars="nominal", level="overall")
    if whole is not None:
        said.append(value_of("At sites that began to send to RSN, the effect on SUD cost per discharge", whole, "usd"))
    return said or [NO_COHORT]


@section("prices")
def say_prices(tables: Tables, settings: dict) -> list[str]:
    """Set dollars as paid beside dollars of the base year, and say which are to be read."""
    said, rows = [], tables["price_comparison"]
    for dollars, words in (("nominal", "As paid"), ("real", "At the base year's prices")):
        row = pick(rows, estimand="total_sud", dollars=dollars, arm="difference")
        if row is not None:
            said.append(value_of(f"{words}, the difference in total SUD cost per member", row, "usd"))
    if len(rows) and rows.needs_repricing.any():
        said.append("The arms' discharges lie more than 90 days apart at the median: read the repriced difference.")
    return said or [NO_COHORT]
