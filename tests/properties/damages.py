"""What can be wrong with a feed, as data: each damage spoils the rows or the text of one of its files.

A damage of rows leaves a file that any reader of csv can read, so it is known how many rows and dollars are in it. A
damage of text may leave anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from feed import DIGITS, MARK, TABLES, draw_feed, to_csv
from text_damages import HARMLESS_TEXT, TEXT_DAMAGES

NONSENSE = {
    "empty": "",
    "blank": "   ",
    "word": f"{MARK} nonsense",
    "null word": "NULL",
    "negative zero": "-0.00",
    "huge": f"{DIGITS}00000000000",
    "wide": f"{DIGITS}99999999999999999999.99",
    "wider than any integer": DIGITS * 12,
    "great power": f"{DIGITS}e400",
    "power": f"{DIGITS}e2",
    "not a number": "NaN",
    "infinite": "inf",
    "third decimal": f"{DIGITS}.345",
    "thousands": f"{DIGITS},000.00",
    "dollar": f"${DIGITS}.10",
    "in brackets": f"({DIGITS}.10)",
    "negative": f"-{DIGITS}.55",
    "beyond the limit of negatives": f"-9{DIGITS}.55",
    "no leap day": "2015-02-30",
    "first day": "0001-01-01",
    "last day": "9999-12-31",
    "later than any": f"1{DIGITS}-01-01",
    "before Christ": "-0044-03-15",
    "American": "02/28/2015",
    "with a time": "2015-06-01 23:59:59",
    "non-ASCII": f"{MARK} Ångström 中文 🦉",
    "right to left": f"{MARK} \u202egnirts",
    "quote": f'{MARK} "quoted" text',
    "one quote": f'"{MARK}',
    "delimiters": f"{MARK},|;\t,",
    "line break": f"{MARK}\nsecond line",
    "carriage return": f"{MARK}\r\nsecond line",
    "null byte": f"{MARK}\x00",
    "very long": MARK * 20_000,
    "formula": f"=cmd|'{MARK}'!A1",
    "SQL": f"{MARK}'; DROP TABLE claims; --",
    "pipe of a chain": "|||",
    "percent": f"{MARK} %s {{}} {{0}}",
    "zero": "0",
    "minus one": "-1",
    "true": "true",
    "one half": "0.5",
    "greatest whole number": "9223372036854775807",
    "beyond it": "9223372036854775808",
}
"""What a cell may hold that it should not."""
DATES = [name for table in TABLES.values() for name in table if name.endswith(("_date", "_month"))]


@dataclass
class File:
    """One file of the feed: its header, its rows, and the damages to be done to its text."""

    table: str
    columns: list[str]
    rows: list[dict]
    text_damages: list = field(default_factory=list)
    is_known: bool = True
    """Rows and dollars are those of `rows`."""

    def content(self, rng: np.random.Generator) -> bytes | None:
        """Give the bytes of the file, or None where there is to be none."""
        content = to_csv(self.columns, self.rows).encode()
        for damage in self.text_damages:
            content = damage(content, rng)
            if content is None:
                return None
        return content


def _some(rows: list[dict], rng: np.random.Generator) -> list[dict]:
    """Choose one row, a few, or all."""
    if not rows:
        return []
    count = int(rng.choice([1, max(1, len(rows) // 4), len(rows)]))
    return [rows[n] for n in sorted(rng.choice(len(rows), count, replace=False))]


def _has(file: File, *names: str) -> list[str]:
    return [name for name in names if name in file.columns]


# Damages of rows: they change `file.rows` and `file.columns`, and a csv reader still reads what they leave.


def nonsense_cells(file: File, rng: np.random.Generator) -> None:
    """Put one kind of nonsense into one column."""
    if file.columns:
        column = str(rng.choice(file.columns))
        for row in _some(file.rows, rng):
            row[column] = NONSENSE[str(rng.choice(list(NONSENSE)))]


def nonsense_amounts(file: File, rng: np.random.Generator) -> None:
    """Put nonsense into the columns of money and of quantities."""
    for column in [name for name in file.columns if name.endswith(("amount", "quantity", "units", "liability"))]:
        for row in _some(file.rows, rng):
            row[column] = NONSENSE[str(rng.choice(list(NONSENSE)))]


def nonsense_dates(file: File, rng: np.random.Generator) -> None:
    """Put nonsense into the columns of dates."""
    for column in _has(file, *DATES):
        for row in _some(file.rows, rng):
            row[column] = NONSENSE[str(rng.choice(list(NONSENSE)))]


def extreme_dates(file: File, rng: np.random.Generator) -> None:
    """Put the first or last day of the calendar, that parse, into a column of dates."""
    dates = _has(file, *DATES)
    if dates:
        column = str(rng.choice(dates))
        for row in _some(file.rows, rng):
            row[column] = str(rng.choice(["0001-01-01", "9999-12-31", "1900-01-01", "2262-04-12", "1677-09-20"]))


def reversed_dates(file: File, rng: np.random.Generator) -> None:
    """End before the start."""
    for start, end in (
        ("claim_start_date", "claim_end_date"),
        ("admission_date", "discharge_date"),
        ("enrollment_start_date", "enrollment_end_date"),
        ("birth_date", "death_date"),
    ):
        if {start, end} <= set(file.columns):
            for row in _some(file.rows, rng):
                row[start], row[end] = row.get(end, ""), row.get(start, "")


def one_value(file: File, rng: np.random.Generator) -> None:
    """Give every row of a column the same value: the first row's, or none."""
    if file.columns and file.rows:
        column = str(rng.choice(file.columns))
        value = rng.choice([file.rows[0].get(column, ""), ""])
        for row in file.rows:
            row[column] = str(value)


