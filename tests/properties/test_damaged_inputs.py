"""A thousand randomly damaged inputs: each finishes with every row and dollar accounted for, or stops with one message.

An input is a seed. `RATEBOOK_DAMAGED=1000 pytest tests/properties/test_damaged_inputs.py` runs the thousand, in about an
hour on one core; without it the first sixty run. One alone: `pytest tests/properties/test_damaged_inputs.py -k "seed-17"`.
"""

from __future__ import annotations

import csv
import io
import os
import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from damages import damaged_feed
from feed import LEAK, write_layout
from once import with_core_once, with_engine_once
from pipeline import read_rules, run_rule

from conftest import ROOT
from ratebook.errors import RatebookError
from ratebook.intake.layouts import find_files

EVERY_REJECT = {"intake": {"max_rejected_share": 1.0}}
INPUTS = int(os.environ.get("RATEBOOK_DAMAGED", "60"))
SCHEMA = ROOT / "workflow/schemas/layout.schema.yaml"
MONEY = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@pytest.fixture(scope="module")
def rules():
    """The rules but the figures', as set for a run that shows all it finds."""
    rules = [rule for rule in read_rules(EVERY_REJECT) if not rule.name.startswith("plot_")]
    for rule in rules:
        with_core_once(rule.door)
    with pytest.MonkeyPatch.context() as patch:
        with_engine_once(patch)
        yield rules


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "feed").mkdir()
    write_layout(folder / "layout.yaml")
    return folder


@pytest.mark.parametrize("seed", range(INPUTS), ids=lambda seed: f"seed-{seed}")
def test_a_damaged_input_is_accounted_for_or_refused(seed, rules, folder, capfd):
    files, rng, damages = damaged_feed(seed)
    for file in files:
        path, content = folder / "feed" / f"{file.table}.csv", file.content(rng)
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
    stopped = run(rules, folder)
    said = capfd.readouterr()
    seen = [stopped or "", said.out, said.err, *(path.read_text() for path in (folder / "logs").glob("*.log"))]
    leaks = {found.group(0) for text in seen for found in LEAK.finditer(text)}
    assert not leaks, f"{damages}: leaked"
    if stopped is None:
        check(folder, files, damages)


def run(rules: list, folder: Path) -> str | None:
    """Run the pipeline as a user would; give the message it stopped with, or None."""
    for log in (folder / "logs").glob("*.log"):
        log.unlink()
    source = folder / "feed"
    try:
        find_files(folder / "layout.yaml", SCHEMA, source)
        for rule in rules:
            run_rule(
                rule,
                folder,
                input={"layout": str(folder / "layout.yaml")},
                params={"source": str(source)},
            )
    except RatebookError as error:
        message = str(error)
    except SystemExit as stop:
        assert isinstance(stop.__context__, RatebookError), (
            f"{stop}: {(folder / 'logs' / f'{rule.name}.log').read_text()}"
        )
        message = str(stop)
    else:
        return None
    assert message.strip() and "\n" not in message and len(message) < 1000
    return message


def check(folder: Path, files: list, damages: list[str]) -> None:
    """Account for every row and dollar of what came through."""
    tables = Tables(folder / "results")
    for file in files:
        if file.table in ("medical_claims", "pharmacy_claims") and file.is_known:
            rows, usd = tables.one(f"SELECT count(*), coalesce(sum(paid_amount), 0) FROM {tables.intake(file.table)}")
            assert (rows, usd) == (len(file.rows), dollars(file)), f"{damages}: read {file.table}"
    waterfall(tables, damages)
    ledger(tables, damages)
    months(tables, damages)


def dollars(file) -> Decimal:
    """Add up the paid amounts of a file's cells by another reader and another arithmetic."""
    if "paid_amount" not in file.columns:
        return Decimal(0)
    text = io.StringIO(file.content(None).decode("utf-8-sig"), newline="")
    head, *rows = csv.reader(text)
    place, total = head.index("paid_amount"), Decimal(0)
    for row in rows:
        cell = row[place].strip()
        try:
            value = Decimal(cell).quantize(Decimal("0.01"), ROUND_HALF_UP) if MONEY.fullmatch(cell) else Decimal(0)
        except InvalidOperation:
            continue
        total += value if abs(value) < 10**12 else 0
    return total


