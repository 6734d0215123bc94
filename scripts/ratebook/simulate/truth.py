"""What was planted: computed by the generating model on a large sample, and counted while the data are made."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from ratebook.simulate.behavioural import bill_care
from ratebook.simulate.block import month_start, stack
from ratebook.simulate.detox import Admissions, draw_admissions
from ratebook.simulate.fault_kinds import KINDS
from ratebook.simulate.fault_records import DRUG_KINDS, NATURAL_KINDS, RECORD_KINDS
from ratebook.simulate.navigator import (
    MONTH,
    Engagements,
    bill_program,
    draw_contacts,
    draw_engagements,
    first_admission_after,
    index_episodes,
    second_engagements,
)
from ratebook.simulate.network import ARMS
from ratebook.simulate.people import NEVER, People, draw_people
from ratebook.simulate.setup import Setup
from ratebook.simulate.world import CATEGORIES, PROGRAM_CATEGORY, SETTINGS, SUD_CATEGORIES

AT_RANDOM = (
    *("ED_SUD", "ED_OTHER", "IP_SUD_MEDICAL", "IP_MEDICAL", "OP_PROFESSIONAL", "PHARMACY_OTHER"),
    *("OTHER_BH", "OTHER"),
)
"""Categories whose services come to members whatever else they do: their use grows by the planted trend.