def one_claim(file: File, rng: np.random.Generator) -> None:
    """Make all claim ids null, or all equal."""
    value = str(rng.choice(["", f"{MARK}-SAME"]))
    for row in file.rows:
        row["claim_id"] = value


def circles(file: File, rng: np.random.Generator) -> None:
    """Let claims replace one another in a circle, and one replace itself."""
    rows = _some(file.rows, rng)
    kind = str(rng.choice(["replacement", "void", "original", "interim"]))
    for row, other in zip(rows, rows[1:] + rows[:1]):
        row["original_claim_id"], row["adjustment_code"] = other.get("claim_id", ""), kind


def long_chain(file: File, rng: np.random.Generator) -> None:
    """Add a claim that is replaced two hundred times, some of them on one day, and perhaps voided."""
    if not file.rows:
        return
    first = dict(file.rows[0])
    order = rng.permutation(200)
    for n in order:
        row = {
            **first,
            "claim_id": f"{MARK}-CHAIN{n:03d}",
            "original_claim_id": f"{MARK}-CHAIN{n - 1:03d}" if n else "",
            "adjustment_code": "replacement" if n else "original",
        }
        if "paid_date" in file.columns:
            row["paid_date"] = f"2016-{1 + n // 20:02d}-15"
        file.rows.append(row)
    if rng.random() < 0.5:
        target = f"{MARK}-CHAIN{rng.integers(200):03d}"
        file.rows.append({**first, "claim_id": f"{MARK}-LAST", "original_claim_id": target, "adjustment_code": "void"})


def line_numbers(file: File, rng: np.random.Generator) -> None:
    """Repeat line numbers, make them negative, or leave them out."""
    for row in _some(file.rows, rng):
        row["claim_line_number"] = str(rng.choice(["1", "-3", "", "0", "999999999999"]))


def strangers(file: File, rng: np.random.Generator) -> None:
    """Send rows to persons nobody knows."""
    for n, row in enumerate(_some(file.rows, rng)):
        row["person_id"] = str(rng.choice([f"{MARK}-X{n}", f"&{MARK}", "", " "]))


def no_amounts(file: File, rng: np.random.Generator) -> None:
    """Leave out every amount, or make every amount zero."""
    value = str(rng.choice(["", "0"]))
    for column in [name for name in file.columns if name.endswith("amount")]:
        for row in file.rows:
            row[column] = value


def all_denied(file: File, rng: np.random.Generator) -> None:
    """Deny every claim, or every line."""
    column, value = [("denied_flag", "true"), ("claim_status_code", "F2"), ("line_status_code", "542")][
        rng.integers(3)
    ]
    for row in file.rows:
        row[column] = value


def odd_units(file: File, rng: np.random.Generator) -> None:
    """Bill no unit, less than none, or more than there can be."""
    for column in _has(file, "service_unit_quantity", "quantity", "minutes", "billable_units", "days_supply"):
        for row in _some(file.rows, rng):
            row[column] = str(rng.choice(["0", "-5", "99999999", "0.0001", "99999999999999.9999"]))