class Tables:
    """The results, asked in plain SQL by an engine of its own."""

    def __init__(self, folder: Path):
        self.folder, self.engine = folder, duckdb.connect()

    def __getattr__(self, name: str) -> str:
        stage = "exposure" if name in ("spans", "member_months") else "clean"
        return self._at(stage, name)

    def intake(self, name: str) -> str:
        return self._at("intake", name)

    def _at(self, stage: str, name: str) -> str:
        path = self.folder / stage / f"{name}.parquet"
        return f"read_parquet('{path}/*.parquet')" if path.is_dir() else f"read_parquet('{path}')"

    def all(self, query: str) -> list[tuple]:
        return self.engine.execute(query).fetchall()

    def one(self, query: str) -> tuple:
        return self.all(query)[0]


def waterfall(t: Tables, damages: list[str]) -> None:
    """Raw rows are final and rejected rows; raw dollars and every delta are final dollars, to the cent."""
    final = t.one(f"SELECT count(*), coalesce(sum(cost_usd), 0) FROM {t.claims}")
    left, came = [0, Decimal(0)], 0
    for table in ("medical_claims", "pharmacy_claims"):
        steps = t.all(
            f"SELECT rows_in, rows_out, persons_in, persons_out, paid_in_usd, delta_usd, paid_out_usd FROM {t.attrition} "
            f"WHERE source_table = '{table}' ORDER BY step"
        )
        raw = t.one(f"SELECT count(*), coalesce(sum(paid_amount), 0) FROM {t.intake(table)}")
        taken = t.one(f"SELECT count(*) FROM {t.rejected} WHERE source_table = '{table}'")[0]
        if not steps:
            assert (raw[0], taken) == (0, 0), damages
            continue
        assert (steps[0][0], steps[0][4]) == raw, damages
        assert all(before[1] == after[0] and before[6] == after[4] for before, after in pairwise(steps)), damages
        assert all(paid + delta == out for *_, paid, delta, out in steps), damages
        assert all(rows >= out >= 0 and people >= remain >= 0 for rows, out, people, remain, *_ in steps), damages
        assert raw[0] - taken == steps[-1][1], damages
        left = [left[0] + steps[-1][1], left[1] + steps[-1][6]]
        came += raw[0]
    assert tuple(left) == final, damages
    assert came == final[0] + t.one(f"SELECT count(*) FROM {t.rejected}")[0], damages


def ledger(t: Tables, damages: list[str]) -> None:
    """A family's entries add up to its final paid amount; what is taken back was paid."""
    kind = "CASE WHEN claim_type = 'pharmacy' THEN 'pharmacy_claims' ELSE 'medical_claims' END"
    gaps = t.all(
        f"""
        WITH known AS (
            SELECT source_table, load_sequence, family_id FROM {t.adjusted_lines}
            UNION SELECT {kind}, load_sequence, family_id FROM {t.claims}
        ), entries AS (
            SELECT source_table, load_sequence, sum(signed_usd) AS usd
            FROM (SELECT *, {kind} AS source_table FROM {t.cash_ledger}) WHERE entry <> 'orphan_void' GROUP BY ALL
        ), final AS (
            SELECT {kind} AS source_table, load_sequence, sum(paid_usd) AS paid FROM {t.claims} GROUP BY ALL
        )
        SELECT source_table, family_id FROM known LEFT JOIN entries USING (source_table, load_sequence)
        LEFT JOIN final USING (source_table, load_sequence)
        GROUP BY ALL HAVING coalesce(sum(usd), 0) <> coalesce(sum(paid), 0)
        """
    )
    assert not gaps, f"{damages}: {len(gaps)} families"
    odd = f"SELECT count(*) FROM {t.cash_ledger} WHERE entry = 'orphan_void' AND signed_usd > 0"
    assert t.one(odd) == (0,), damages


def months(t: Tables, damages: list[str]) -> None:
    """No span overlaps another or ends before it starts; a month has the days its spans cover, and no more."""
    bad = t.one(
        f"""
        SELECT count(*) FROM (SELECT *, lead(start_date) OVER (PARTITION BY person_id ORDER BY start_date) AS next
        FROM {t.spans}) WHERE end_date < start_date OR next <= end_date
        """
    )
    assert bad == (0,), damages
    days = f"SELECT coalesce(sum(end_date - start_date + 1), 0) FROM {t.spans}"
    assert t.one(days) == t.one(f"SELECT coalesce(sum(eligible_days), 0) FROM {t.member_months}"), damages
    alone = t.one(
        f"""
        SELECT count(*) FROM {t.member_months} m WHERE NOT EXISTS (SELECT 1 FROM {t.spans} s
        WHERE s.person_id = m.person_id AND s.start_date <= last_day(m.service_month)
        AND s.end_date >= m.service_month) OR eligible_days > days_in_month
        """
    )
    assert alone == (0,), damages
