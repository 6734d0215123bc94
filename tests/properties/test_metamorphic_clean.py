"""What must not change what cleaning makes of a feed, and what must change it in one known way.

A simulated program, with every fault the simulation plants, is changed by one sentence of SQL a table and cleaned again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest
from once import with_core_once, with_engine_once
from pipeline import read_rules, run_rule

from ratebook.contracts.intake import TABLES
from ratebook.simulate.build import build_program

RULES = ("read_sources", "clean_members", "build_adjustments", "clean_claims", "build_cash_ledger", "build_attrition")
RULES += ("build_stays",)
SMALL = {"behavioural_members": 150, "long_term_members": 50, "members_per_batch": 100, "truth_members": 0}
OPEN = {"intake": {"max_rejected_share": 1.0}}
MONEY = [name for name, kind in TABLES["medical_claims"].types().items() if kind == "decimal(14, 2)"]
DRUG_MONEY = [name for name, kind in TABLES["pharmacy_claims"].types().items() if kind == "decimal(14, 2)"]
PLAIN = """
    SELECT m.* FROM medical_claims m JOIN base.claims c USING (load_sequence)
    WHERE c.claim_type = 'professional' AND m.claim_type = 'professional' AND c.record_type = 'ffs'
    AND coalesce(m.adjustment_code, 'original') = 'original' AND m.original_claim_id IS NULL
    AND c.family_id = c.claim_id AND NOT c.is_near_duplicate AND m.paid_date IS NOT NULL
    AND m.claim_id NOT IN (SELECT original_claim_id FROM medical_claims WHERE original_claim_id IS NOT NULL)
    AND m.claim_id IN (SELECT claim_id FROM medical_claims GROUP BY claim_id HAVING count(*) = 1)
    ORDER BY m.load_sequence LIMIT 60
