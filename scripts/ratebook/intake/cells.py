"""One cell: text as it stands in a file, to a value of our column's type, or to nothing and a count of one."""

from __future__ import annotations

import functools
import re

import ibis

TRUE = ("1", "t", "true", "y", "yes")
FALSE = ("0", "f", "false", "n", "no")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WORDS = ("remove", "unpad", "pad", "prefix", "values", "else")
"""What changes a cell's text; a cell already of our type is taken as it is where none is used."""
WHOLE = r"^[+-]?\d+(\.0*)?$"
DIGITS = r"((\d{1,3}(,\d{3})+|\d+)(\.\d*)?|\.\d+)"
MONEY = rf"^(\(\$?{DIGITS}\)|-?\$?{DIGITS}|\$-{DIGITS}|\$?{DIGITS}-)$"
CENTS = r"^(-?\d+|\d+-)$"


def read_column(raw: ibis.Table, how: dict | None, kind: str, nulls: tuple[str, ...]) -> tuple[ibis.Value, list]:
    """Read one of our columns from a table of source cells.

    The words of a column act in this order: `from` takes the first cell that is not empty, `together` puts cells
    side by side and is empty where one of them is; then `remove`, `unpad`, `pad`, `prefix`, then `values` and
    `else`, then the cast by `format`. `where` and `unless` say in which rows the cell counts; in the others it is
    empty. An empty cell stays empty through all of them.

    Returns
    -------
    value, counters
        The column, and the 0/1 counters of cells that hold something and do not parse.
    """
    if how is None:
        return ibis.null(kind), []
    if "constant" in how:
        return ibis.literal(how["constant"]).cast(kind), []
    if "expression" in how:
        return raw[f"({how['expression']})"].cast(kind), []
    text, value = None, None
    if len(how.get("from", [])) == 1 and not any(word in how for word in WORDS):
        given = raw[how["from"][0]]
        value = given if given.type() == ibis.dtype(kind) and kind != "string" else None
        if kind == "date" and (given.type().is_date() or given.type().is_timestamp()):
            value = given.cast("date")
    if value is None:
        text = _text(raw, how, nulls)
        value = _mapped(text, how) if "values" in how else text
        value = parse(value, kind, how.get("format"))
    applies = _applies(raw, how, nulls)
    if applies is not None:
        value = ibis.ifelse(applies, value, ibis.null(kind))
    if text is None or (kind == "string" and "values" not in how):
        return value, []
    broken = text.notnull() & value.isnull()
    return value, [(broken if applies is None else broken & applies).cast("int64")]


def cell_of(raw: ibis.Table, name: str, nulls: tuple[str, ...]) -> ibis.Value:
    """Give a source cell as text without blanks around it, null where it says nothing."""
    text = raw[name].cast("string").strip().nullif("")
    for null in nulls:
        text = text.nullif(null)
    return text


def holds(raw: ibis.Table, condition: dict, nulls: tuple[str, ...]) -> ibis.Value:
    """Say in which rows every column of a condition holds one of its values; null among them is the empty cell."""
    found = []
    for name, values in condition.items():
        cell = cell_of(raw, name, nulls)
        one_of = cell.isin([value for value in values if value is not None]).fill_null(False)
        found.append(one_of | cell.isnull() if None in values else one_of)
    return functools.reduce(lambda a, b: a & b, found)


def names_in(how: dict | None) -> list[str]:
    """List the source columns a column of ours is read from."""
    if how is None:
        return []
    return [*how.get("from", []), *how.get("together", []), *how.get("where", {}), *how.get("unless", {})]


def parse(text: ibis.Value, kind: str, form: str | None = None) -> ibis.Value:
    """Cast text to a type; what is not written wholly in the format is null."""
    if kind == "string":
        return text
    if kind == "date":
        shape, iso = DATE_FORMATS[form or "iso"]
        return ibis.ifelse(text.re_search(shape), iso(text), ibis.null("string")).try_cast("date")
    if kind == "boolean":
        low = text.lower()
        return ibis.cases((low.isin(TRUE), True), (low.isin(FALSE), False), else_=ibis.null("boolean"))
    if form is not None:
        text = NUMBER_FORMATS[form](text)
    if kind == "int64":
        # An engine's cast rounds 1.5 to 2; a count is whole or it is not one.
        text = ibis.ifelse(text.re_search(WHOLE), text, ibis.null("string"))
    return text.try_cast(kind)


