"""What the report says of rates: how sure they are and what moves them, who bears a miss, and what case rates ask."""

from __future__ import annotations

from ratebook.contracts.case_rates import BEYOND
from ratebook.contracts.episodes import ARMS
from ratebook.release.cost_sentences import listed
from ratebook.release.sentences import NO_COHORT, Tables, pick, section
from ratebook.release.wording import is_missing, phrase, spell

BASES = {
    "actuarial": "by who stays times what they use",
    "staffing": "by what a worker costs over the clients assumed",
    "staffing_observed": "by what a worker costs over the clients the service log leaves time for",
}
LOADS = {
    "admin_share": "administration",
    "margin_share": "margin",
    "tax_share": "taxes and fees",
    "fixed_pmpm_usd": "care management",
    "members": "chance among members",
    "credibility": "how far a cell is drawn to its pool",
}
PANEL = 25
MISSES = (0.9, 1.1)
TERMS = {
    "minimum_contact": "If only {part} are paid, each must be paid {price} to pay the same episode",
    "maximum_months": "If only {part} are paid, each must be paid {price} to pay the same episode",
}


def as_estimate(row: dict, value: str, lower: str = "lower", upper: str = "upper") -> dict:
    """Give a row's value and limits under the names a phrase reads."""
    return {"estimate": row[value], "lower": row[lower], "upper": row[upper], "reason": row.get("reason")}


@section("rates")
def say_rates(tables: Tables, settings: dict) -> list[str]:
    """Say how complete the base is, what the rates are, how sure they are, and who bears it when cost misses."""
    rates, said = tables["rates"], _of_completion(tables)
    if rates.empty:
        return [*said, "No rate cell has exposure, so there is no rate."]
    shown = rates[rates.rate_usd.notna()]
    if shown.empty:
        return [*said, "No rate may be shown: too few members stand behind each cell, or there was no cost."]
    ends = [
        f"{phrase(as_estimate(row, 'rate_usd'), 'usd')} in {row['cell']}"
        for row in shown.sort_values("rate_usd").iloc[[0, -1]].to_dict("records")
    ]
    said.append(
        f"{len(shown)} rate cells have a rate, from {ends[0]} to {ends[1]} per member per month; the lowest "
        f"projected medical loss ratio is {spell(shown.projected_mlr.min(), 'share')}."
    )
    return [*said, *_how_sure(tables), *_of_settlement(tables)]


def _of_completion(tables: Tables) -> list[str]:
    base, diagonals = tables["base_completion"], tables["completion_diagonals"]
    known = base.completion_factor.notna()
    if not (known.any() and (base.method != "none").any()):
        return ["Without dates of payment, completion could not be measured: no cost is completed."]
    least = base[known].sort_values("completion_factor").iloc[0].to_dict()
    said = [
        f"The base period is least complete in {words(least['category'])}: of its expected cost "
        f"{phrase(as_estimate(least, 'completion_factor'), 'share')} was paid by the extract."
    ]
    judged = diagonals[diagonals.paid_to_expected.notna() & diagonals.reason.isna()]
    if len(judged):
        broken = int(judged.is_break.sum())
        said.append(
            f"Of {spell(len(judged))} months of payment, category by category, {spell(broken) if broken else 'none'} "
            "paid more or less than completion expects by more than chance."
        )
    return said


def words(name: str) -> str:
    """Write a factor or category as a reader would."""
    return LOADS.get(name, name.replace("_", " "))


