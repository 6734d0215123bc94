"""Tables held in the engine: what is computed once, and for how long it is there."""

from __future__ import annotations

import gc

import ibis

from ratebook.tables import engine, fingerprint, hold, read_counts


def numbers(*values):
    """Draw a table of one column."""
    engine()
    return ibis.memtable({"number": list(values)})


def names():
    """Say what the engine holds, once the next table is made."""
    gc.collect()
    hold(numbers(0))
    return [name for (name,) in engine().raw_sql("select table_name from duckdb_tables()").fetchall()]


def test_a_held_table_stays_while_an_expression_reads_it_and_goes_when_none_does():
    held = hold(numbers(1, 2))
    name = held.op().name
    doubled = held.mutate(number=held.number * 2)
    del held
    assert name in names()
    assert read_counts(doubled).number.tolist() == [2, 4]
    del doubled
    assert name not in names()


def test_a_table_held_from_a_held_one_needs_it_no_more():
    first = hold(numbers(1, 2))
    name = first.op().name
    second = hold(first.filter(first.number > 1))
    del first
    assert name not in names()
    assert read_counts(second).number.tolist() == [2]


def test_cells_have_one_fingerprint_wherever_they_stand():
    one = ibis.memtable({"a": ["x", None], "b": [1, 2]})
    other = ibis.memtable({"b": [2, 1], "a": [None, "x"]})
    both = [sorted(read_counts(t.select(print=fingerprint(t, ["a", "b"]))).print) for t in (one, other)]
    assert both[0] == both[1] and len(set(both[0])) == 2
