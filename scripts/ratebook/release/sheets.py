"""A sheet is data: columns with a unit, a look, and a value or a live formula of other cells."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from ratebook.release.wording import is_missing, unit_of

CREATED = dt.datetime(2020, 11, 3)
"""The same date in every workbook, so that the same rates give the same bytes."""
INPUT = {"font_color": "#0b3fa8", "bg_color": "#fff6d6"}
"""The one look of what a reader may change."""
HEAD_ROW, FIRST_ROW = 3, 5
LOOKS = {
    "usd": "#,##0.00;[Red]-#,##0.00",
    "share": "0.00%",
    "factor": "0.000000",
    "count": "#,##0",
    "months": "#,##0.0",
    "number": "#,##0.0000",
    "text": "General",
}
NAMES = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Column:
    """One column of a sheet.

    A formula names other columns in braces: `{base_usd}` is the cell of the same row, `{base_usd_all}` the whole
    column, `{_key}` the row's key as part of a defined name. It is written only in rows where the column `only`
    holds a value, and never over a missing cell: there, and elsewhere, the value itself stands as an input. Where rows
    differ in how they are computed, `by_row` names the frame's column that holds each row's own formula.
    `named` defines a name for each cell, `{}` standing for the row's key.
    """

    name: str
    label: str
    look: str = ""
    unit: str = ""
    formula: str = ""
    by_row: str = ""
    only: tuple[str, str] = ()
    is_input: bool = False
    named: str = ""
    width: int = 13


class Book:
    """A workbook whose bytes depend on its content alone."""

    def __init__(self, path: str, title: str, data_note: str):
        self.book = xlsxwriter.Workbook(path, {"in_memory": True})
        self.book.set_properties({"title": title, "created": CREATED, "comments": data_note})
        self.note = data_note
        self.looks: dict[tuple, object] = {}

    def look(self, **kinds):
        """Give a cell format, made once."""
        key = tuple(sorted(kinds.items()))
        if key not in self.looks:
            self.looks[key] = self.book.add_format({"font_name": "Calibri", "font_size": 10, **kinds})
        return self.looks[key]

    def add_sheet(self, name: str, title: str, remark: str):
        """Start a sheet with its title, its remark and the note on the data; set it up for print."""
        sheet = self.book.add_worksheet(name)
        sheet.write(0, 0, title, self.look(bold=True, font_size=14))
        sheet.write(1, 0, remark, self.look(font_color="#555555", italic=True))
        sheet.write(2, 0, self.note.upper(), self.look(bold=True, font_color="#8a5a00"))
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.hide_gridlines(2)
        sheet.set_footer(f"&L{title}&C{self.note}&R&P / &N")
        return sheet

    def write_table(
        self, sheet, frame: pd.DataFrame, columns: list[Column], key: str, **elsewhere: str
    ) -> dict[str, str]:
        """Write rows under a frozen head with units.

        Parameters
        ----------
        sheet : Worksheet
        frame : pandas.DataFrame
            With the columns' names; a formula's value is its cached result.
        columns : list of Column
        key : str
            Column whose value is a row's key in defined names.
        elsewhere : str
            Ranges of other sheets that formulas may name.

        Returns
        -------
        dict of str
            `<column>_all` to the column's range, for formulas on other sheets.
        """
        head = self.look(bold=True, text_wrap=True, valign="top", bottom=1, top=1)
        units = self.look(font_color="#777777", italic=True, text_wrap=True)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width)
            sheet.write(HEAD_ROW, place, column.label, head)
            sheet.write(HEAD_ROW + 1, place, column.unit or unit_of(column.name), units)
        last = FIRST_ROW + max(len(frame), 1)
        letters = {column.name: xl_col_to_name(place) for place, column in enumerate(columns)}
        ranges = {f"{name}_all": f"${letter}${FIRST_ROW + 1}:${letter}${last}" for name, letter in letters.items()}
        whole = {name for name in letters if name in frame and frame[name].notna().all()}
        for row, record in enumerate(frame.to_dict("records"), start=FIRST_ROW):
            cells = {name: f"${letter}{row + 1}" for name, letter in letters.items()}
            cells = {**cells, **ranges, **elsewhere, "_key": safe_name(record.get(key, ""))}
            known = {name for name in letters if not is_missing(record.get(name))} | {f"{name}_all" for name in whole}
            for place, column in enumerate(columns):
                self._write_cell(sheet, row, place, column, record, cells, known | set(elsewhere) | {"_key"})
        sheet.freeze_panes(FIRST_ROW, 1)
        sheet.repeat_rows(HEAD_ROW, HEAD_ROW + 1)
        sheet.print_area(0, 0, last - 1, len(columns) - 1)
        return {name: f"'{sheet.get_name()}'!{found}" for name, found in ranges.items()}

    def _write_cell(self, sheet, row, place, column: Column, record: dict, cells: dict, known: set[str]) -> None:
        value = record.get(column.name)
        formula = record.get(column.by_row) or "" if column.by_row else column.formula
        is_live = bool(formula) and set(NAMES.findall(formula)) <= known
        is_live = is_live and (not column.only or record.get(column.only[0]) == column.only[1])
        is_input = column.is_input or (bool(column.formula or column.by_row) and not is_live)
        is_input = is_input and not is_missing(value)
        look = self.look(
            num_format=LOOKS[column.look or guess_look(column.name, value)], **(INPUT if is_input else {})
        )
        if is_missing(value):
            sheet.write_blank(row, place, None, look)
            return
        if column.named:
            target = f"='{sheet.get_name()}'!${xl_col_to_name(place)}${row + 1}"
            self.book.define_name(column.named.format(cells["_key"]), target)
        if is_live:
            cached = value if isinstance(value, bool) else float(value)
            sheet.write_formula(row, place, formula.format_map(cells), look, cached)
        elif isinstance(value, bool | str):
            sheet.write(row, place, value if isinstance(value, bool) else str(value), look)
        elif isinstance(value, pd.Timestamp | dt.date):
            sheet.write_string(row, place, pd.Timestamp(value).date().isoformat(), look)
        else:
            sheet.write_number(row, place, float(value), look)

    def close(self) -> None:
        """Write the file."""
        self.book.close()


def safe_name(text) -> str:
    """Make a text part of a defined name."""
    return re.sub(r"\W", "_", str(text))


def guess_look(name: str, value) -> str:
    """Choose a cell's look from its column's name."""
    if isinstance(value, str | bool | dt.date | pd.Timestamp) or is_missing(value):
        return "text"
    if name.endswith(("_usd", "_share")):
        return unit_of(name)
    if name.startswith("f_") or name.endswith(("_factor", "_z")):
        return "factor"
    if name.endswith("months"):
        return "months"
    return "count" if float(value).is_integer() else "number"
