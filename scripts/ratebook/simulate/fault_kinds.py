"""Every fault of claims that methods.md A and H name, as an entry of KINDS."""

from __future__ import annotations

import numpy as np

from ratebook.simulate.block import NO_WORD, NULL, take
from ratebook.simulate.faults import Kind, Pick
from ratebook.simulate.world import word, words
from ratebook.simulate.write import ALIAS

QUARTERS = ("H0004", "T1019")
"""Codes billed in 15-minute units that a unit-scale error may strike."""
SAFE = 140
"""Days before the extract by which a claim must be paid for its later records to be in the data."""


def any_claim(heads, count, who, setup):
    """Every claim paid early enough for its adjustments to be in the data."""
    return heads["paid_date"] <= setup.extract - SAFE


def _single(heads, count, who, setup):
    return any_claim(heads, count, who, setup) & (count == 1) & (heads["paid"] > 500)


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


def denied_resubmitted(pick: Pick) -> None:
    """A denied claim comes again under a new number and is paid."""
    pick.stands.append(pick.copy("original", None, (20, 60)))
    _deny(pick)


def _void(sign: int):
    def plant(pick: Pick) -> None:
        void = pick.copy("void", pick.claims, (15, 60))
        rows = pick.extra[-1]
        rows["paid"], rows["header_paid"] = sign * rows["paid"], sign * rows["header_paid"]
        pick.gone = [pick.claims, void]

    return plant


def replacement(pick: Pick) -> None:
    """A later record takes a claim's place, at nine tenths of the amount."""
    pick.stands.append(pick.copy("replacement", pick.claims, (15, 60), 0.9))


def void_replacement(pick: Pick) -> None:
    """A claim is voided, then replaced."""
    void = pick.copy("void", pick.claims, (10, 30))
    rows = pick.extra[-1]
    rows["paid"], rows["header_paid"] = -rows["paid"], -rows["header_paid"]
    pick.stands.append(pick.copy("replacement", pick.claims, (31, 60), 0.95))
    pick.gone = [pick.claims, void]


def replacement_chain(pick: Pick) -> None:
    """A replacement is itself replaced, pointing to the claim before it."""
    middle = pick.copy("replacement", pick.claims, (10, 40), 1.2)
    pick.stands.append(pick.copy("replacement", middle, (41, 90), 1.1))
    pick.gone = [pick.claims, middle]


def orphan_void(pick: Pick) -> None:
    """A void of something paid before the data begin."""
    pick.set(
        adjustment=word("void"),
        target=90_000_000 + pick.get("claim"),
        paid=-pick.get("paid"),
        header_paid=-pick.get("header_paid"),
    )


def orphan_replacement(pick: Pick) -> None:
    """A replacement of something paid before the data begin."""
    pick.set(adjustment=word("replacement"), target=90_000_000 + pick.get("claim"))


def _money(adjustment: str, sign: int):
    def plant(pick: Pick) -> None:
        record = pick.copy(adjustment, pick.claims, (20, 90), 0.25)
        rows = pick.extra[-1]
        rows["paid"], rows["header_paid"] = sign * rows["paid"], sign * rows["header_paid"]
        if adjustment == "credit":
            rows["tpl"] = np.abs(rows["paid"])
        pick.gone, pick.stands = [record], [pick.claims]

    return plant


def interim(pick: Pick) -> None:
    """A stay is billed in two parts that add up: the first says the patient is still there."""
    rows = take(pick.rows, pick.lines)
    middle = pick.get("admission") + (pick.get("discharge") - pick.get("admission")) // 2
    new = pick.next_claim + np.arange(len(pick.claims))
    pick.next_claim += len(new)
    nights = pick.get("line") == 1
    whole = {"units": np.where(nights, (middle - rows["admission"]) * 10000, rows["units"])}
    later = {**rows, "claim": new[pick.of], "claim_start": middle, "line_start": middle}
    later["bill"] = np.full(len(pick.lines), word("114"), np.int32)
    later["adjustment"] = np.full(len(pick.lines), word("interim"), np.int32)
    later["units"] = np.where(nights, (rows["discharge"] - middle) * 10000, rows["units"])
    for name in ("paid", "allowed", "charge"):
        whole[name] = rows[name] // 2
        later[name] = rows[name] - whole[name]
    for part in (whole, later):
        header = np.bincount(pick.of, part["paid"], minlength=len(pick.claims))
        part["header_paid"] = np.rint(header).astype(np.int64)[pick.of]
    pick.set(
        **whole,
        claim_end=middle - 1,
        line_end=middle - 1,
        discharge=NULL,
        status=word("30"),
        bill=word("112"),
        adjustment=word("interim"),
    )
    pick.extra.append(later)
    pick.gone = [pick.claims, new]


def late_charge(pick: Pick) -> None:
    """A further charge for a stay comes on a bill of its own, and adds to it."""
    record = pick.copy("late_charge", pick.claims, (20, 60), 0.1)
    rows = pick.extra.pop()
    head = np.append(True, pick.of[1:] != pick.of[:-1])
    rows = {**take(rows, head)}
    rows["bill"] = np.full(head.sum(), word("115"), np.int32)
    rows["revenue"] = np.full(head.sum(), word("0250"), np.int32)
    rows["header_paid"], rows["line"] = rows["paid"].copy(), np.ones(head.sum(), np.int64)
    rows["units"] = np.full(head.sum(), 10000)
    pick.extra.append(rows)
    pick.gone = [pick.claims, record]


