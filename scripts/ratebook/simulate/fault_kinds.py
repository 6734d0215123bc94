"""Every fault of claims that methods.md A and H name, as an entry of KINDS; those of chains do it in fault_chains."""

from __future__ import annotations

import numpy as np

from ratebook.simulate import fault_chains as chains
from ratebook.simulate.block import NO_WORD, NULL, take
from ratebook.simulate.faults import CODED, Kind, Pick
from ratebook.simulate.world import word, words
from ratebook.simulate.write import ALIAS, REUSED, SPLIT

QUARTERS = ("H0004", "T1019")
"""Codes billed in 15-minute units that a unit-scale error may strike."""
SAFE = 140
"""Days before the extract by which a claim must be paid for its later records to be in the data."""


def any_claim(heads, count, who, setup):
    """Every claim paid early enough for its adjustments to be in the data."""
    return heads["paid_date"] <= setup.extract - SAFE


def _coded(heads, count, who, setup):
    return any_claim(heads, count, who, setup) & (heads["plan"] == word(CODED))


def _alone(heads, count, who, setup):
    """Choose coded claims that are their person's only one with that biller, those dates and that claim type."""
    key = np.stack([heads[name] for name in ("person", "billing", "claim_start", "claim_end", "claim_type")])
    _, which, copies = np.unique(key, axis=1, return_inverse=True, return_counts=True)
    return _coded(heads, count, who, setup) & (copies[which.reshape(-1)] == 1)


def _single(heads, count, who, setup):
    return any_claim(heads, count, who, setup) & (count == 1) & (heads["paid"] > 500)


def _coded_single(heads, count, who, setup):
    return _single(heads, count, who, setup) & (heads["plan"] == word(CODED))


def _several(heads, count, who, setup):
    return any_claim(heads, count, who, setup) & (count >= 2) & (heads["paid"] > 500)


def _stay(heads, count, who, setup):
    return _several(heads, count, who, setup) & (heads["bill"] == word("111"))


def _long_stay(heads, count, who, setup):
    return _stay(heads, count, who, setup) & (heads["discharge"] - heads["admission"] >= 4)


def _one_day(heads, count, who, setup):
    return _single(heads, count, who, setup) & (heads["claim_start"] == heads["claim_end"])


def _professional(heads, count, who, setup):
    return _one_day(heads, count, who, setup) & (heads["claim_type"] == word("professional"))


def _medicaid_first(heads, count, who, setup):
    return _professional(heads, count, who, setup) & (heads["crossover"] == 0)


def _visit(heads, count, who, setup):
    return _professional(heads, count, who, setup) & (heads["hcpcs"] == word("99213"))


def _quarters(heads, count, who, setup):
    return any_claim(heads, count, who, setup) & np.isin(heads["hcpcs"], words(QUARTERS)) & (count == 1)


def _night(heads, count, who, setup):
    return any_claim(heads, count, who, setup) & (heads["hcpcs"] == word("H0011"))


def _of_the_dead(heads, count, who, setup):
    death = who.death[heads["person"]]
    return _one_day(heads, count, who, setup) & (death != NULL) & (death < setup.end - 120)


def _ordinary(heads, count, who, setup):
    return _one_day(heads, count, who, setup) & ~np.isin(heads["hcpcs"], words(["H2015", "T1023"]))


def _of_two(heads, count, who, setup):
    return _ordinary(heads, count, who, setup) & (len(who) > 1)


def _resend(pick: Pick, mark: int) -> None:
    rows = take(pick.rows, pick.lines)
    rows["resent"] = np.full(len(pick.lines), mark, np.int8)
    pick.extra.append(rows)


def exact_duplicate(pick: Pick) -> None:
    """The load repeats a claim, byte for byte."""
    _resend(pick, 1)


def cross_file_duplicate(pick: Pick) -> None:
    """A claim stands in its own year's file and in the next one's."""
    _resend(pick, 2)


def conflicting_duplicate(pick: Pick) -> None:
    """Two records with one key disagree on the amount; neither can be believed."""
    pick.extra.append(pick.scale(take(pick.rows, pick.lines), 1.1))