That of the others follows who is detoxified and engaged, and has no trend of its own.
"""
TRENDING = {
    "utilisation_trend": AT_RANDOM,
    "unit_cost_trend": (
        *AT_RANDOM,
        *("WM_HOSP", "WM_RES", "RES35", "RES31", "OP_SUD", "IOP_PHP", "MOUD_DRUG", "OTP"),
    ),
}
"""Trend to the categories it acts on. Navigators are paid by contract, and long-term care net of what residents pay."""

TAUS = (90, 180, 365)
HORIZON = 365
CLIENTS_PLAN = "BHP"
CAUSES = ("disengaged", "readmitted", "death")


def sample_truth(setup: Setup, batch) -> Counter:
    """Sum what happens to clients of an index discharge when nothing hides it: no disenrolment, no end of data.

    Who becomes a client is decided as in the data, coverage and all: heavy users keep theirs longer, and so are more
    of the clients than of all users. Only what follows the index discharge is free of disenrolment.

    Two worlds are drawn of the same people and luck, in which the arm is forced on everybody (`RSN`, `CSP`), and the one
    with the sites' own referral (`RSN_as_referred`, `CSP_as_referred`), whose arms differ in severity.
    """
    users = setup.settings["detox"]
    share = users["heavy_share"] + users["light_share"]
    detox = {**users, "heavy_share": users["heavy_share"] / share, "light_share": users["light_share"] / share}
    setup = replace(setup, settings={**setup.settings, "detox": detox})
    longer = replace(setup, end=setup.end + HORIZON + 200)
    total: Counter = Counter()
    rng = np.random.default_rng(batch.seed)
    people, admissions = _draw_clients(rng, setup, longer, batch.members)
    lives, luck = people.always_covered(setup.start), rng.bit_generator.state
    for forced in (0, 1, None):
        rng.bit_generator.state = luck
        firsts = draw_engagements(rng, longer, people, admissions, uncensored=True, arm=forced)
        later = second_engagements(rng, longer, lives, firsts)
        found = Engagements(*[np.concatenate(pair) for pair in zip(vars(firsts).values(), vars(later).values())])
        contacts = draw_contacts(rng, longer, found)
        care, drugs = bill_care(rng, longer, lives, admissions, firsts)
        rows = stack([*care, bill_program(rng, longer, lives, found, contacts)])
        discharge = admissions.discharge[found.episode]
        counted = found.is_index & ~found.is_second & (discharge <= setup.end - HORIZON)
        for at, arm in enumerate(ARMS):
            if forced in (None, at):
                name = arm if forced is not None else f"{arm}_as_referred"
                chosen = np.flatnonzero(counted & (found.arm == at))
                total.update(_sum_lengths(name, people, admissions, found, contacts, chosen))
                total.update(_sum_engaged(name, found, contacts, discharge, chosen))
                total.update(_sum_costs(name, rows, drugs, found, discharge, chosen))
    return total


def _draw_clients(rng, setup: Setup, longer: Setup, members: int) -> tuple[People, Admissions]:
    """Draw users, covered as in the data, and keep those with an index; with every admission, covered or not."""
    people = draw_people(rng, setup, np.arange(members), every_death=True)
    admissions = draw_admissions(rng, longer, people.always_covered(setup.start))
    _, is_index = index_episodes(people, admissions)
    kept = np.unique(admissions.person[is_index])
    theirs = np.isin(admissions.person, kept)
    admissions = Admissions(*[values[theirs] for values in vars(admissions).values()])
    admissions.person = np.searchsorted(kept, admissions.person)
    return people.only(kept), admissions


def _sum_lengths(name: str, people, admissions, found, contacts, chosen) -> Counter:
    last = _last_contact(found, contacts)
    readmitted = first_admission_after(admissions, found.person, found.first) - found.first
    death = people.death[found.person] - found.first
    latent = found.latent_days + 1
    clock = last - found.first + 1
    first_end = np.minimum.reduce([latent, readmitted, death])
    cause = np.select([first_end == latent, first_end == readmitted], [0, 1], 2)
    total = Counter({("engagement", name, "clients"): len(chosen)})
    total[("engagement", name, "months_to_first_end")] += float(first_end[chosen].sum() / MONTH)
    for tau in TAUS:
        for clock_name, values in (("net", latent), ("contact_clock", clock), ("until_any_end", first_end)):
            total[("engagement", name, clock_name, tau)] += int(np.minimum(values[chosen], tau).sum())
        for number, label in enumerate(CAUSES):
            hit = (cause[chosen] == number) & (first_end[chosen] <= tau)
            total[("engagement", name, f"cif_{label}", tau)] += int(hit.sum())
    return total


def _last_contact(found, contacts) -> np.ndarray:
    last = np.zeros(len(found), np.int64)
    np.maximum.at(last, contacts["engagement"], contacts["day"])
    return last


def _sum_engaged(name: str, found, contacts, discharge, chosen) -> Counter:
    """Count days engaged within the horizon, in the first spell or a later one; a day in both counts once."""
    start = np.minimum(found.first - discharge, HORIZON)
    stop = np.clip(_last_contact(found, contacts) - discharge + 1, start, HORIZON)
    again = np.full(int(found.person.max(initial=0)) + 1, -1)
    again[found.person[found.is_second]] = np.flatnonzero(found.is_second)
    days = stop[chosen] - start[chosen]
    returned = again[found.person[chosen]]
    first, second = chosen[returned >= 0], returned[returned >= 0]
    shared = np.minimum(stop[first], stop[second]) - np.maximum(start[first], start[second])
    later = stop[second] - start[second] - np.maximum(shared, 0)
    return Counter(
        {("cost", name, "engaged_days"): int(days.sum() + later.sum()), ("cost", name, "clients"): len(chosen)}
    )


def _sum_costs(name: str, rows, drugs, found, discharge, chosen) -> Counter:
    start = np.full(int(max(rows["person"].max(), drugs["person"].max())) + 1, NEVER)
    start[found.person[chosen]] = discharge[chosen]
    total: Counter = Counter()
    for part, days in ((rows, rows["line_start"]), (drugs, drugs["day"])):
        since = days - start[part["person"]]
        inside = (since >= 0) & (since < HORIZON)
        sums = np.bincount(part["category"][inside], part["paid"][inside], minlength=len(CATEGORIES))
        total.update({("cost", name, CATEGORIES[at]): int(cents) for at, cents in enumerate(sums) if cents})
    return total


def describe_truth(setup: Setup, total: Counter, faults: dict, stands: dict, owners: dict) -> dict:
    """Lay out the truth.

    Keys
    ----
    seed
        Seed of the program.
    engagement
        By arm (`RSN`, `CSP`: the arm forced on everybody with an index discharge that leads to a navigator;
        `…_as_referred`: those whom the sites referred, sicker in RSN by `simulate.confounding`). Population:
        clients whose index discharge leaves a year of the study, from their first contact on, without disenrolment,
        in this network of organisations; they came to their index and first contact covered as in the data.
        `net`: mean of min(length, tau) in days if neither readmission nor death intervened, which is what
        Kaplan-Meier with those as censoring estimates. `contact_clock`: last less first contact plus 1, as
        recorded, cut only by death and by the readmissions that end an engagement: what spells of contacts show
        where a silence is the event and readmission is not a competing end. `until_any_end`: cut by every
        readmission and by death. `cif`: probability of each first end by tau. `difference` and `ratio`: RSN
        against CSP, arm forced.
    cost
        By arm as above, for 365 days from the index discharge, the index stay not included, all of it observed,
        returns to a navigator and service by both programs too; of the dollars, the share of each category that
        the planted faults leave standing, since what was denied or voided cost nothing:
        `p1_usd` program dollars per engaged month (contact clock, 30.4375 days), `total_sud_usd` and
        `by_category_usd` per client; `total_sud_ratio`, `p1_ratio`.
    calibration
        Detoxification over person-years with an admission, in the data as made: methods.md B5 asks for 0.577 and
        0.87; `engaged_index_clients` by arm.
    rates
        `utilisation_trend`, `unit_cost_trend` a year, of the categories in `TRENDING`; `completion`: by category, cumulative share of dollars paid
        by months after the month of service; `ultimate_usd`: by plan, category and month of service, whenever
        paid, before any fault and extract.
    ltc
        By setting and coverage: member months (days / 30.4375), and ultimate dollars a member month of long-term
        care, acute care and drugs, by the setting on the day of service.
    faults, stands
        By kind: ids of claims (C…), dispensings (D…), log entries (N…) or persons (P…) that are wrong, and of the
        claims that should stand beside them. `expected` says by which rule of methods.md and with what outcome
        (see `faults.Kind`); `due_usd`, by kind of claim, the dollars that both together should end with;
        `owners`, of each claim under a former id, the person.
    """
    arms = sorted({key[1] for key in total if key[0] == "engagement"})
    engagement = {arm: _engagement(total, arm) for arm in arms}
    cost = {arm: _cost(total, arm) for arm in arms}
    if {"RSN", "CSP"} <= set(arms):
        for name, change in (("difference", np.subtract), ("ratio", np.divide)):
            engagement[name] = {
                clock: {tau: _round(change(*(engagement[arm][clock][tau] for arm in ARMS))) for tau in map(str, TAUS)}
                for clock in ("net", "contact_clock", "until_any_end")
            }
        cost |= {
            f"{what}_ratio": _round(cost["RSN"][f"{what}_usd"] / cost["CSP"][f"{what}_usd"])
            for what in ("p1", "total_sud")
        }
    return {
        "seed": setup.settings["seed"],
        "engagement": engagement,
        "cost": cost,
        "calibration": _calibration(total),
        "rates": _rates(setup, total),
        "ltc": _long_term(total),
        "expected": {
            kind: {"rule": entry.rule, "outcome": entry.outcome, "description": entry.description}
            for kind, entry in {**KINDS, **RECORD_KINDS, **NATURAL_KINDS}.items()
        },
        "faults": {kind: sorted(ids) for kind, ids in sorted(faults.items())},
        "stands": {kind: sorted(ids) for kind, ids in sorted(stands.items()) if ids},
        "owners": owners,
        "due_usd": {kind: total["due", kind] / 100 for kind in (*KINDS, *DRUG_KINDS) if faults.get(kind)},
        "rows": {name: total[("rows", name)] for name in ("medical", "pharmacy")},
    }


def _round(value: float) -> float:
    return round(float(value), 6)


def _engagement(total: Counter, arm: str) -> dict:
    clients = max(total[("engagement", arm, "clients")], 1)
    found = {
        clock: {str(tau): _round(total[("engagement", arm, clock, tau)] / clients) for tau in TAUS}
        for clock in ("net", "contact_clock", "until_any_end")
    }
    cif = {
        cause: {str(tau): _round(total[("engagement", arm, f"cif_{cause}", tau)] / clients) for tau in TAUS}
        for cause in CAUSES
    }
    return found | {"cif": cif, "sampled_clients": total[("engagement", arm, "clients")]}


def _cost(total: Counter, arm: str) -> dict:
    clients = max(total[("cost", arm, "clients")], 1)
    usd = {name: total[("cost", arm, name)] * _standing_share(total, name) / 100 for name in CATEGORIES}
    by_category = {name: _round(paid / clients) for name, paid in usd.items()}
    months = total[("cost", arm, "engaged_days")] / MONTH
    return {
        "p1_usd": _round(usd[PROGRAM_CATEGORY] / months) if months else None,
        "total_sud_usd": _round(sum(by_category[name] for name in SUD_CATEGORIES)),
        "total_usd": _round(sum(by_category.values())),
        "engaged_months": _round(months / clients),
        "by_category_usd": by_category,
    }


def _standing_share(total: Counter, category: str) -> float:
    """Give the share of the dollars sent that faults leave standing: denied and voided claims cost nothing."""
    sent = total[("sent", CLIENTS_PLAN, category)]
    return 1 - total[("lost", CLIENTS_PLAN, category)] / sent if sent else 1.0


def _calibration(total: Counter) -> dict:
    users, admissions = max(total[("detox", "users")], 1), max(total[("detox", "admissions")], 1)
    repeaters = total[("detox", "repeaters")]
    return {
        "detox_user_years": total[("detox", "users")],
        "repeaters_share": _round(repeaters / users),
        "repeaters_share_of_admissions": _round(total[("detox", "repeaters_admissions")] / admissions),
        "admissions_per_repeater_year": _round(total[("detox", "repeaters_admissions")] / max(repeaters, 1)),
        "engaged_index_clients": {arm: total[("engaged", at)] for at, arm in enumerate(ARMS)},
    }


def _rates(setup: Setup, total: Counter) -> dict:
    ultimate: dict = {}
    lags: dict = {}
    for key, cents in total.items():
        if key[0] == "paid":
            _, plan, category, month, lag = key
            name = CATEGORIES[category]
            label = str(np.datetime64(int(month_start(month)), "D"))
            months = ultimate.setdefault(plan, {}).setdefault(name, {})
            months[label] = round(months.get(label, 0) + cents / 100, 2)
            shares = lags.setdefault(name, {})
            shares[lag] = shares.get(lag, 0) + cents
    completion = {}
    for name, cents in lags.items():
        so_far = np.cumsum([cents.get(lag, 0) for lag in range(max(cents) + 1)]) / max(sum(cents.values()), 1)
        completion[name] = [_round(share) for share in so_far]
    return {
        **{
            name: {category: setup.settings[name] for category in CATEGORIES if category in acting}
            for name, acting in TRENDING.items()
        },
        "completion": completion,
        "ultimate_usd": ultimate,
    }


def _long_term(total: Counter) -> dict:
    found = {}
    for setting in SETTINGS:
        for group in ("dual", "medicaid_only", "medicare_only"):
            months = total[("ltc_days", setting, group)] / MONTH
            if months:
                found.setdefault(setting, {})[group] = {"member_months": _round(months)} | {
                    f"{kind}_pmpm_usd": _round(total[("ltc_paid", setting, group, kind)] / 100 / months)
                    for kind in ("long_term", "acute", "drugs")
                }
    return found