def header_priced(pick: Pick) -> None:
    """The amount stands in the header alone; every line is zero."""
    pick.set(paid=0)


def header_mismatch(pick: Pick) -> None:
    """Header and lines disagree, both positive: the header of an institutional claim is right."""
    pick.set(paid=np.rint(pick.get("paid") * 0.8).astype(np.int64))


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
    """A service dated after the data were drawn."""
    _move(pick, pick.setup.extract + pick.draw(3, 60))


def no_dates(pick: Pick) -> None:
    """A claim with no date of service at all."""
    _move(pick, np.full(len(pick.lines), NULL))


def _alias(number: int):
    def plant(pick: Pick) -> None:
        pick.set(person=pick.get("person") + number * ALIAS)

    return plant


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
    "void_negative": Kind(any_claim, _void(-1), "A5.3", "gone", "Voids with negative amounts."),
    "void_mirror": Kind(any_claim, _void(1), "A5.3", "gone", "Voids that mirror the positive amounts."),
    "void_zero": Kind(any_claim, _void(0), "A5.3", "gone", "Voids with zero amounts."),
    "replacement": Kind(any_claim, replacement, "A5.3", "gone", "Claims replaced by a later record."),
    "void_replacement": Kind(any_claim, void_replacement, "A5.3", "gone", "Claims voided, then replaced."),
    "replacement_chain": Kind(any_claim, replacement_chain, "A5.3", "gone", "Replacements that are replaced."),
    "orphan_void": Kind(_single, orphan_void, "A5.5", "gone", "Voids of claims that are not in the data."),
    "orphan_replacement": Kind(_single, orphan_replacement, "A5.5", "kept", "Replacements of claims not in the data."),
    "gross_credit": Kind(_single, _money("gross_credit", -1), "A5.4", "money", "Money back without a service."),
    "gross_debit": Kind(_single, _money("gross_debit", 1), "A5.4", "money", "Money out without a service."),
    "tpl_recovery": Kind(_single, _money("credit", -1), "A8", "money", "Money recovered from other insurance."),
    "interim": Kind(_long_stay, interim, "A5", "kept", "Stays billed in two parts."),
    "late_charge": Kind(_stay, late_charge, "A5", "kept", "Charges for a stay that come later."),
    "header_priced": Kind(_stay, header_priced, "A7.1", "corrected", "Claims paid at the header, every line zero."),
    "header_mismatch": Kind(
        _stay, header_mismatch, "A7.3", "corrected", "Claims whose lines disagree with the header."
    ),
    "unit_scale": Kind(_quarters, unit_scale, "A10", "corrected", "Minutes billed as 15-minute units."),
    "units_above_max": Kind(_night, units_above_max, "A10", "corrected", "Three units of a per-diem code on a night."),
    "crossover": Kind(_medicaid_first, crossover, "A1.3", "flagged", "Claims Medicare paid first."),
    "subcapitated": Kind(_visit, subcapitated, "A1.2", "corrected", "Encounters paid zero under sub-capitation."),
    "capitation_record": Kind(
        _professional, _no_service("capitation", 120), "A1.1", "gone", "Capitation payments among claims."
    ),
    "supplemental_record": Kind(
        _professional, _no_service("supplemental", 400), "A1.1", "gone", "Supplemental payments among claims."
    ),
    "missing_discharge": Kind(_stay, missing_discharge, "A9", "corrected", "Stays with no discharge date."),
    "start_after_end_near": Kind(
        _ordinary, _start_after_end(1, 8), "A9", "corrected", "Dates exchanged, at most 7 days apart."
    ),
    "start_after_end_far": Kind(_ordinary, _start_after_end(20, 60), "A9", "gone", "Dates exchanged, far apart."),
    "before_birth": Kind(_ordinary, before_birth, "A9", "gone", "Services before birth."),
    "after_death": Kind(_of_the_dead, _after_death(31, 90), "A9", "gone", "Services over 30 days after death."),
    "after_death_near": Kind(_of_the_dead, _after_death(1, 30), "A9", "kept", "Services up to 30 days after death."),
    "after_paid_date": Kind(_ordinary, after_paid_date, "A9", "gone", "Services after their payment."),
    "after_extract": Kind(_ordinary, after_extract, "A9", "gone", "Services after the extract."),
    "no_dates": Kind(_ordinary, no_dates, "A9", "gone", "Claims with no date."),
    "unknown_person": Kind(_ordinary, _alias(1), "A2.3", "gone", "Ids that belong to nobody."),
    "placeholder_person": Kind(_ordinary, _alias(2), "A2.4", "gone", "Unverified ids, which begin with &."),
    "old_id": Kind(_ordinary, _alias(3), "A2.1", "kept", "Claims under a member's former id."),
    "old_id_chain": Kind(_ordinary, _alias(4), "A2.2", "kept", "Claims under the id before the former one."),
    "negative_unexplained": Kind(_ordinary, negative_unexplained, "A8.3", "gone", "Negative amounts with no cause."),
}
"""Kind of fault to what it is; each has its rate in `simulate.faults`."""
