"""Who is studied: the index episode, the rules in order and what each leaves, arm, covariates and follow-up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import ibis

from ratebook.contracts.episodes import ARMS
from ratebook.dates import days_from
from ratebook.episodes.history import COST_DAYS, add_acute_transfer, add_history, add_hospice
from ratebook.exposure.months import age_on
from ratebook.exposure.spans import join_gaps


@dataclass(frozen=True)
class CohortRules:
    """The choices of `config.yaml` that decide who is in the cohort and in which arm."""

    window_start: str
    window_end: str
    seed: int
    unit: str
    min_detox_12m: int
    count_index: bool
    index_rule: str
    age_min_years: int
    age_max_years: int
    exclude_full_duals: bool
    exclude_hospice: bool
    facilities: list[str]
    enrolled_days_before: int
    enrolled_gap_days: int
    prior_contact_days: int
    assignment_days: int
    follow_up_days: int


def inclusion_rules(candidates: ibis.Table, rules: CohortRules) -> list[tuple[str, str, int, ibis.Value]]:
    """Give the rules in the order in which they apply: id, words, days after discharge looked at, and test.

    No rule looks further ahead than the day after discharge at the person: who must be seen long is selected by
    survival. That the calendar leaves room for `follow_up_days` selects by date of entry alone; without it, those
    who enter late, and use less, are followed for short, and the long follow-up is that of heavier users.
    """
    detox = candidates.n12 if rules.count_index else candidates.n12 - 1
    counted = "the index included" if rules.count_index else "the index not counted"
    admissions = {"episode": "detox episodes", "stay": "detox stays"}[rules.unit]
    start, end = (dt.date.fromisoformat(day) for day in (rules.window_start, rules.window_end))
    enough_days = rules.enrolled_days_before - rules.enrolled_gap_days
    last_entry = end - dt.timedelta(days=rules.follow_up_days)
    listed = [
        (
            "study_window",
            f"Admitted from {start} on and discharged before {end}",
            0,
            (candidates.admission_date >= start) & (candidates.discharge_date < end),
        ),
        (
            "follow_up_possible",
            f"Discharged by {last_entry}: the study goes on for {rules.follow_up_days} days",
            0,
            candidates.discharge_date <= last_entry,
        ),
        (
            "repeated_detox",
            f"At least {rules.min_detox_12m} {admissions} in 365 days, {counted}",
            0,
            detox >= rules.min_detox_12m,
        ),
        (
            "age",
            f"Aged {rules.age_min_years} to {rules.age_max_years} at admission",
            0,
            candidates.age_years.between(rules.age_min_years, rules.age_max_years),
        ),
        ("discharged_alive", "Discharged alive", 0, ~candidates.is_died),
        ("facility", "Discharging facility is known", 0, candidates.facility_id != "unknown"),
        (
            "enrolled_before",
            f"Covered on {enough_days} of the {rules.enrolled_days_before} days before admission",
            0,
            candidates.window_days_before >= enough_days,
        ),
        (
            "enrolled_at_discharge",
            "Covered on the day of discharge and the day after",
            1,
            candidates.cover_end_date > candidates.discharge_date,
        ),
    ]
    asked = [
        (
            rules.exclude_full_duals,
            ("not_full_dual", "Not full dual on the day of discharge", 0, ~candidates.is_full_dual),
        ),
        (
            rules.exclude_hospice,
            ("not_hospice", f"No hospice care in the {COST_DAYS} days up to discharge", 0, ~candidates.is_hospice),
        ),
        (
            rules.facilities,
            (
                "listed_facility",
                "Discharged from a participating or a comparison facility",
                0,
                candidates.facility_id.isin(list(rules.facilities)),
            ),
        ),
    ]
    return [*listed, *(rule for is_asked, rule in asked if is_asked)]


def select_candidates(
    episodes: ibis.Table, spans: ibis.Table, persons: ibis.Table, claims: ibis.Table, rules: CohortRules
) -> ibis.Table:
    """Put on every episode what the rules ask, and how many rules in a row it passes.

    An episode that passes them all is eligible; the index, one of a person's eligible episodes by
    `index_rule`, passes one more. Where coverage has gaps, days are counted, so that the gaps together may
    last `enrolled_gap_days`.

    Returns
    -------
    ibis.Table
        One row per episode: its columns and `facility_id`, `age_years`, `cover_end_date` (last day of the
        unbroken coverage that holds the discharge, null where none does), `passed`.
    """
    candidates = _add_coverage(_add_person(episodes, persons), spans, rules.enrolled_days_before)
    candidates = add_hospice(candidates, claims)
    tests = rule_tests(candidates, rules)
    total = len(tests)
    candidates = candidates.mutate(passed=ibis.cases(*[(~test, n) for n, test in enumerate(tests)], else_=total))
    order = {
        "first": candidates.episode,
        "last": candidates.episode.desc(),
        "random": random_order(candidates, rules.seed),
    }[rules.index_rule]
    peers = ibis.window(group_by=["person_id", "passed"], order_by=order)
    candidates = candidates.mutate(place=ibis.row_number().over(peers))
    is_index = (candidates.passed == total) & (candidates.place == 0)
    return candidates.mutate(passed=candidates.passed + is_index.cast("int64")).drop("place")


def count_flow(candidates: ibis.Table, rules: CohortRules) -> ibis.Table:
    """Count the persons with an episode that passes every rule so far, before and after each rule.

    Returns
    -------
    CohortFlow
        A row for every rule, zeros where nobody is left.
    """
    listed = [(rule_id, words, ahead) for rule_id, words, ahead, _ in inclusion_rules(candidates, rules)]
    listed.append(("index_episode", f"The index: the {rules.index_rule} eligible episode of a person", 0))
    steps = ibis.memtable(
        [(n, *row) for n, row in enumerate(listed, start=1)],
        schema={"step": "int64", "rule_id": "string", "description": "string", "days_ahead": "int64"},
    )
    reached = candidates.select("person_id", "passed")
    entered = steps.left_join(reached, reached.passed >= steps.step - 1)
    return entered.group_by(*steps.columns).agg(
        persons_in=entered.person_id.nunique(),
        persons_out=entered.person_id.nunique(where=entered.passed >= entered.step),
    )


def select_cohort(candidates: ibis.Table, contacts: ibis.Table, claims: ibis.Table, rules: CohortRules) -> ibis.Table:
    """Give every eligible person their index episode, arm, covariates and end of follow-up.

    Time zero is the discharge. The arm is the program of the first valid contact after that day, within
    `assignment_days` and while the person is followed; of two on one day, CSP's (alphabetical order). The
    site's arm is the program most of a facility's assigned discharges went to, CSP on a tie. Covariates end
    the day before admission. Follow-up ends with death, the last day of unbroken coverage, or the window.

    Parameters
    ----------
    candidates : ibis.Table
        Episodes as `select_candidates` gives them.
    contacts : Contacts
    claims : Claims
        For cost and treatment before admission.
    rules : CohortRules

    Returns
    -------
    Cohort

    References
    ----------
    methods.md, B5, B8 and B9; H6, H16, H20.
    """
    total = len(inclusion_rules(candidates, rules))
    index = add_arm(candidates.filter(candidates.passed == total + 1), contacts, rules)
    index = _add_site_arm(index)
    index = add_history(index, claims)
    index = add_acute_transfer(index, claims)
    return index.select(
        "person_id",
        "episode",
        "discharge_date",
        "facility_id",
        "arm",
        "site_arm",
        "provider_id",
        "first_contact_date",
        "age_years",
        "sex",
        "race",
        "region",
        "dx_class",
        "los_days",
        "is_ama",
        "is_acute_transfer",
        "n12",
        "enrolled_days_before",
        "sud_cost_before_usd",
        "total_cost_before_usd",
        "is_moud_before",
        "is_mental_before",
        "is_prior_program",
        "is_both_programs",
        "follow_end_date",
        "follow_end_reason",
        "death_date",
        "readmission_date",
        index_admission_date=index.admission_date,
    )


def add_arm(candidates: ibis.Table, contacts: ibis.Table, rules: CohortRules) -> ibis.Table:
    """Put on every discharge the end of its follow-up, and its arm: the program of the first contact in time."""
    return _add_first_contact(_add_follow_up(candidates, rules.window_end), contacts, rules)


def random_order(candidates: ibis.Table, seed: int) -> ibis.Value:
    """Give a number that orders a person's episodes at random, the same on every run and every engine."""
    return (candidates.person_id + "|" + candidates.episode.cast("string") + f"|{seed}").hexdigest("md5")