def odd_adjustments(file: File, rng: np.random.Generator) -> None:
    """Give adjustment codes and record types that nobody knows, or the wrong ones."""
    codes = [
        "void",
        "replacement",
        "credit",
        "gross_debit",
        "late_charge",
        "interim",
        "resubmission",
        f"{MARK}?",
        "VOID",
    ]
    for column in _has(file, "adjustment_code", "record_type", "claim_type"):
        for row in _some(file.rows, rng):
            row[column] = str(rng.choice(codes))


def unkeyed(file: File, rng: np.random.Generator) -> None:
    """Let every void and replacement point to the same claim, and every claim to itself."""
    target = file.rows[0].get("claim_id", "") if file.rows else ""
    for row in _some(file.rows, rng):
        row["original_claim_id"] = str(rng.choice([target, row.get("claim_id", "")]))


def doubled_rows(file: File, rng: np.random.Generator) -> None:
    """Send rows twice, or three times."""
    for row in _some(file.rows, rng):
        file.rows += [dict(row) for _ in range(int(rng.integers(1, 3)))]


def dropped_rows(file: File, rng: np.random.Generator) -> None:
    """Leave out rows."""
    gone = {id(row) for row in _some(file.rows, rng)}
    file.rows = [row for row in file.rows if id(row) not in gone]


def shuffled_rows(file: File, rng: np.random.Generator) -> None:
    """Send rows in another order."""
    file.rows = [file.rows[n] for n in rng.permutation(len(file.rows))]


def no_rows(file: File, rng: np.random.Generator) -> None:
    """Send a header and nothing else."""
    file.rows = []


def shuffled_columns(file: File, rng: np.random.Generator) -> None:
    """Send columns in another order."""
    file.columns = [file.columns[n] for n in rng.permutation(len(file.columns))]


def extra_column(file: File, rng: np.random.Generator) -> None:
    """Send a column nobody asked for."""
    file.columns = [*file.columns, f"{MARK} extra"]
    for row in file.rows:
        row[f"{MARK} extra"] = MARK


def dropped_column(file: File, rng: np.random.Generator) -> None:
    """Leave out a column."""
    file.columns = [name for name in file.columns if name != rng.choice(file.columns)]


def renamed_column(file: File, rng: np.random.Generator) -> None:
    """Send a column under another name."""
    old = str(rng.choice(file.columns))
    new = str(rng.choice([old.upper(), f" {old} ", old + "_x", "", "1"]))
    file.columns = [new if name == old else name for name in file.columns]
    for row in file.rows:
        row[new] = row.get(old, "")


def repeated_column(file: File, rng: np.random.Generator) -> None:
    """Send a column twice."""
    file.columns = [*file.columns, str(rng.choice(file.columns))]


ROW_DAMAGES = (
    *(nonsense_cells, nonsense_cells, nonsense_cells, nonsense_amounts, nonsense_dates, extreme_dates),
    *(reversed_dates, one_value, one_claim, circles, long_chain, line_numbers, strangers, no_amounts, all_denied),
    *(odd_units, odd_adjustments, unkeyed, doubled_rows, dropped_rows, shuffled_rows, no_rows, shuffled_columns),
    *(extra_column, dropped_column, renamed_column, repeated_column),
)
CLAIM_DAMAGES = (one_claim, circles, long_chain, line_numbers, no_amounts, all_denied, odd_adjustments, unkeyed)
"""Damages that only claims can suffer."""


def damaged_feed(seed: int) -> tuple[list[File], np.random.Generator, list[str]]:
    """Draw a feed and one to four damages, mostly of rows; the seed says it all."""
    rng = np.random.default_rng(seed)
    files = {name: File(name, list(TABLES[name]), rows) for name, rows in draw_feed(rng).items()}
    done = []
    for _ in range(int(rng.integers(1, 5))):
        claims = ["medical_claims", "medical_claims", "medical_claims", "pharmacy_claims"]
        file = files[str(rng.choice([*claims, *files]))]
        if rng.random() < 0.15:
            damage = TEXT_DAMAGES[rng.integers(len(TEXT_DAMAGES))]
            file.text_damages.append(damage)
            file.is_known &= damage in HARMLESS_TEXT
        else:
            damage = ROW_DAMAGES[rng.integers(len(ROW_DAMAGES))]
            if damage in CLAIM_DAMAGES and not file.table.endswith("claims"):
                damage = nonsense_cells
            damage(file, rng)
        done.append(f"{damage.__name__} of {file.table}")
    return list(files.values()), rng, done