def near_duplicate(pick: Pick) -> None:
    """The same service is billed again under another claim number."""
    again = pick.copy("original", None, (0, 25))
    pick.gone = [pick.claims, again]


def _deny(pick: Pick) -> None:
    half = (pick.of % 2) == 0
    zero = np.where(half, word("F2"), word("542"))
    pick.set(denied=1, claim_status=zero, paid=0, header_paid=0)


def denied_header(pick: Pick) -> None:
    """The payer denies the whole claim."""
    _deny(pick)


def denied_line(pick: Pick) -> None:
    """One line of a paid claim is denied; the amounts stay as they were."""
    last = np.append(pick.of[1:] != pick.of[:-1], True)
    pick.rows["line_status"][pick.lines[last]] = word("542")
    pick.due = pick.get("paid")[~last]


def denied_resubmitted(pick: Pick) -> None:
    """A denied claim comes again under a new number and is paid."""
    pick.stands.append(pick.copy("original", None, (20, 60)))
    _deny(pick)


def header_priced(pick: Pick) -> None:
    """The amount stands in the header alone; every line is zero."""
    pick.due = pick.get("paid")
    pick.set(paid=0)


def header_mismatch(pick: Pick) -> None:
    """Header and lines disagree, both positive: the header of an institutional claim is right."""
    pick.due = pick.get("paid")
    pick.set(paid=np.rint(pick.get("paid") * 0.8).astype(np.int64))


def repeated_header(pick: Pick) -> None:
    """A file of its own has no header amount: it writes the header's on every line of the claim."""
    pick.due = pick.get("paid")
    pick.set(paid=pick.get("header_paid"), header_paid=NULL, feed=1)


def unit_scale(pick: Pick) -> None:
    """Minutes are billed where quarters of an hour belong."""
    pick.set(units=pick.get("units") * 15)


def units_above_max(pick: Pick) -> None:
    """A night is billed with three units of a per-diem code."""
    head = np.append(True, pick.of[1:] != pick.of[:-1])
    pick.rows["units"][pick.lines[head]] = 30000


def crossover(pick: Pick) -> None:
    """Medicare paid first; Medicaid pays the coinsurance."""
    allowed = pick.get("allowed")
    own = np.rint(allowed * 0.2).astype(np.int64)
    pick.set(crossover=1, medicare_paid=allowed - own, coinsurance=own, deductible=0, paid=own, header_paid=own)


def subcapitated(pick: Pick) -> None:
    """An encounter paid zero because its provider is capitated; it says what fee-for-service would have paid."""
    pick.set(record_type=word("encounter"), ffs_equivalent=pick.get("allowed"), paid=0, header_paid=0)


def _no_service(record_type: str, dollars: int):
    def plant(pick: Pick) -> None:
        record = pick.copy("original", None, (0, 20))
        rows = pick.extra[-1]
        n = len(pick.lines)
        for name in ("hcpcs", "revenue", "place", "bill", "dx1", "dx2", "drg", "rendering", "modifier"):
            rows[name] = np.full(n, NO_WORD, np.int32)
        for name in ("paid", "allowed", "header_paid", "charge"):
            rows[name] = np.full(n, dollars * 100)
        rows["record_type"], rows["units"] = np.full(n, word(record_type), np.int32), np.full(n, NULL)
        pick.gone, pick.stands = [record], [pick.claims]

    return plant


def missing_discharge(pick: Pick) -> None:
    """A finished stay with no discharge date."""
    pick.set(discharge=NULL, status=NO_WORD)


def _start_after_end(low: int, high: int):
    def plant(pick: Pick) -> None:
        start = pick.get("line_end") + pick.draw(low, high)
        pick.set(claim_start=start, line_start=start)

    return plant


def _move(pick: Pick, start: np.ndarray) -> None:
    pick.set(claim_start=start, claim_end=start, line_start=start, line_end=start)