def rule_tests(candidates: ibis.Table, rules: CohortRules) -> list[ibis.Value]:
    """Give the tests of the rules; what is not known passes none."""
    return [test.fill_null(False) for _, _, _, test in inclusion_rules(candidates, rules)]


def _add_person(episodes: ibis.Table, persons: ibis.Table) -> ibis.Table:
    about = persons.select("person_id", "birth_date", "death_date", "sex", "race", "region")
    known = episodes.left_join(about, "person_id").drop("person_id_right")
    unknown = {name: known[name].fill_null("unknown") for name in ("sex", "race", "region")}
    died_in_stay = (known.death_date <= known.discharge_date).fill_null(False)
    return known.mutate(
        **unknown,
        age_years=age_on(known.admission_date, known.birth_date),
        is_died=known.is_died | died_in_stay,
        facility_id=known.last_facility_id,
    )


def _add_coverage(episodes: ibis.Table, spans: ibis.Table, days_before: int) -> ibis.Table:
    key = episodes.select("person_id", "episode", "admission_date", "discharge_date")
    covered = key.join(spans.select("person_id", "start_date", "end_date", "dual_group"), "person_id")
    holds_discharge = covered.discharge_date.between(covered.start_date, covered.end_date)
    by_days = covered.group_by("person_id", "episode").agg(
        window_days_before=_overlap_days(covered, days_before).sum(),
        enrolled_days_before=_overlap_days(covered, 365).sum(),
        is_full_dual=(holds_discharge & (covered.dual_group == "full")).any(),
    )
    unbroken = key.join(join_gaps(spans, 0), "person_id")
    unbroken = unbroken.filter(unbroken.discharge_date.between(unbroken.start_date, unbroken.end_date))
    until = unbroken.select("person_id", "episode", cover_end_date=unbroken.end_date)
    found = episodes.left_join(by_days, ["person_id", "episode"]).drop("person_id_right", "episode_right")
    found = found.left_join(until, ["person_id", "episode"]).drop("person_id_right", "episode_right")
    return found.mutate(
        window_days_before=found.window_days_before.fill_null(0),
        enrolled_days_before=found.enrolled_days_before.fill_null(0),
        is_full_dual=found.is_full_dual.fill_null(False),
    )