def _how_sure(tables: Tables) -> list[str]:
    """Say how wide the limits of the rates are, in the cell most members stand behind, and which factor makes them so."""
    sure, tornado = tables["rate_uncertainty"], tables["rate_tornado"]
    sure, tornado = sure[sure.std_error_share.notna() & sure.members.notna()], tornado[tornado.swing_usd.notna()]
    if sure.empty or tornado.empty:
        return ["How sure the rates are could not be said: no cell has members and cost to redraw."]
    width = sure.std_error_share
    said = [
        f"The standard error of a rate is {spell(width.min(), 'share')} to {spell(width.max(), 'share')} of it, "
        f"{spell(width.median(), 'share')} in the middle cell, with persons, completion and trend redrawn together; "
        "loads, program changes and management are taken as known."
    ]
    largest = sure.sort_values(["members", "cell"], ascending=[False, True]).iloc[0]
    sampled = tornado[tornado.is_sampled.astype(bool)].sort_values(["cell", "rank"])
    first = sampled.drop_duplicates("cell")
    most, cells = first.factor.value_counts().index[0], first.factor.value_counts().iloc[0]
    said.append(
        f"Of what is estimated, {words(most)} moves the rate most in {spell(int(cells))} of {spell(len(first))} cells."
    )
    here = sampled[sampled.cell == largest.cell].head(2).to_dict("records")
    parts = [
        f"{words(row['factor'])} from {spell(row['low_usd'], 'usd')} to {spell(row['high_usd'], 'usd')}"
        for row in here
    ]
    if parts:
        rate = phrase(as_estimate(largest.to_dict(), "rate_usd"), "usd")
        said.append(
            f"In the largest cell, {largest.cell}, the rate is {rate}; alone, between its 95% limits, it is moved by "
            f"{listed(parts)}."
        )
    loads = tornado[(tornado.cell == largest.cell) & ~tornado.is_sampled.astype(bool)].sort_values("rank")
    for row in loads.head(1).to_dict("records"):
        said.append(
            f"There {words(row['factor'])} a tenth lower or higher than assumed would make it "
            f"{spell(row['low_usd'], 'usd')} or {spell(row['high_usd'], 'usd')}: that is no sampling error and in no limit."
        )
    return said


def _of_settlement(tables: Tables) -> list[str]:
    """Say what a plan is left with when its claims miss the rates by a tenth, either way."""
    rows, said = tables["risk_sharing"], []
    for plan, of_plan in rows.groupby("plan", sort=True):
        parts = []
        for ratio in MISSES:
            found = of_plan[(of_plan.actual_to_target - ratio).abs() < 1e-9]
            for row in found.to_dict("records"):
                who = "pays the plan" if row["corridor_usd"] > 0 else "takes back"
                back = f", and {spell(row['remittance_usd'], 'usd')} is paid back for a low loss ratio"
                parts.append(
                    f"at claims {spell(abs(ratio - 1), 'share')} {'above' if ratio > 1 else 'below'} what the rates pay "
                    f"for, the corridor {who} {spell(abs(row['corridor_usd']), 'usd')}"
                    f"{back if row['remittance_usd'] > 0 else ''}, and the plan is left with "
                    f"{spell(row['plan_result_usd'], 'usd')}"
                )
        if parts:
            said.append(
                f"Plan {plan}: {'; '.join(parts)} (a year like the base, the rates taken as known: no interval)."
            )
    return said


@section("case_rates")
def say_case_rates(tables: Tables, settings: dict) -> list[str]:
    """Say what a client month must be paid by each basis, what a panel may lose, and what the terms cost."""
    rates, said = tables["case_rates"], []
    for row in rates[rates.form == "per_month"].sort_values(["arm", "basis"]).to_dict("records"):
        price = phrase(as_estimate(row, "value_usd"), "usd")
        said.append(f"A flat monthly rate for {row['arm']}, {BASES[row['basis']]}, before load: {price}.")
    if not said:
        return [NO_COHORT]
    for arm in ARMS:
        said += [*_of_caseload(tables, arm), *_of_panel(tables, arm), *_of_terms(tables, arm)]
    return said