def before_birth(pick: Pick) -> None:
    """A service before the patient was born."""
    _move(pick, pick.who.birth[pick.get("person")] - pick.draw(10, 300))


def _after_death(low: int, high: int):
    def plant(pick: Pick) -> None:
        start = pick.who.death[pick.get("person")] + pick.draw(low, high)
        _move(pick, start)
        pick.set(paid_date=np.maximum(pick.get("paid_date"), start + 3))

    return plant


def after_paid_date(pick: Pick) -> None:
    """A claim paid before its service."""
    pick.set(paid_date=pick.get("line_start") - pick.draw(5, 40))


def after_extract(pick: Pick) -> None:
    """A service dated after the data were drawn, in the file of what is not paid yet."""
    _move(pick, pick.setup.extract + pick.draw(3, 60))
    pick.set(paid_date=NULL, feed=2)


def no_dates(pick: Pick) -> None:
    """A claim with no date of service at all."""
    _move(pick, np.full(len(pick.lines), NULL))


def _alias(number: int):
    def plant(pick: Pick) -> None:
        pick.set(person=pick.get("person") + number * ALIAS)

    return plant


def reused_id(pick: Pick) -> None:
    """The claim bears an id that was one member's until the middle of the study, and is another's since."""
    person = pick.get("person")
    is_second = pick.get("line_start") > pick.setup.middle
    first = np.where(is_second, (person - 1) % len(pick.who), person)
    pick.set(person=first + REUSED * ALIAS)


def negative_unexplained(pick: Pick) -> None:
    """A negative amount on an original claim, with nothing it could belong to."""
    pick.set(paid=-pick.get("paid"), header_paid=-pick.get("header_paid"))


