"""What the report says of cost: which denominator, what the payment form did, who bears what, and why arms differ."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ratebook.contracts.cost_exhibits import CATEGORY_WORDS
from ratebook.release.sentences import NO_COHORT, Tables, contrast, pick, section
from ratebook.release.wording import is_missing, phrase, spell

ARMS = ("RSN", "CSP")
SAME = 1e-6
"""Two amounts closer than this share of them are one."""
QUADRANTS = {
    "NE": "engages longer and costs more",
    "NW": "engages for a shorter time and costs more",
    "SE": "engages longer and costs less",
    "SW": "engages for a shorter time and costs less",
}
COST_WORDS = {"program": "the navigator alone", "total_sud": "all SUD cost", "tcoc": "all cost"}
WORTH = ("higher", "lower", "no higher")


@section("denominators")
def say_denominators(tables: Tables, settings: dict) -> list[str]:
    """Set the four answers to 'which costs less' side by side, each with both halves of its ratio."""
    rows = tables["pmpm_exhibit"]
    rows = rows[rows.arm == "difference"]
    said, turns = [], {}
    for row in rows.sort_values("variant").to_dict("records"):
        # How the months are counted stands in the table.
        below = row["denominator"].split(":")[0].split(" (")[0]
        name = f"{row['variant']}, {row['numerator_words']} / {below}:"
        said.append(contrast(row, name, f"{name} {{word}} under RSN, by {{size}}", WORTH, "usd"))
        turns.setdefault(sign_of(row), []).append(row["variant"])
    if not said:
        return [NO_COHORT]
    if turns.get("more") and turns.get("less"):
        said.append(
            f"So RSN costs less by {listed(turns['less'])} and more by {listed(turns['more'])}: neither program costs "
            "less without the denominator being named."
        )
    return said


def sign_of(row: dict) -> str:
    """Say on which side of no difference an interval lies; open where it holds it, or there is none."""
    if is_missing(row["lower"]) or is_missing(row["upper"]):
        return "open"
    return "more" if row["lower"] > 0 else "less" if row["upper"] < 0 else "open"


def listed(names: list[str]) -> str:
    """Join names as a sentence does."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


@section("payment_forms")
def say_forms(tables: Tables, settings: dict) -> list[str]:
    """Say what the payment form does to the same logs, and what it cannot do."""
    forms = tables["payment_forms"]
    known = forms[forms.estimate_usd.notna()]
    if known.empty:
        return [NO_COHORT]
    monthly = known[known.per == "engaged_month"].set_index(["form", "arm"]).estimate_usd.unstack()
    names = {row.form: row.formula for row in known.itertuples()}
    said, flat, falls = [], [], []
    for form in [form for form in names if form in monthly.index and set(ARMS) <= set(monthly.columns)]:
        rsn, csp = monthly.loc[form, "RSN"], monthly.loc[form, "CSP"]
        (
            flat if abs(rsn - csp) <= SAME * max(abs(rsn), abs(csp)) else falls if "per spell" in names[form] else []
        ).append(form)
    if flat:
        said.append(
            f"Paid {listed([f'{names[form]}' for form in flat])}, an engaged month costs the same in both arms whatever the "
            "stay: a form by day or month cannot lower the cost of an engaged month by a longer stay. A lower cost "
            "per month under it can only come from a price below what the other program's units add up to."
        )
    for form in falls:
        row = pick(forms, form=form, per="engaged_month", arm="difference")
        text = f"Paid {names[form]}, the same logs cost {{word}} per engaged month under RSN, by {{size}}"
        said.append(contrast(row, f"Paid {names[form]},", text, ("more", "less", "no more"), "usd"))
    if falls:
        said.append("There the amount per spell is spread over more months the longer a client stays.")
    for arm in ARMS:
        paid = known[(known.per == "client") & (known.arm == arm)].sort_values("estimate_usd")
        if len(paid) > 1:
            low, high = paid.iloc[0], paid.iloc[-1]
            said.append(
                f"The same {arm} logs would have been paid from {phrase(low.to_dict(), 'usd')} a client "
                f"({low.formula}) to {phrase(high.to_dict(), 'usd')} ({high.formula}): so much the form alone does."
            )
    return [*said, *_of_break_even(tables)]


