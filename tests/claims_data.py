"""Drawn raw lines taken through cleaning, as the doors take them, for every test of final action."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import ibis
import pandas as pd
import pyarrow as pa

from conftest import ROOT, draw
from ratebook.clean import attrition as a
from ratebook.clean.adjustments import build_adjustments, find_suspects
from ratebook.clean.feeds import build_feed_styles
from ratebook.clean.header_cases import count_header_cases
from ratebook.clean.ledger import build_cash_ledger, select_reversed
from ratebook.clean.lines import clean_claims, mark_lines, select_rejected, select_taken
from ratebook.clean.members import build_identity, build_persons
from ratebook.codes import claim_meanings, per_diem_codes, select_codes, timed_codes
from ratebook.contracts import clean as to
from ratebook.contracts import intake as raw
from ratebook.tables import engine, hold, open_table, read_codes, read_counts, write_table

SERVICES = select_codes(read_codes(ROOT / "workflow/codes/services.csv"), "MA")
DIAGNOSES = read_codes(ROOT / "workflow/codes/sud_diagnoses.csv")
SETTINGS = {
    "cost_basis": "paid_else_equivalent",
    "swap_dates": True,
    "swap_within_days": 7,
    "after_death_days": 30,
    "max_span_days": {"professional": 366, "institutional": 548},
}
BESIDE_NEIGHBOURS = {
    "repeated_header_share": 0.95,
    "include_gross_adjustments": True,
    "use_final_action_flag": True,
    "near_duplicates": {"per_diem": "drop_later", "other": "flag"},
}
LINE = {"person_id": "P", "claim_type": "professional", "claim_start_date": "2022-01-05", "source_file": "a.txt"}


@dataclass
class Cleaned:
    """What cleaning makes of drawn lines."""

    claims: ibis.Table
    rejected: ibis.Table
    ledger: ibis.Table
    marked: ibis.Table
    styles: ibis.Table
    tally: pd.DataFrame
    header_cases: ibis.Table

    def rows(self, name: str, *columns: str) -> list[tuple]:
        """Give columns of one of the tables as sorted tuples, dollars as floats."""
        found = engine().to_pyarrow(getattr(self, name).select(*columns)).to_pylist()
        plain = [tuple(float(v) if isinstance(v, Decimal) else v for v in row.values()) for row in found]
        return sorted(plain, key=lambda row: [(v is not None, v) for v in row])

    def waterfall(self) -> pd.DataFrame:
        """Lay out the waterfall, by rule."""
        return a.build_waterfall(self.tally, read_counts(a.count_persons(self.marked, a.RULES)), a.RULES)

    def deltas(self) -> dict[str, float]:
        """Give the dollars of every rule that changes any."""
        steps = self.waterfall().groupby("rule_id").delta_usd.sum()
        return {rule: float(delta) for rule, delta in steps.items() if delta}


def table(texts: str | list[str] | ibis.Table, contract: type, **constants: str) -> ibis.Table:
    """Draw a table of a contract, in one or several parts; columns not drawn are null, or have the constants' value.

    Where no order of load is drawn, rows are loaded in the order they are drawn in. A table already made, read from
    files by intake, is given back.
    """
    if isinstance(texts, ibis.Table):
        return texts
    parts = [draw(text) for text in ([texts] if isinstance(texts, str) else texts)]
    frame = pd.concat(parts, ignore_index=True)
    for name, value in constants.items():
        frame[name] = frame[name].where(frame[name].notna(), value) if name in frame else value
    if "load_sequence" in contract.types() and "load_sequence" not in frame:
        frame["load_sequence"] = [str(n + 1) for n in range(len(frame))]
    frame = frame.astype(object).where(frame.notna(), None)
    columns = {
        name: pa.array(list(frame[name]) if name in frame else [None] * len(frame), pa.string()).cast(
            ibis.dtype(kind).to_pyarrow()
        )
        for name, kind in contract.types().items()
    }
    engine()
    return ibis.memtable(pa.table(columns))


def clean(tmp_path, text, pharmacy="load_sequence", members="person_id\nP", crosswalk="person_id", **settings):
    """Clean drawn medical lines: professional, of person P, on 2022-01-05, unless drawn otherwise."""
    beside = {name: settings.pop(name, value) for name, value in BESIDE_NEIGHBOURS.items()}
    people = table(members, raw.Members)
    identity = build_identity(people, table("person_id", raw.Eligibility), table(crosswalk, raw.IdentityCrosswalk))
    drawn = {name: settings.pop(name) for name in [*settings] if name in raw.MedicalClaims.types()}
    medical, drugs = table(text, raw.MedicalClaims, **LINE, **drawn), table(pharmacy, raw.PharmacyClaims)
    extract = settings.pop("extract_date", "2022-12-31")

    def keep(expression, contract):
        write_table(expression, tmp_path / contract.__name__, contract)
        return open_table(tmp_path / contract.__name__, contract)

    found = build_feed_styles(medical, drugs, settings.pop("feed_styles", {}), settings.pop("feed_style_share", 0.5))
    styles = keep(found, to.FeedStyles)
    suspects = find_suspects(medical, drugs, styles, timed_codes(SERVICES), beside["repeated_header_share"])
    adjusted = keep(build_adjustments(suspects, styles, per_diem_codes(SERVICES), beside), to.AdjustedLines)
    cases = count_header_cases(medical, drugs, suspects.irregular, adjusted)
    tables = {
        "medical_claims": medical,
        "pharmacy_claims": drugs,
        "adjusted_lines": adjusted,
        "identity": keep(identity, to.Identity),
        "persons": keep(build_persons(people, identity), to.Persons),
    }
    marked = mark_lines(tables, extract, {**SETTINGS, **settings}, a.TALLIED)
    codes = (SERVICES, DIAGNOSES, claim_meanings(medical, SERVICES, DIAGNOSES))
    claims = keep(clean_claims(marked, *codes), to.Claims)
    taken = hold(select_taken(marked))
    rejected = keep(select_rejected(taken), to.Rejected)
    ledger = keep(build_cash_ledger(claims, keep(select_reversed(taken, *codes), to.ReversedLines)), to.CashLedger)
    return Cleaned(claims, rejected, ledger, marked, styles, read_counts(a.tally_lines(marked)), cases)