def _of_caseload(tables: Tables, arm: str) -> list[str]:
    """Say for how many clients the log leaves a worker time, beside the number assumed."""
    build = tables["staffing_build"]
    seen = pick(build, arm=arm, basis="staffing_observed", part="salary")
    assumed = pick(build, arm=arm, basis="staffing", part="salary")
    if seen is None or assumed is None or is_missing(seen["caseload"]):
        return []
    year = seen["worker_year_usd"]
    ends = [None if is_missing(seen[end]) else year / (12 * seen[end]) for end in ("upper", "lower")]
    room = phrase(
        {"estimate": seen["caseload"], "lower": ends[0], "upper": ends[1], "reason": seen["reason"]}, "", "clients"
    )
    return [f"The service log of {arm} leaves a worker time for {room}; {spell(assumed['caseload'])} were assumed."]


def _of_panel(tables: Tables, arm: str) -> list[str]:
    """Say how often a small panel loses money under each form, before and after overhead."""
    rows = tables["panel_loss"]
    rows, said = rows[(rows.arm == arm) & (rows.panel_clients == PANEL) & rows.probability_of_loss.notna()], []
    for form, name in (("per_episode", "per episode"), ("per_month", "per month")):
        before, after = (pick(rows, form=form, is_after_overhead=flag) for flag in (False, True))
        if before is None or after is None:
            continue
        loses, spent = (
            phrase(as_estimate(row, "probability_of_loss", "probability_lower", "probability_upper"), "share")
            for row in (before, after)
        )
        worst = before["margin_p05_usd"]
        end = "falls short of a margin of" if worst >= 0 else "loses more than"
        said.append(
            f"Of panels of {PANEL} {arm} clients paid {name}, {loses} lose money before overhead, and {spent} once the load "
            f"is spent on it; one in twenty {end} {spell(abs(worst), 'usd')} a client before overhead."
        )
    return said


def _of_terms(tables: Tables, arm: str) -> list[str]:
    """Say what each term takes from or adds to the payment that pays the same episode."""
    terms, level = tables["case_terms"], pick(tables["case_rates"], arm=arm, basis="actuarial", form="per_month")
    terms, said = terms[(terms.arm == arm) & terms.value_usd.notna()], []
    if level is None or is_missing(level["value_usd"]):
        return []
    beside = f"instead of {spell(level['value_usd'], 'usd')} a month"
    for term, text in TERMS.items():
        for row in terms[terms.term == term].to_dict("records"):
            price = phrase(as_estimate(row, "value_usd"), "usd")
            said.append(f"{arm}: {text.format(part=row['part'], price=price)}, {beside}.".replace(": If", ": if"))
    for row in terms[terms.part == "charge"].to_dict("records"):
        size = phrase(as_estimate(row, "value_usd"), "usd", absolute=True)
        beyond = terms[(terms.term == row["term"]) & (terms.part == BEYOND)].times_per_client.dropna()
        share = (
            f", for the {spell(float(beyond.iloc[0]), 'share')} of clients expected beyond it" if len(beyond) else ""
        )
        unit = "in dollars" if row["term"].endswith("usd") else "in units"
        said.append(f"{arm}: a stop-loss {unit} costs every client {size} of the episode{share}.")
    tiers = terms[terms.term == "tier_severity"]
    if len(tiers) > 1:
        prices = [
            f"{row['part']} {phrase(as_estimate({**row, 'reason': None}, 'value_usd'), 'usd')}"
            for row in tiers.to_dict("records")
        ]
        alike = tiers.reason.notna().all()
        tail = ": the limits include the level rate, so the tiers are not told apart" if alike else ""
        said.append(f"{arm}, by earlier detoxifications, a month costs: {listed(prices)}{tail}.")
    now, later = (pick(terms, part=part) for part in ("paid each month", "earned, each month"))
    if now is not None and later is not None:
        at_once, earned = (phrase(as_estimate(row, "value_usd"), "usd") for row in (now, later))
        said.append(
            f"{arm}: under the withhold a month pays {at_once} at once, and {earned} is expected to be earned."
        )
    return said