def _of_break_even(tables: Tables) -> list[str]:
    """Say at which rate the forms cost the same, and, where no rate does, that none does."""
    said, rows = [], tables["break_even"]
    for row in rows[rows.perspective == "program"].to_dict("records"):
        shown, name = {**row, "estimate": row["value"]}, row["quantity"].replace("_", " ")
        is_usd = row["unit"].startswith("USD")
        text = f"{phrase(shown, 'usd')}{row['unit'][3:]}" if is_usd else phrase(shown, "", row["unit"])
        known = text if not is_missing(row["value"]) else phrase(shown)
        said.append(f"The navigator's cost breaks even, {name}: {known}.")
    payer = rows[rows.perspective == "payer"]
    none = payer[payer.value.isna()]
    if len(payer) and len(none) == len(payer):
        why = next((reason for reason in none.reason.dropna()), "no reason recorded")
        said.append(f"Counting all SUD cost, no rate of any form breaks even for the payer ({why}).")
    for row in payer[payer.value.notna()].to_dict("records"):
        shown = {**row, "estimate": row["value"]}
        text = f"{phrase(shown, 'usd')}{row['unit'][3:]}"
        said.append(f"Counting all SUD cost, the payer breaks even, {row['quantity'].replace('_', ' ')}: {text}.")
    return said


@section("perspectives")
def say_perspectives(tables: Tables, settings: dict) -> list[str]:
    """Say what payer and provider bear outside claims, and what that does to the comparison."""
    rows = tables["perspectives"]
    if rows.empty:
        return [NO_COHORT]
    said = []
    for perspective, words in (("claims", "On claims alone"), ("payer", "With what the payer bears outside claims")):
        for per, unit in (("engaged_month", "a month of engagement"), ("client", "the navigator, per client,")):
            row = pick(rows, perspective=perspective, estimand="program", per=per, arm="difference")
            if row is not None:
                text = f"{words}, {unit} cost {{word}} under RSN, by {{size}}"
                said.append(
                    contrast(
                        row, f"{words}, the difference in what {unit} cost", text, ("more", "less", "no more"), "usd"
                    )
                )
    for row in rows[(rows.perspective == "provider") & (rows.per == "client") & rows.arm.isin(ARMS)].to_dict(
        "records"
    ):
        if not is_missing(row["estimate_usd"]) and row["estimate_usd"] > 0:
            said.append(f"Providers of {row['arm']} bear {spell(row['estimate_usd'], 'usd')} per client themselves.")
    if rows.outside_usd.gt(0).any():
        said.append(
            "Cost outside claims is a sum of the ledger, spread over all clients of a program in the study window: "
            "it has no sampling error, and is in no PMPM. The payment form cannot be told apart from what was bought "
            "with it."
        )
    return [*said, *_of_sums(tables)]


def _of_sums(tables: Tables) -> list[str]:
    said = []
    for name, words in (("tcoc", "All cost"), ("tcoc_without_navigator", "All cost without the navigator")):
        row = pick(tables["category_sums"], sum_of=name, arm="difference")
        if row is not None:
            text = f"{words} per member was {{word}} under RSN, by {{size}}"
            said.append(contrast(row, f"{words}: the difference", text, WORTH, "usd"))
    return said


@section("total_cost")
def say_total(tables: Tables, settings: dict) -> list[str]:
    """Give the censoring-adjusted mean by arm, and how many were not seen to the horizon."""
    rows, said = tables["total_cost"], []
    for arm in ARMS:
        row = pick(rows, estimand="total_sud", arm=arm, method="partitioned")
        if row is not None:
            censored = spell(row["censored_share"], "share")
            said.append(
                f"Total SUD cost, {arm}: {phrase(row, 'usd')} per member; {censored} of members were not seen to the "
                "horizon."
            )
    return said or [NO_COHORT]


@section("value")
def say_value(tables: Tables, settings: dict) -> list[str]:
    """Say in which quadrant the arms lie, and what an extra engaged month costs where that is a price."""
    said = []
    for name, words in COST_WORDS.items():
        extra = pick(tables["increments"], estimand=name)
        if extra is not None:
            said.append(of_quadrant(extra, words) + _certainty(tables["plane"], f"{name}_usd"))
            said += _acceptable(tables["net_benefit"], name, words)
    return said or [NO_COHORT]


