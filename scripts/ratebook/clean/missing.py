"""Missing cells: which key fields are empty in which file and type of claim."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import pandas as pd

from ratebook.contracts.quality import Missingness

MEDICAL = ("institutional", "professional", "dental", "other")
ANY = (*MEDICAL, "pharmacy")
FILE = ["source_table", "source_file", "claim_type"]


@dataclass(frozen=True)
class Expected:
    """A key field: it is missing where all its columns are empty, and expected on these types of claim."""

    columns: tuple[str, ...]
    claim_types: tuple[str, ...] = ANY
    of_stays: bool = False


FIELDS = {
    "claim id": Expected(("claim_id",)),
    "line number": Expected(("claim_line_number",)),
    "person": Expected(("source_person_id",)),
    "plan": Expected(("plan",)),
    "service date": Expected(("first",)),
    "paid date": Expected(("paid_date",)),
    "paid amount": Expected(("paid_amount",)),
    "allowed amount": Expected(("allowed_amount",)),
    "billed amount": Expected(("charge_amount",), MEDICAL),
    "header amount": Expected(("header_paid_amount",), MEDICAL),
    "units": Expected(("service_unit_quantity",)),
    "diagnosis": Expected(("diagnosis_code_1",), MEDICAL),
    "procedure or revenue code": Expected(("hcpcs_code", "revenue_center_code"), MEDICAL),
    "drug code": Expected(("ndc_code",), ("pharmacy",)),
    "days supplied": Expected(("days_supply",), ("pharmacy",)),
    "billing provider": Expected(("billing_npi",)),
    "rendering provider": Expected(("rendering_npi",), ("professional", "dental", "other", "pharmacy")),
    "place of service": Expected(("place_of_service_code",), ("professional", "dental", "other")),
    "bill type": Expected(("bill_type_code",), ("institutional",)),
    "discharge status of a stay": Expected(("discharge_disposition_code",), ("institutional",), of_stays=True),
}
"""Key fields by the name a reader knows, in the order of the exhibit."""


def count_where(flag: ibis.Value) -> ibis.Value:
    """Count the rows of which something is true; what cannot be said of a row is not."""
    return flag.fill_null(False).cast("int64").sum()


def count_missing(marked: ibis.Table) -> dict[str, ibis.Value]:
    """Count, within an aggregate of marked lines, the stays and the rows in which each key field is empty."""
    rows, stays = marked.count(), marked.discharge_source.count()
    found = {"stay_rows": stays}
    for name, field in FIELDS.items():
        # What is there is counted, and the rest is missing: that is cheaper than a look at every cell.
        cell = ibis.coalesce(*[marked[column] for column in field.columns])
        of_stay = ibis.ifelse(marked.discharge_source.notnull(), cell, ibis.null(cell.type()))
        found[f"missing {name}"] = stays - of_stay.count() if field.of_stays else rows - cell.count()
    return found


def build_missingness(tally: pd.DataFrame) -> pd.DataFrame:
    """Lay out the share of rows in which a key field is missing, per file and type of claim.

    All raw rows count, also those a rule takes. A field is looked at only where it is expected: a bill type on
    institutional claims, a discharge status on stays.

    Returns
    -------
    Missingness

    References
    ----------
    methods.md, A13 T7.
    """
    sums = ["rows", "stay_rows", *(f"missing {name}" for name in FIELDS)]
    by_file = tally.groupby(FILE, dropna=False, as_index=False)[sums].sum()
    kind = by_file.claim_type.where(by_file.claim_type.isin(ANY), "other")
    parts = []
    for name, field in FIELDS.items():
        part = by_file[kind.isin(field.claim_types)]
        rows = part["stay_rows" if field.of_stays else "rows"]
        parts.append(part[FILE].assign(field=name, rows=rows, missing_rows=part[f"missing {name}"]))
    found = pd.concat(parts, ignore_index=True)
    found = found[found.rows > 0]
    return found.assign(missing_share=found.missing_rows / found.rows)[list(Missingness.types())]