def _text(raw: ibis.Table, how: dict, nulls: tuple[str, ...]) -> ibis.Value:
    cells = [cell_of(raw, name, nulls) for name in how.get("from", how.get("together"))]
    text = ibis.coalesce(*cells) if "from" in how else functools.reduce(lambda a, b: a + b, cells)
    for letter in how.get("remove", ""):
        text = text.replace(letter, "")
    if "unpad" in how:
        text = text.re_replace(f"^[{re.escape(how['unpad'])}]+", "")
    text = text.nullif("") if "remove" in how or "unpad" in how else text
    if "pad" in how:
        # An engine's own padding cuts off what is longer.
        text = ibis.ifelse(text.length() < how["pad"], text.lpad(how["pad"], "0"), text)
    return ibis.literal(how["prefix"]) + text if "prefix" in how else text


def _mapped(text: ibis.Value, how: dict) -> ibis.Value:
    """Give a value map's answer: a cell it does not list becomes `else`, itself for `same`, or null; "" is the empty one."""
    otherwise = how.get("else")
    other = (
        text if otherwise == "same" else ibis.null("string") if otherwise is None else ibis.literal(_word(otherwise))
    )
    codes = {code: _word(ours) for code, ours in how["values"].items()}
    empty = ibis.literal(codes.pop("")) if "" in codes else ibis.null("string")
    mapped = text.cases(*codes.items(), else_=other) if codes else other
    return ibis.ifelse(text.isnull(), empty, mapped)


def _word(ours: object) -> str:
    return str(ours).lower() if isinstance(ours, bool) else str(ours)


def _applies(raw: ibis.Table, how: dict, nulls: tuple[str, ...]) -> ibis.Value | None:
    found = [holds(raw, how["where"], nulls)] if "where" in how else []
    found += [~holds(raw, how["unless"], nulls)] if "unless" in how else []
    return functools.reduce(lambda a, b: a & b, found) if found else None


def _iso(year: ibis.Value, month: ibis.Value, day: ibis.Value) -> ibis.Value:
    return year + "-" + month + "-" + day


def _month_number(name: ibis.Value) -> ibis.Value:
    return name.upper().cases(*[(month, f"{n:02d}") for n, month in enumerate(MONTHS, 1)])


def _slashed(text: ibis.Value) -> ibis.Value:
    month, day, year = [text.split("/")[n] for n in range(3)]
    return _iso(year, month.lpad(2, "0"), day.lpad(2, "0"))


def _money(text: ibis.Value) -> ibis.Value:
    sign = ibis.ifelse(text.re_search(r"[-(]"), ibis.literal("-"), ibis.literal(""))
    return ibis.ifelse(text.re_search(MONEY), sign + text.re_replace(r"[^0-9.]", ""), ibis.null("string"))


def _cents(text: ibis.Value) -> ibis.Value:
    sign = ibis.ifelse(text.contains("-"), ibis.literal("-"), ibis.literal(""))
    digits = ibis.literal("00") + text.replace("-", "")
    dollars = digits.substr(0, digits.length() - 2)
    return ibis.ifelse(text.re_search(CENTS), sign + dollars + "." + digits.right(2), ibis.null("string"))


DATE_FORMATS = {
    "iso": (r"^\d{4}-\d{2}-\d{2}([ T]|$)", lambda t: t.substr(0, 10)),
    "yyyymmdd": (r"^\d{8}$", lambda t: _iso(t.substr(0, 4), t.substr(4, 2), t.substr(6, 2))),
    "mm/dd/yyyy": (r"^\d{2}/\d{2}/\d{4}$", lambda t: _iso(t.substr(6, 4), t.substr(0, 2), t.substr(3, 2))),
    "m/d/yyyy": (r"^\d{1,2}/\d{1,2}/\d{4}$", _slashed),
    "ddmonyyyy": (
        r"^\d{2}[A-Za-z]{3}\d{4}$",
        lambda t: _iso(t.substr(5, 4), _month_number(t.substr(2, 3)), t.substr(0, 2)),
    ),
    "dd-mon-yyyy": (
        r"^\d{2}-[A-Za-z]{3}-\d{4}$",
        lambda t: _iso(t.substr(7, 4), _month_number(t.substr(3, 3)), t.substr(0, 2)),
    ),
    "yyyymm": (r"^\d{6}$", lambda t: _iso(t.substr(0, 4), t.substr(4, 2), ibis.literal("01"))),
}
"""How a date may be written: what all of it looks like, and how it becomes ISO text. A time of day may follow ISO."""

NUMBER_FORMATS = {"money": _money, "cents": _cents}
"""How an amount may be written besides as plain digits: $1,234.50, (12.00), 12.00-; or whole cents, 1250."""