def of_quadrant(extra: dict, words: str) -> str:
    """Name the quadrant first; print a ratio only where more is paid for more, or less for less."""
    if is_missing(extra["quadrant"]):
        return f"Counting {words}, no quadrant can be named ({extra['reason'] or 'hidden: few stand behind it'})."
    place = f"Counting {words}, RSN {QUADRANTS[extra['quadrant']]} (quadrant {extra['quadrant']})"
    if extra["quadrant"] in ("SE", "NW"):
        return f"{place}: one program is better on both, and dollars per extra month are no price."
    row = {**extra, "estimate": extra["icer_usd"]}
    noun = "per extra engaged month" if extra["quadrant"] == "NE" else "saved per engaged month given up"
    return f"{place}: {phrase(row, 'usd', noun)}, all spells to the horizon."


def _certainty(plane: pd.DataFrame, column: str) -> str:
    """Say how the replicates spread over the quadrants."""
    draws = plane[(plane.replicate > 0) & plane[column].notna()]
    if draws.empty:
        return ""
    north, east = np.where(draws[column] >= 0, "N", "S"), np.where(draws.difference_months >= 0, "E", "W")
    shares = pd.Series([f"{n}{e}" for n, e in zip(north, east)]).value_counts(normalize=True, sort=True)
    parts = [
        f"{spell(share, 'share')} in {name}" for name, share in sorted(shares.items(), key=lambda x: (-x[1], x[0]))
    ]
    return f" Of {len(draws)} replicates {listed(parts)}."


def _acceptable(net_benefit: pd.DataFrame, name: str, words: str) -> list[str]:
    """Say from which value of an engaged month on most replicates leave something, if any value shown does."""
    rows = net_benefit[(net_benefit.estimand == name) & net_benefit.positive_share.notna()]
    if rows.empty:
        return []
    rows = rows.sort_values("month_value_usd")
    enough = rows[rows.positive_share >= 0.95]
    top = spell(rows.month_value_usd.max(), "usd")
    if enough.empty:
        return [
            f"At no value of an engaged month up to {top} is something left in 95% of replicates, counting {words}."
        ]
    least = spell(enough.month_value_usd.min(), "usd")
    return [f"Counting {words}, something is left in 95% of replicates where an engaged month is worth {least}."]


@section("decomposition")
def say_decomposition(tables: Tables, settings: dict) -> list[str]:
    """Say what duration, intensity and price of the navigator did, and which other parts are largest."""
    rows = tables["decomposition"]
    whole = pick(tables["total_cost"], estimand="total_sud", arm="difference", method="partitioned")
    known = rows[rows.effect_usd.notna()]
    if known.empty or whole is None:
        return [NO_COHORT]
    said = [
        f"The parts add up to {spell(whole['estimate_usd'], 'usd')} per member, RSN less CSP, with nothing left over."
    ]
    for row in known[known.category == "NAVIGATOR"].to_dict("records"):
        verb = "adds" if row["effect_usd"] >= 0 else "takes off"
        size = phrase({**row, "estimate": row["effect_usd"]}, "usd", absolute=True)
        said.append(f"The navigator's {row['factor']} {verb} {size}.")
    others = known[known.category != "NAVIGATOR"]
    for sign, word in ((1, "raises it most"), (-1, "lowers it most")):
        sure = others[(sign * others[["lower", "upper"]]).min(axis=1, skipna=False) > 0]
        if sure.empty:
            said.append(f"Of the other parts none {word.removesuffix(' most')} beyond what chance may do.")
            continue
        part = sure.loc[(sign * sure.effect_usd).idxmax()].to_dict()
        size = phrase({**part, "estimate": part["effect_usd"]}, "usd", absolute=True)
        said.append(f"Elsewhere {CATEGORY_WORDS[part['category']]}, {part['factor']}, {word}: {size}.")
    if rows.is_price_borrowed.any():
        said.append("Where an arm used no unit of a category, the other arm's price stands in.")
    return [*_of_identity(tables["perspectives"]), *said]


def _of_identity(perspectives: pd.DataFrame) -> list[str]:
    """Say how the two ratios hold together: total cost is cost a month times months, and so is its ratio."""
    rows = perspectives[(perspectives.perspective == "claims") & (perspectives.estimand == "program")]
    usd = rows[rows.arm.isin(ARMS)].set_index(["per", "arm"]).estimate_usd
    if len(usd) < 4 or usd.isna().any() or (usd <= 0).any():
        return []
    total, month = (usd[per, "RSN"] / usd[per, "CSP"] for per in ("client", "engaged_month"))
    return [
        f"Navigator cost per member is cost per engaged month times engaged months, and so are the ratios of the arms: "
        f"{month:.2f} × {total / month:.2f} = {total:.2f}."
    ]