def _overlap_days(covered: ibis.Table, days_before: int) -> ibis.Value:
    """Count the span's days among so many days before the admission."""
    first = ibis.greatest(covered.start_date, days_from(covered.admission_date, -days_before))
    last = ibis.least(covered.end_date, days_from(covered.admission_date, -1))
    return ibis.greatest(last.delta(first, unit="day") + 1, 0)


def _add_follow_up(index: ibis.Table, window_end: str) -> ibis.Table:
    end_of_data = ibis.literal(window_end).cast("date")
    follow_end = ibis.least(index.cover_end_date, end_of_data, index.death_date.fill_null(end_of_data))
    readmission = (index.discharge_date + index.days_to_next.as_interval("D")).cast("date")
    return index.mutate(
        follow_end_date=follow_end,
        follow_end_reason=ibis.cases(
            ((index.death_date == follow_end).fill_null(False), "death"),
            (follow_end == end_of_data, "end_of_data"),
            else_="disenrolled",
        ),
        readmission_date=ibis.ifelse(readmission <= follow_end, readmission, ibis.null("date")),
    )


def _add_first_contact(index: ibis.Table, contacts: ibis.Table, rules: CohortRules) -> ibis.Table:
    valid = contacts.filter(contacts.is_contact).select(
        "person_id", "contact_date", "program", "contact_id", contact_provider_id=contacts.provider_id
    )
    key = index.select("person_id", "episode", "admission_date", "discharge_date", "follow_end_date")
    seen = key.join(valid, "person_id")
    after = (seen.contact_date > seen.discharge_date) & (seen.contact_date <= seen.follow_end_date)
    soon = after & (seen.contact_date <= days_from(seen.discharge_date, rules.assignment_days))
    before = seen.contact_date.between(
        days_from(seen.admission_date, -rules.prior_contact_days), days_from(seen.admission_date, -1)
    )
    in_order = ibis.struct(
        {name: seen[name] for name in ("contact_date", "program", "contact_id", "contact_provider_id")}
    )
    found = seen.group_by("person_id", "episode").agg(
        first=in_order.min(where=soon),
        programs=seen.program.nunique(where=after),
        is_prior_program=before.any(),
    )
    found = found.select(
        "person_id",
        "episode",
        "is_prior_program",
        first_contact_date=found["first"]["contact_date"],
        provider_id=found["first"]["contact_provider_id"],
        first_program=found["first"]["program"],
        is_both_programs=found.programs > 1,
    )
    index = index.left_join(found, ["person_id", "episode"]).drop("person_id_right", "episode_right")
    return index.mutate(
        arm=index.first_program.fill_null("none"),
        is_prior_program=index.is_prior_program.fill_null(False),
        is_both_programs=index.is_both_programs.fill_null(False),
    )


def _add_site_arm(index: ibis.Table) -> ibis.Table:
    site = ibis.window(group_by="facility_id")
    to_rsn = (index.arm == "RSN").cast("int64").sum().over(site)
    assigned = index.arm.isin(ARMS).cast("int64").sum().over(site)
    return index.mutate(
        site_arm=ibis.cases((assigned == 0, ibis.null("string")), (to_rsn * 2 > assigned, "RSN"), else_="CSP")
    )
