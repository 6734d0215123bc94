"""A small feed with everything in it: members, enrolment, claims with every kind of adjustment, drugs, a log, totals.

It is written as csv cells, so that a damage can put anything anywhere. Every id and name bears `MARK`, every amount
`DIGITS`, and every day lies in the years of `DAYS`: a message that holds one of them leaks data.
"""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import yaml

MARK = "Zqx"
DIGITS = "7319"
DAYS = "201[56]"
LEAK = re.compile(rf"{MARK}|{DIGITS}|{DAYS}-?\d\d-?\d\d")
"""What no log, error or report may hold: a piece of an id or name, of an amount, or a day of service or birth."""

TABLES = {
    "members": ["person_id", "birth_date", "death_date", "sex", "race", "county"],
    "identity_crosswalk": ["source_person_id", "person_id"],
    "eligibility": [
        *("person_id", "enrollment_start_date", "enrollment_end_date", "payer", "plan", "dual_status_code"),
        *("aid_category", "monthly_patient_liability", "record_added_date"),
    ],
    "medical_claims": [
        *("claim_id", "claim_line_number", "claim_type", "record_type", "person_id", "plan", "claim_start_date"),
        *("claim_end_date", "claim_line_start_date", "admission_date", "discharge_date", "bill_type_code"),
        *("place_of_service_code", "revenue_center_code", "hcpcs_code", "hcpcs_modifier_1", "service_unit_quantity"),
        *("diagnosis_code_1", "billing_npi", "rendering_npi", "adjustment_code", "original_claim_id"),
        *("claim_status_code", "line_status_code", "denied_flag", "crossover_flag", "paid_date"),
        *("header_paid_amount", "paid_amount", "allowed_amount", "charge_amount", "medicare_paid_amount"),
        *("ffs_equivalent_amount", "source_file"),
    ],
    "pharmacy_claims": [
        *("claim_id", "claim_line_number", "person_id", "dispensing_date", "ndc_code", "quantity", "days_supply"),
        *("paid_date", "paid_amount", "adjustment_code", "original_claim_id"),
    ],
    "navigator_log": [
        *("log_id", "person_id", "program", "provider_id", "worker_id", "contact_date", "contact_type", "successful"),
        *("minutes", "billable_units", "enrollment_date"),
    ],
    "control_totals": ["source_file", "paid_month", "category", "record_count", "paid_amount"],
}
"""Table to the columns its file has; every other column of the contract is absent."""


def write_layout(path) -> None:
    """Write the layout of the feed's files: a csv a table, our own names, and what it has not."""
    from ratebook.contracts.base import COUNTED
    from ratebook.contracts.intake import TABLES as CONTRACTS

    numbered = {"load_sequence": {"expression": "row_number"}}
    tables = {}
    for name, has in TABLES.items():
        ours = [column for column in CONTRACTS[name].types() if column != COUNTED]
        said = {column: how for column, how in numbered.items() if column in ours}
        if name == "pharmacy_claims":
            said["source_file"] = {"expression": "file_name"}
        absent = [column for column in ours if column not in has and column not in said]
        tables[name] = {"files": f"{name}.csv", "same_names": True, "columns": said, "absent": absent}
    layout = {"name": "drawn", "description": "Drawn for the property tests.", "tables": tables}
    path.write_text(yaml.safe_dump(layout, sort_keys=False))


def draw_feed(rng: np.random.Generator) -> dict[str, list[dict]]:
    """Draw the rows of every table: few people, and every kind of claim and flaw cleaning has a rule for."""
    people = [f"{MARK}-P{n}" for n in range(1, 7)]
    return {
        "members": _members(people, rng),
        "identity_crosswalk": [
            {"source_person_id": f"{MARK}-Q1", "person_id": people[0]},
            {"source_person_id": f"{MARK}-Q2", "person_id": f"{MARK}-Q1"},
        ],
        "eligibility": _eligibility(people, rng),
        "medical_claims": _medical(people, rng),
        "pharmacy_claims": _pharmacy(people, rng),
        "navigator_log": _log(people, rng),
        "control_totals": [
            {
                "source_file": f"{MARK}-one.txt",
                "paid_month": f"2015-{month:02d}-01",
                "category": "all",
                "record_count": "9",
                "paid_amount": _usd(rng),
            }
            for month in (1, 2, 3)
        ],
    }


