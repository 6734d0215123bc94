"""Build and compile each expression once: a thousand inputs ask the engine the same questions of different files.

Without this an input costs fifteen seconds, nearly all of them spent in writing the same SQL again. Nothing is
skipped: files are read, queries run and results are written for every input.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import sys
import types

import ibis
import pandas as pd

from ratebook.tables import engine

CORE = "ratebook."


def key_of(value):
    """Give what tells two arguments apart: an expression by its operation, everything else by what it says."""
    if isinstance(value, ibis.Table):
        return value.op()
    if isinstance(value, pd.DataFrame):
        return value.to_csv()
    if isinstance(value, dict):
        return tuple((name, key_of(one)) for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(key_of(one) for one in value)
    if is_several(value):
        return key_of(vars(value))
    return value if isinstance(value, type) else repr(value)


def is_several(value) -> bool:
    """Say whether a value is tables that go together."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def once(function):
    """Remember the expression a function builds; tables it held on the way are computed anew from the new files."""
    known = {}

    @functools.wraps(function)
    def remembering(*args, **kwargs):
        key = (key_of(args), key_of(kwargs))
        if key in known:
            made, held = known[key]
            for compute in held:
                compute()
            return made
        HELD.append([])
        try:
            made = function(*args, **kwargs)
        finally:
            held = HELD.pop()
        if isinstance(made, ibis.Table) or is_several(made):
            known[key] = made, held
        return made

    return remembering


HELD: list[list] = []
"""What the functions now being built have held, to be computed again when they are remembered."""
NAMES = itertools.count()


def hold(table: ibis.Table) -> ibis.Table:
    """Hold a table as `tables.hold` does, under a name it keeps."""
    put = _holder(table.schema())
    return _held(lambda: put(table))


def settle(table: ibis.Table, step) -> ibis.Table:
    """Repeat a step as `tables.settle` does, in two tables that take turns."""
    rounds = [_holder(table.schema()), _holder(table.schema())]
    steps, result = {}, _holder(table.drop("is_changed").schema())

    def compute() -> ibis.Table:
        at, turn = rounds[0](table), 0
        while engine().to_pyarrow(_changed(at)).as_py():
            if turn not in steps:
                steps[turn] = step(at)
            turn = 1 - turn
            at = rounds[turn](steps[1 - turn])
        return result(_settled(at))

    return _held(compute)


@functools.cache
def _changed(table: ibis.Table) -> ibis.Value:
    return table.filter(table.is_changed).count()


@functools.cache
def _settled(table: ibis.Table) -> ibis.Table:
    return table.drop("is_changed")


def _holder(schema):
    """Give what fills one table of the engine, again and again."""
    name = f"kept_{next(NAMES)}"
    connection, found = engine(), []

    def put(table: ibis.Table) -> ibis.Table:
        if not found:
            found.append(connection.create_table(name, table, temp=True))
        else:
            connection._run_pre_execute_hooks(table)
            connection.con.execute(f"DELETE FROM {name}")
            connection.con.execute(f"INSERT INTO {name} {connection.compile(table)}")
        return found[0]

    return put


def _held(compute) -> ibis.Table:
    if HELD:
        HELD[-1].append(compute)
    return compute()


def with_core_once(door) -> None:
    """Let a door remember what the core's functions build, and the names of what it holds."""
    for name, value in list(vars(door).items()):
        if isinstance(value, types.ModuleType) and value.__name__.startswith(CORE):
            remembered = {
                own: once(one) if isinstance(one, types.FunctionType) and one.__module__ == value.__name__ else one
                for own, one in vars(value).items()
            }
            setattr(door, name, types.SimpleNamespace(**remembered))
        elif isinstance(value, types.FunctionType) and _is_core(value.__module__):
            setattr(door, name, once(value))
        elif name == hold.__name__:
            setattr(door, name, once(hold))


def _is_core(module: str) -> bool:
    return module.startswith(CORE) and module not in ("ratebook.tables", "ratebook.steps")


def with_engine_once(monkeypatch) -> None:
    """Let the engine remember the views of files, the text of queries, and the names of what it holds."""
    connection = engine()
    connection.raw_sql("SET enable_external_file_cache = false")
    views, queries, shown = {}, {}, {}
    read_parquet, read_csv, compiled = connection.read_parquet, connection.read_csv, connection.compile
    create_view = connection.create_view
    hooks = connection._run_pre_execute_hooks
    hooked = set()

    def parquet(path):
        if path not in views:
            views[path] = read_parquet(path)
        return views[path]

    def csv(paths, **options):
        found = read_csv(paths, **options)
        key = (tuple(paths), tuple(found.columns), repr(options))
        return views.setdefault(key, found)

    def view(name, table):
        if table.op() not in shown:
            shown[table.op()] = create_view(name, table)
        return shown[table.op()]

    def compile(expr, **options):
        key = (expr.op(), repr(options))
        if key not in queries:
            queries[key] = compiled(expr, **options)
        return queries[key]

    def register(expr):
        if expr.op() not in hooked:
            hooks(expr)
            hooked.add(expr.op())

    for name, module in list(sys.modules.items()):
        if name.startswith(CORE) and name != "ratebook.tables":
            for own in (hold, settle):
                if hasattr(module, own.__name__):
                    monkeypatch.setattr(module, own.__name__, own)
    monkeypatch.setattr(connection, "read_parquet", parquet)
    monkeypatch.setattr(connection, "read_csv", csv)
    monkeypatch.setattr(connection, "create_view", view)
    monkeypatch.setattr(connection, "compile", compile)
    monkeypatch.setattr(connection, "_run_pre_execute_hooks", register)