"""
"""Lines of ordinary claims of one line, final as they were sent."""


@dataclass
class Program:
    """A raw program in an engine of its own, and what cleaning made of it, schema by schema."""

    folder: Path
    rules: list
    engine: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)

    def clean(self, schema: str, **changes: str) -> None:
        """Write the raw tables, some of them changed, clean them, and keep what came out under a schema."""
        for name in TABLES:
            query = changes.get(name, f"SELECT * FROM {name}")
            path = self.folder / "feed" / f"{name}.parquet"
            self.engine.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        for rule in self.rules:
            run_rule(rule, self.folder, params={"source": str(self.folder / "feed")})
        self.engine.execute(f"CREATE OR REPLACE SCHEMA {schema}")
        for name in ("clean/claims", "clean/rejected", "clean/cash_ledger", "clean/attrition", "episodes/stays"):
            path = self.folder / "results" / f"{name}.parquet"
            parts = path / "*.parquet" if path.is_dir() else path
            self.engine.execute(f"CREATE OR REPLACE TABLE {schema}.{path.stem} AS FROM read_parquet('{parts}')")

    def rows(self, query: str) -> list[tuple]:
        return self.engine.execute(query).fetchall()

    def same(self, one: str, other: str) -> bool:
        """Say whether two queries give the same rows, each as often."""
        both = f"(({one}) EXCEPT ALL ({other})) UNION ALL (({other}) EXCEPT ALL ({one}))"
        return self.rows(f"SELECT count(*) FROM ({both})") == [(0,)] and self.rows(f"SELECT count(*) FROM ({one})") > [
            (0,)
        ]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("metamorphic")
    rules = read_rules(OPEN, RULES)
    config = rules[0].config
    build_program(config["study"], config["simulate"] | SMALL, folder / "raw", folder / "truth.json", 1)
    (folder / "feed").mkdir()
    for rule in rules:
        with_core_once(rule.door)
    with pytest.MonkeyPatch.context() as patch:
        with_engine_once(patch)
        made = Program(folder, rules)
        for name in TABLES:
            path = folder / "raw" / f"{name}.parquet"
            parts = path / "*.parquet" if path.is_dir() else path
            made.engine.execute(f"CREATE TABLE {name} AS FROM read_parquet('{parts}')")
        made.clean("base")
        yield made


def test_the_program_holds_what_is_to_be_tested(program):
    taken = {rule for (rule,) in program.rows("SELECT DISTINCT rule_id FROM base.rejected")}
    assert {"A3.1", "A4.1", "A5.3a", "A5.3b"} <= taken
    assert program.rows(f"SELECT count(*) > 30 FROM ({PLAIN})") == [(True,)]


def test_rows_in_any_order_give_the_same_claims_ledger_and_waterfall(program):
    program.clean("shuffled", **{name: f"SELECT * FROM {name} ORDER BY hash({name})" for name in TABLES})
    for name in ("claims", "rejected", "cash_ledger", "attrition"):
        assert program.same(f"FROM base.{name}", f"FROM shuffled.{name}"), name


def test_doubled_amounts_double_every_dollar_and_delta(program):
    def doubled(table: str, columns: list[str]) -> str:
        twice = ", ".join(f"{name} * 2 AS {name}" for name in columns)
        return f"SELECT * REPLACE ({twice}) FROM {table}"

    program.clean(
        "doubled",
        medical_claims=doubled("medical_claims", MONEY),
        pharmacy_claims=doubled("pharmacy_claims", DRUG_MONEY),
    )
    steps = "SELECT source_table, step, rows_out, persons_out, paid_in_usd{0}, delta_usd{0}, paid_out_usd{0} FROM {1}.attrition"
    assert program.same(steps.format(" * 2", "base"), steps.format(" * 1", "doubled"))
    of_claims = "SELECT person_id, claim_id, count(*), sum(paid_usd){0}, sum(cost_usd){0} FROM {1}.claims GROUP BY ALL"
    assert program.same(of_claims.format(" * 2", "base"), of_claims.format(" * 1", "doubled"))
    moves = "SELECT person_id, claim_id, entry, paid_date, sum(signed_usd){0} FROM {1}.cash_ledger GROUP BY ALL"
    assert program.same(moves.format(" * 2", "base"), moves.format(" * 1", "doubled"))


def test_a_void_and_an_equal_replacement_change_no_final_dollar(program):
    begin = "(SELECT max(load_sequence) FROM medical_claims)"
    record = f"""
        SELECT * REPLACE ('{{0}}-' || claim_id AS claim_id, claim_id AS original_claim_id,
        '{{1}}' AS adjustment_code, {{2}}paid_amount AS paid_amount, paid_date + {{3}} AS paid_date,
        {begin} + {{3}} * 1000 + row_number() OVER () AS load_sequence) FROM ({PLAIN})
    """
    void, again = record.format("V", "void", "-", 1), record.format("R", "replacement", "", 2)
    program.clean("again", medical_claims=f"FROM medical_claims UNION ALL BY NAME {void} UNION ALL BY NAME {again}")
    dollars = (
        "SELECT person_id, claim_type, category, count(*), sum(paid_usd), sum(cost_usd) FROM {}.claims GROUP BY ALL"
    )
    assert program.same(dollars.format("base"), dollars.format("again"))
    moves = "SELECT person_id, category, incurred_date, sum(signed_usd) FROM {}.cash_ledger GROUP BY ALL"
    assert program.same(moves.format("base"), moves.format("again"))
    added = "SELECT count(*), coalesce(sum(signed_usd), 0) FROM again.cash_ledger WHERE load_sequence NOT IN (SELECT load_sequence FROM base.cash_ledger)"
    entries = (
        program.rows("SELECT count(*) FROM again.cash_ledger")[0][0]
        - program.rows("SELECT count(*) FROM base.cash_ledger")[0][0]
    )
    count = program.rows(f"SELECT count(*) FROM ({PLAIN})")[0][0]
    # Each payment now stands beside its reversal, and the replacement's payment beside both.
    assert entries == 2 * count, program.rows(added)


def test_an_unrelated_person_changes_nobody_else(program):
    begin = "(SELECT max(load_sequence) FROM medical_claims)"
    new = f"""
        SELECT * REPLACE ('N-' || claim_id AS claim_id, 'NEW' AS person_id, 'N-npi' AS billing_npi,
        {begin} + row_number() OVER () AS load_sequence) FROM ({PLAIN})
    """
    person = (
        "SELECT * REPLACE ('NEW' AS person_id, NULL AS death_date, NULL AS birth_date) FROM (FROM members LIMIT 1)"
    )
    program.clean(
        "crowded",
        medical_claims=f"FROM medical_claims UNION ALL BY NAME {new}",
        members=f"FROM members UNION ALL BY NAME {person}",
    )
    others = "SELECT * FROM {}.claims WHERE person_id <> 'NEW'"
    assert program.same(others.format("base"), others.format("crowded"))
    assert program.same("FROM base.rejected", "FROM crowded.rejected WHERE source_person_id IS DISTINCT FROM 'NEW'")
    assert program.rows("SELECT count(*) FROM crowded.claims WHERE person_id = 'NEW'") == program.rows(
        f"SELECT count(*) FROM ({PLAIN})"
    )


def test_two_sources_together_are_their_results_together(program):
    """Persons, providers and files of the two have nothing in common; only the median price of a code does."""
    # The long-term members' numbers begin at ten million; ids are used again only within a population.
    half = "(coalesce(TRY_CAST(regexp_extract({}, '[0-9]+$') AS BIGINT), 0) >= 10000000) = {}"
    named = ", ".join(f"'{{1}}' || {name} AS {name}" for name in ("source_file", "billing_npi", "rendering_npi"))

    def part(table: str, which: int) -> str:
        owner = f"coalesce({'person_id' if table != 'identity_crosswalk' else 'source_person_id'}, '')"
        columns = named.format("", "AB"[which]) if table == "medical_claims" else ""
        if table == "pharmacy_claims":
            columns = ", ".join(
                f"'{'AB'[which]}' || {name} AS {name}" for name in ("source_file", "dispensing_provider_npi")
            )
        replace = f" REPLACE ({columns})" if columns else ""
        return f"SELECT *{replace} FROM {table} WHERE {half.format(owner, bool(which))}"

    tables = ("members", "identity_crosswalk", "eligibility", "medical_claims", "pharmacy_claims", "navigator_log")
    for which in (0, 1):
        program.clean(f"half_{which}", **{table: part(table, which) for table in tables})
    program.clean("whole", **{table: f"{part(table, 0)} UNION ALL {part(table, 1)}" for table in tables})
    kept = "SELECT * EXCLUDE (units, units_flag) FROM {}.claims"
    both = " UNION ALL ".join(kept.format(f"half_{which}") for which in (0, 1))
    assert program.same(kept.format("whole"), both)
    for name in ("rejected", "cash_ledger"):
        assert program.same(f"FROM whole.{name}", f"FROM half_0.{name} UNION ALL FROM half_1.{name}"), name


def test_all_dates_four_years_later_change_nothing_but_dates(program):
    days = {name: [c for c, kind in TABLES[name].types().items() if kind == "date"] for name in TABLES}

    def later(table: str) -> str:
        moved = ", ".join(f"CAST({day} + INTERVAL 4 YEAR AS DATE) AS {day}" for day in days[table])
        return f"SELECT * REPLACE ({moved}) FROM {table}" if moved else f"FROM {table}"

    study = program.rules[0].config["study"]
    moved = {
        key: f"{int(study[key][:4]) + 4}{study[key][4:]}" for key in ("window_start", "window_end", "extract_date")
    }
    rules = read_rules(OPEN | {"study": moved}, RULES)
    for rule in rules:
        with_core_once(rule.door)
    Program(program.folder, rules, program.engine).clean("later", **{table: later(table) for table in TABLES})
    undated = "SELECT * EXCLUDE (service_start_date, service_end_date, admission_date, discharge_date, paid_date) FROM {}.claims"
    assert program.same(undated.format("base"), undated.format("later"))
    starts = "SELECT load_sequence, claim_type, CAST(service_start_date + INTERVAL {} YEAR AS DATE) FROM {}.claims"
    assert program.same(starts.format(4, "base"), starts.format(0, "later"))
    assert program.same("FROM base.rejected", "FROM later.rejected")
    assert program.same("FROM base.attrition", "FROM later.attrition")


def test_a_claim_in_two_interim_bills_keeps_its_cost_and_days(program):
    """Stays of one line: the first half of the days and cents on one bill, the rest on a second; the stay is one."""
    stays = """
        SELECT m.* FROM medical_claims m JOIN base.claims c USING (load_sequence)
        WHERE m.claim_type = 'institutional' AND c.claim_type = 'institutional' AND c.family_id = c.claim_id
        AND m.bill_type_code LIKE '__1' AND m.original_claim_id IS NULL AND c.paid_usd = m.paid_amount
        AND coalesce(m.adjustment_code, 'original') = 'original' AND NOT c.is_near_duplicate
        AND m.claim_id NOT IN (SELECT original_claim_id FROM medical_claims WHERE original_claim_id IS NOT NULL)
        AND m.claim_id IN (SELECT claim_id FROM medical_claims GROUP BY claim_id HAVING count(*) = 1)
        AND m.claim_end_date > m.claim_start_date + 1
        AND c.service_start_date = m.claim_start_date AND c.service_end_date = m.claim_end_date
        ORDER BY m.load_sequence LIMIT 40
    """
    half, days = (
        "CAST(round(paid_amount / 2, 2) AS DECIMAL(14, 2))",
        "CAST((claim_end_date - claim_start_date) // 2 AS INTEGER)",
    )
    first = f"""
        SELECT * REPLACE (left(bill_type_code, 2) || '2' AS bill_type_code, {half} AS paid_amount,
        NULL AS adjustment_code, NULL AS header_paid_amount, '30' AS discharge_disposition_code,
        claim_start_date + {days} AS claim_end_date, claim_start_date + {days} AS discharge_date,
        claim_start_date + {days} AS claim_line_end_date) FROM ({stays})
    """
    second = f"""
        SELECT * REPLACE (left(bill_type_code, 2) || '4' AS bill_type_code, paid_amount - {half} AS paid_amount,
        claim_id || '-B' AS claim_id, NULL AS adjustment_code, NULL AS header_paid_amount,
        claim_start_date + {days} + 1 AS claim_start_date, claim_start_date + {days} + 1 AS claim_line_start_date,
        (SELECT max(load_sequence) FROM medical_claims) + row_number() OVER () AS load_sequence) FROM ({stays})
    """
    rest = f"SELECT * FROM medical_claims WHERE claim_id NOT IN (SELECT claim_id FROM ({stays}))"
    count = program.rows(f"SELECT count(*) FROM ({stays})")[0][0]
    assert count > 3
    program.clean("split", medical_claims=f"{rest} UNION ALL BY NAME {first} UNION ALL BY NAME {second}")
    cost = "SELECT person_id, category, sum(cost_usd), sum(paid_usd) FROM {}.claims WHERE claim_type <> 'pharmacy' GROUP BY ALL"
    assert program.same(cost.format("base"), cost.format("split"))
    split = f"SELECT claim_id FROM ({stays})"
    length = "sum(service_end_date - service_start_date + 1)"
    of_one = f"SELECT person_id, {length} FROM base.claims WHERE claim_id IN ({split}) GROUP BY ALL"
    of_two = f"SELECT person_id, {length} FROM split.claims WHERE regexp_replace(claim_id, '-B$', '') IN ({split}) GROUP BY ALL"
    assert program.same(of_one, of_two)
    stay = "SELECT * EXCLUDE (claims) FROM {}.stays"
    assert program.same(stay.format("base"), stay.format("split"))


def test_cleaning_what_is_clean_changes_nothing(program):
    medical = """
        SELECT m.* REPLACE (c.claim_id AS claim_id, c.line_number AS claim_line_number, c.claim_type AS claim_type,
        c.person_id AS person_id, c.service_start_date AS claim_line_start_date, c.service_end_date AS claim_line_end_date,
        c.admission_date AS admission_date, c.discharge_date AS discharge_date, c.units AS service_unit_quantity,
        c.paid_usd AS paid_amount, NULL AS original_claim_id, NULL AS header_paid_amount, NULL AS denied_flag,
        CASE WHEN c.is_money_only THEN m.adjustment_code ELSE 'original' END AS adjustment_code,
        CASE WHEN c.claim_type = 'institutional' THEN 'line' END AS payment_level)
        FROM medical_claims m JOIN base.claims c USING (load_sequence) WHERE c.claim_type <> 'pharmacy'
    """
    drugs = """
        SELECT p.* REPLACE (c.person_id AS person_id, c.paid_usd AS paid_amount, NULL AS original_claim_id,
        'original' AS adjustment_code)
        FROM pharmacy_claims p JOIN base.claims c USING (load_sequence) WHERE c.claim_type = 'pharmacy'
    """
    program.clean("twice", medical_claims=medical, pharmacy_claims=drugs)
    assert program.rows("SELECT count(*) FROM twice.rejected") == [(0,)]
    kept = "SELECT * EXCLUDE (family_id, units_flag, discharge_source) FROM {}.claims"
    assert program.same(kept.format("base"), kept.format("twice"))