KINDS: dict[str, Kind] = {
    "exact_duplicate": Kind(any_claim, exact_duplicate, "A3.1", "once", "Claims loaded twice, byte for byte."),
    "cross_file_duplicate": Kind(
        any_claim, cross_file_duplicate, "A3.1", "once", "Claims in two years' files at once (H13)."
    ),
    "conflicting_duplicate": Kind(
        _single, conflicting_duplicate, "A3.2", "gone", "Claims with two records of one key that disagree."
    ),
    "near_duplicate": Kind(_visit, near_duplicate, "A6", "flagged", "Services billed again under another number."),
    "denied_header": Kind(any_claim, denied_header, "A4.1", "gone", "Claims denied as a whole."),
    "denied_line": Kind(_several, denied_line, "A4.2", "corrected", "Claims with their last line denied."),
    "denied_resubmitted": Kind(
        any_claim, denied_resubmitted, "A4.1", "gone", "Denied claims that come again and are paid."
    ),
    "void_negative": Kind(any_claim, chains.void(-1), "A5.3a", "gone", "Voids with negative amounts."),
    "void_mirror": Kind(_coded, chains.void(1), "A5.3a", "gone", "Voids that mirror the positive amounts."),
    "void_zero": Kind(any_claim, chains.void(0), "A5.3a", "gone", "Voids with zero amounts."),
    "void_no_number": Kind(_alone, chains.void_no_number, "A5.3a", "gone", "Voids that name no claim."),
    "replacement": Kind(any_claim, chains.replacement, "A5.3b", "gone", "Claims replaced by a later record."),
    "same_id_replacement": Kind(
        _coded, chains.same_id_replacement, "A5.3b", "once", "Claims replaced under their own number."
    ),
    "void_replacement": Kind(any_claim, chains.void_replacement, "A5.3a", "gone", "Claims voided, then replaced."),
    "replacement_chain": Kind(any_claim, chains.replacement_chain, "A5.3b", "gone", "Replacements that are replaced."),
    "orphan_void": Kind(
        _coded_single, chains.orphan_void, "A5.5", "gone", "Voids of claims that are not in the data."
    ),
    "orphan_replacement": Kind(
        _coded_single, chains.orphan_replacement, "A5.5 kept", "flagged", "Replacements of claims not in the data."
    ),
    "gross_credit": Kind(
        _coded_single, chains.money("gross_credit", -1), "A5.4", "money", "Money back without a service."
    ),
    "gross_debit": Kind(
        _coded_single, chains.money("gross_debit", 1), "A5.4", "money", "Money out without a service."
    ),
    "tpl_recovery": Kind(
        _coded_single, chains.money("credit", -1), "A5.4", "money", "Money recovered from other insurance."
    ),
    "interim": Kind(_long_stay, chains.interim, None, "kept", "Stays billed in two parts."),
    "late_charge": Kind(_stay, chains.late_charge, None, "kept", "Charges for a stay that come later."),
    "header_priced": Kind(_stay, header_priced, "A7.1", "corrected", "Claims paid at the header, every line zero."),
    "header_mismatch": Kind(
        _stay, header_mismatch, "A7.3", "corrected", "Claims whose lines disagree with the header."
    ),
    "repeated_header": Kind(
        _stay, repeated_header, "A7.4", "corrected", "Claims with the header's amount on every line."
    ),
    "unit_scale": Kind(_quarters, unit_scale, "A10 scale", "corrected", "Minutes billed as 15-minute units."),
    "units_above_max": Kind(
        _night, units_above_max, "A10 maximum", "corrected", "Three units of a per-diem code on a night."
    ),
    "crossover": Kind(_medicaid_first, crossover, "A1.3", "flagged", "Claims Medicare paid first."),
    "subcapitated": Kind(_visit, subcapitated, "A1.2", "corrected", "Encounters paid zero under sub-capitation."),
    "capitation_record": Kind(
        _professional, _no_service("capitation", 120), "A1.1", "gone", "Capitation payments among claims."
    ),
    "supplemental_record": Kind(
        _professional, _no_service("supplemental", 400), "A1.1", "gone", "Supplemental payments among claims."
    ),
    "missing_discharge": Kind(_stay, missing_discharge, "A9 discharge", "corrected", "Stays with no discharge date."),
    "start_after_end_near": Kind(
        _ordinary, _start_after_end(1, 8), "A9 swap", "corrected", "Dates exchanged, at most 7 days apart."
    ),
    "start_after_end_far": Kind(_ordinary, _start_after_end(20, 60), "A9.2", "gone", "Dates exchanged, far apart."),
    "before_birth": Kind(_ordinary, before_birth, "A9.3", "gone", "Services before birth."),
    "after_death": Kind(_of_the_dead, _after_death(31, 90), "A9.6", "gone", "Services over 30 days after death."),
    "after_death_near": Kind(
        _of_the_dead, _after_death(1, 30), "A12.7", "kept", "Services up to 30 days after death."
    ),
    "after_paid_date": Kind(_ordinary, after_paid_date, "A9.4", "gone", "Services after their payment."),
    "after_extract": Kind(_ordinary, after_extract, "A9.5", "gone", "Services after the extract."),
    "no_dates": Kind(_ordinary, no_dates, "A9.1", "gone", "Claims with no date."),
    "unknown_person": Kind(_ordinary, _alias(1), "A2.3", "gone", "Ids that belong to nobody."),
    "placeholder_person": Kind(_ordinary, _alias(2), "A2.4", "gone", "Unverified ids, which begin with &."),
    "old_id": Kind(_ordinary, _alias(3), "A2.1", "kept", "Claims under a member's former id."),
    "old_id_chain": Kind(_ordinary, _alias(4), "A2.1", "kept", "Claims under the id before the former one."),
    "split_id": Kind(_of_two, _alias(SPLIT), "A2.3", "gone", "Claims under an id the crosswalk sends to two persons."),
    "reused_id": Kind(_of_two, reused_id, "A2.1", "kept", "Claims under an id two members had, one after the other."),
    "negative_unexplained": Kind(_ordinary, negative_unexplained, "A8.3", "gone", "Negative amounts with no cause."),
}
"""Kind of fault to what it is; each has its rate in `simulate.faults`."""
FORMER_IDS = ("old_id", "old_id_chain", "reused_id")
"""Kinds whose claims bear another id than their person's: the truth says whose they are."""
