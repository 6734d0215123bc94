"""What the report says of engagement: how long, on which clock, as a trial would find, and what it rests on."""

from __future__ import annotations

from ratebook.contracts.engagement import CONTRAST
from ratebook.release.sentences import NO_COHORT, Tables, pick, primary_length, section, value_of
from ratebook.release.wording import is_missing, phrase

PH_TESTS = ("ph_test_unadjusted", "ph_test_adjusted")


@section("engagement")
def say_engagement(tables: Tables, settings: dict) -> list[str]:
    """Give restricted means by arm, the difference as it is and adjusted, and what another clock would have made of it."""
    length = primary_length(tables)
    if length is None:
        return [NO_COHORT]
    rows, tau, said = tables["engagement"], length["tau_days"], []
    for arm in ("RSN", "CSP"):
        mean = pick(rows, estimand="rmst", arm=arm, tau_days=tau, clock="contact", method="kaplan_meier")
        if mean is not None:
            said.append(value_of(f"Mean engagement within {int(tau)} days, {arm},", mean, "", "days"))
    said.append(value_of("The difference, RSN less CSP,", length, "", "days"))
    for method, name in (
        ("overlap_weighted", "The difference after overlap weighting"),
        ("ipcw", "The difference weighted for those who lost coverage"),
    ):
        other = pick(rows, estimand="rmst_difference", tau_days=tau, clock="contact", method=method)
        if other is not None:
            said.append(value_of(name, other, "", "days"))
    return [*said, *_of_readmission(tables), *_of_clocks(tables, tau), *_of_hazards(tables)]


def _of_readmission(tables: Tables) -> list[str]:
    """Say what the headline is where another detoxification closes a spell."""
    row = pick(tables["engagement_sensitivity"], analysis="readmission", is_base=False)
    return [value_of("Where another detoxification closes a spell, the difference", row, "", "days")] if row else []


def _of_clocks(tables: Tables, tau: int) -> list[str]:
    """Say what would have been published had each arm been timed by its own billing."""
    rows = tables["clocks"]
    crossed = rows[(rows.comparison == "cross_clock") & (rows.tau_days == tau) & rows.estimate_days.notna()]
    crossed = crossed[(crossed.arm == "RSN") & (crossed.clock == "admin") & (crossed.other_clock == "contact")]
    return [
        f"Timed by enrolment in RSN and by contacts in CSP, as each is billed, the difference would read "
        f"{phrase({**row, 'estimate': row['estimate_days']}, '', 'days')}: both arms are therefore timed by contacts."
        for row in crossed.to_dict("records")
    ]


def _of_hazards(tables: Tables) -> list[str]:
    """Say whether one hazard ratio could stand for the difference."""
    models = tables["engagement_models"]
    tests = models[models.model.isin(PH_TESTS) & (models.term == "GLOBAL") & models.p_value.notna()]
    if tests.empty:
        return []
    found = [
        f"{'p < 0.001' if row.p_value < 0.001 else f'p = {row.p_value:.3f}'} in the "
        f"{row.model.removeprefix('ph_test_')} Cox model"
        for row in tests.sort_values("model", ascending=False).itertuples()
    ]
    return [f"The global test of proportional hazards gives {' and '.join(found)}: restricted means are the headline."]


WAYS = {
    "naive": "As treated",
    "landmark": "From the landmark at day {}, among members still followed,",
    "clone_censor_weight": "By weighted clones with {} days of grace",
    "by_site": "By site of discharge, whoever engaged,",
}
"""What a method of the target trial is called in a sentence; a number at its end stands for the braces."""


@section("trial")
def say_trial(tables: Tables, settings: dict) -> list[str]:
    """Set the ways of comparing from discharge on beside each other, at the longest horizon."""
    rows = tables["engagement"]
    rows = rows[(rows.estimand == "engaged_days_difference") & (rows.clock == "contact")]
    if rows.empty:
        return [NO_COHORT]
    tau = rows.tau_days.max()
    said = []
    for row in sorted(rows[rows.tau_days == tau].to_dict("records"), key=lambda row: list(WAYS).index(_kind(row))):
        kind = _kind(row)
        name = WAYS[kind].format(row["method"].removeprefix(kind).strip("_"))
        said.append(value_of(f"{name} the difference within {int(tau)} days of discharge", row, "", "days"))
    wait = pick(tables["first_contact_wait"], arm=CONTRAST)
    if wait is not None and not is_missing(wait["median_days"]):
        row = {**wait, "estimate": wait["median_days"]}
        said.append(value_of("The difference in the median wait for the first contact", row, "", "days"))
    if (rows.method == "by_site").any():
        said.append(
            "A site counts as RSN's where most of the members it discharged met RSN first, and everybody it discharged "
            "is counted: where sites refer to both programs, or members meet neither, this difference is drawn to none."
        )
    return said


def _kind(row: dict) -> str:
    return row["method"].rstrip("0123456789").rstrip("_")


@section("robustness")
def say_robustness(tables: Tables, settings: dict) -> list[str]:
    """Give the E-value of the headline, the estimates that leave it furthest, and whether any changes its sign."""
    rows = tables["engagement_sensitivity"]
    rows = rows[(rows.unit == "days") & rows.estimate.notna()]
    base, others = rows[rows.is_base], rows[~rows.is_base & ~rows.analysis.isin(["placebo arm", "negative control"])]
    if base.empty or others.empty:
        return [NO_COHORT]
    lowest, highest = (others.loc[at].to_dict() for at in (others.estimate.idxmin(), others.estimate.idxmax()))
    said = [
        f"Other choices give differences from {phrase(lowest, '', 'days')} ({lowest['analysis']}: {lowest['variant']}) to "
        f"{phrase(highest, '', 'days')} ({highest['analysis']}: {highest['variant']}).",
        f"{int((others.sign_change == 1).sum())} of {len(others)} change the sign.",
    ]
    strength = base.dropna(subset=["e_value", "e_value_limit"])
    if len(strength):
        row = strength.iloc[0]
        said.append(
            f"A hidden cause would need ties to arm and length of a risk ratio of {row.e_value:.1f} each to explain the "
            f"difference, and of {row.e_value_limit:.1f} to explain the limit of its interval nearer to none."
        )
    return said


@section("service_mix")
def say_service_mix(tables: Tables, settings: dict) -> list[str]:
    """Say how much of navigators' time the unit form does not pay, and what the other form would have earned."""
    rows, said = tables["service_summary"], []
    for measure, name, unit in (
        ("nonbillable_share", "Of navigators' time in {}, the share the unit form does not pay", "share"),
        ("case_to_unit_ratio", "In {}, the case rate's earnings over the unit form's for the same log", ""),
    ):
        for arm in ("RSN", "CSP"):
            row = pick(rows, measure=measure, arm=arm)
            if row is not None:
                said.append(value_of(name.format(arm), row, unit))
    return said