def to_csv(columns: list[str], rows: list[dict]) -> str:
    """Write rows as csv text; a cell not drawn is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return text.getvalue()


def _usd(rng: np.random.Generator) -> str:
    return f"{rng.integers(1, 99)}{DIGITS}.{rng.integers(0, 100):02d}"


def _day(rng: np.random.Generator, year: int = 2015) -> str:
    return f"{year}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}"


def _members(people: list[str], rng: np.random.Generator) -> list[dict]:
    rows = [
        {
            "person_id": who,
            "birth_date": f"19{rng.integers(40, 99)}-0{rng.integers(1, 10)}-11",
            "sex": str(rng.choice(["female", "male", "F", "x"])),
            "race": f"{MARK} race",
            "county": f"{MARK} county",
        }
        for who in [*people, f"{MARK}-Q1"]
    ]
    rows[1]["death_date"] = "2016-06-15"
    return rows


def _eligibility(people: list[str], rng: np.random.Generator) -> list[dict]:
    rows = []
    for who in people:
        for year, last in ((2015, "2015-12-31"), (2015, "2016-06-30"), (2016, "")):
            rows.append(
                {
                    "person_id": who,
                    "enrollment_start_date": _day(rng, year),
                    "enrollment_end_date": last,
                    "payer": "medicaid",
                    "plan": str(rng.choice(["BHP", "FFS", f"{MARK} plan"])),
                    "dual_status_code": str(rng.choice(["", "00", "02", "2", "10"])),
                    "aid_category": f"{MARK} aid",
                    "monthly_patient_liability": _usd(rng),
                    "record_added_date": _day(rng, year),
                }
            )
    return rows


def _line(rng: np.random.Generator, claim: str, who: str, **cells: str) -> dict:
    day = cells.pop("day", _day(rng))
    return {
        "claim_id": f"{MARK}-{claim}",
        "claim_line_number": "1",
        "claim_type": "professional",
        "record_type": "ffs",
        "person_id": who,
        "plan": "BHP",
        "claim_start_date": day,
        "claim_end_date": day,
        "hcpcs_code": str(rng.choice(["H0004", "99213", "H2015", "H0011", "T1019", ""])),
        "service_unit_quantity": str(rng.integers(1, 40)),
        "diagnosis_code_1": str(rng.choice(["F1020", "F1120", "I10"])),
        "billing_npi": f"{MARK}-NPI{rng.integers(1, 3)}",
        "paid_date": f"2016-{rng.integers(1, 7):02d}-15",
        "paid_amount": _usd(rng),
        "allowed_amount": _usd(rng),
        "charge_amount": _usd(rng),
        "source_file": f"{MARK}-{rng.choice(['one', 'two'])}.txt",
        **cells,
    }


def _medical(people: list[str], rng: np.random.Generator) -> list[dict]:
    rows = []

    def add(claim: str, who: str | None = None, **cells: str) -> dict:
        rows.append(_line(rng, claim, who or str(rng.choice(people)), **cells))
        return rows[-1]

    def again(row: dict, **cells: str) -> dict:
        rows.append({**row, **cells})
        return rows[-1]

    for n in range(10):
        again(add(f"PLAIN{n}"), claim_line_number="2", paid_amount=_usd(rng))
    for n in range(3):
        stay = {"claim_type": "institutional", "bill_type_code": "111", "revenue_center_code": "0126"}
        first = add(f"STAY{n}", header_paid_amount=_usd(rng), admission_date="2015-03-01", **stay)
        for line in "23":
            same = first["paid_amount"] if n == 0 else "0" if n == 1 else _usd(rng)
            again(first, claim_line_number=line, paid_amount=same, revenue_center_code="0250")
    for frequency in "234":
        add(f"PART{frequency}", claim_type="institutional", bill_type_code=f"11{frequency}")
    for n, sign in enumerate(("-", "", "zero")):
        paid = add(f"VOIDED{n}")
        back = "0" if sign == "zero" else sign + paid["paid_amount"]
        number = paid["claim_id"] if n == 2 else f"{MARK}-VOID{n}"
        again(
            paid,
            claim_id=number,
            original_claim_id=paid["claim_id"],
            adjustment_code="void",
            paid_amount=back,
            paid_date="2016-08-01",
        )
    for n in range(3):
        paid = add(f"OLD{n}")
        new = again(
            paid,
            claim_id=f"{MARK}-NEW{n}" if n else paid["claim_id"] + "A1",
            original_claim_id=paid["claim_id"],
            adjustment_code="replacement",
            paid_amount=_usd(rng),
            paid_date="2016-08-01",
        )
        if n == 2:
            again(new, claim_id=f"{MARK}-NEWER", original_claim_id=new["claim_id"], paid_date="2016-09-01")
    pair = add("DEBIT")
    again(pair, claim_id=f"{MARK}-CREDIT", paid_amount="-" + pair["paid_amount"], paid_date="2016-08-01")
    add("ORPHANV", adjustment_code="void", original_claim_id=f"{MARK}-GONE", paid_amount="-" + _usd(rng))
    add("ORPHANR", adjustment_code="replacement", original_claim_id=f"{MARK}-GONE2")
    add("LATE", adjustment_code="late_charge", original_claim_id=f"{MARK}-STAY1")
    add("GROSS", adjustment_code="gross_credit", original_claim_id=f"{MARK}-STAY1")
    add("DENIED", claim_status_code="F2")
    add("REFUSED", denied_flag="true")
    again(add("HALF", header_paid_amount=_usd(rng)), claim_line_number="2", line_status_code="542")
    add("CAP", record_type="capitation")
    add("EXTRA", record_type="supplemental")
    add("ENC", record_type="encounter", paid_amount="0", ffs_equivalent_amount=_usd(rng))
    add("CROSS", crossover_flag="true", medicare_paid_amount=_usd(rng))
    again(add("COPY"))
    again(add("RIVAL"), paid_amount=_usd(rng))
    again(add("NEAR1"), claim_id=f"{MARK}-NEAR2")
    add("ALIAS", f"{MARK}-Q2")
    add("NOBODY", f"{MARK}-X1")
    add("PLACE", f"&{MARK}")
    add("MINUS", paid_amount="-" + _usd(rng))
    return rows


def _pharmacy(people: list[str], rng: np.random.Generator) -> list[dict]:
    rows = [
        {
            "claim_id": f"{MARK}-RX{n}",
            "claim_line_number": "1",
            "person_id": str(rng.choice(people)),
            "dispensing_date": _day(rng),
            "ndc_code": "00000000000",
            "quantity": "30",
            "days_supply": "30",
            "paid_date": "2016-02-01",
            "paid_amount": _usd(rng),
        }
        for n in range(8)
    ]
    void = {"claim_id": f"{MARK}-RXV", "adjustment_code": "void", "original_claim_id": rows[0]["claim_id"]}
    return [*rows, {**rows[0], **void, "paid_amount": "-" + rows[0]["paid_amount"], "paid_date": "2016-03-01"}]


def _log(people: list[str], rng: np.random.Generator) -> list[dict]:
    kinds = ["face", "phone", "attempt", "admin", "training"]
    return [
        {
            "log_id": f"{MARK}-L{n}",
            "person_id": "" if n % 5 == 4 else str(rng.choice(people)),
            "program": "RSN" if n % 2 else "CSP",
            "provider_id": f"{MARK}-SITE",
            "worker_id": f"{MARK}-W{n % 3}",
            "contact_date": _day(rng),
            "contact_type": kinds[n % 5],
            "successful": "true" if n % 3 else "false",
            "minutes": str(rng.integers(5, 90)),
            "billable_units": "2",
            "enrollment_date": "2015-01-05",
        }
        for n in range(12)
    ]
