"""The rate book is recalculated by LibreOffice: what it says must be what the pipeline wrote, and stay live.

As a program (`make check`) it looks at `results/release/ratebook.xlsx`; tests use its parts on a book of their own.
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
RELEASE = ROOT / "results/release"
HEAD = 4
ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item></oor:items>
"""
"""A profile that recalculates every formula of a workbook as it is opened, whatever is cached in it."""
NO_OFFICE = "LibreOffice (soffice) is not installed: the workbook cannot be recalculated"
NEAR = 1e-6
"""Released numbers have nine digits, and one less a weight near one but seven: computed from them, so much is chance."""
CHANGES = ("trend", "load", "ultimate")


def find_office() -> str | None:
    """Give the path of LibreOffice, or none."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def recalculate(books: list[Path], folder: Path) -> list[Path]:
    """Let LibreOffice open workbooks, compute every formula anew, and write them again into a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        user = Path(profile, "user")
        user.mkdir()
        (user / "registrymodifications.xcu").write_text(ALWAYS)
        done = subprocess.run(
            [find_office(), f"-env:UserInstallation={Path(profile).as_uri()}", "--headless", "--norestore",
             "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder), *map(str, books)],
            capture_output=True, text=True, timeout=300, env={**os.environ, "HOME": profile},
        )  # fmt: skip
    made = [folder / book.name for book in books]
    if missing := [path.name for path in made if not path.is_file()]:
        raise RuntimeError(f"LibreOffice wrote no {', '.join(missing)}: {done.stderr[-500:]}")
    return made


def read_values(path: Path) -> dict[str, pd.DataFrame]:
    """Read every sheet's table by its labels; rows end at the first empty key."""
    found = {}
    for sheet in openpyxl.load_workbook(path, data_only=True, read_only=True).worksheets:
        cells = list(sheet.iter_rows(min_row=HEAD, values_only=True))
        rows = cells[2:]
        end = next((place for place, row in enumerate(rows) if not row or row[0] is None), len(rows))
        found[sheet.title] = pd.DataFrame([row[: len(cells[0])] for row in rows[:end]], columns=list(cells[0]))
    return found


def stale_cells(written: Path, recalculated: Path) -> tuple[int, list[str]]:
    """Count the formulas of a book, and name those whose cached value is not what they compute to."""
    formulas = openpyxl.load_workbook(written)
    before = openpyxl.load_workbook(written, data_only=True)
    after = openpyxl.load_workbook(recalculated, data_only=True)
    count, stale = 0, []
    for sheet in formulas.worksheets:
        old, new = before[sheet.title], after[sheet.title]
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and cell.value.startswith("="):
                    count += 1
                    if not same(old[cell.coordinate].value, new[cell.coordinate].value):
                        stale.append(f"{sheet.title}!{cell.coordinate}")
    return count, stale


def same(cached, computed) -> bool:
    """Say whether two cells hold the same, to the digits a released number has."""
    if isinstance(cached, int | float) and isinstance(computed, int | float):
        return math.isclose(cached, computed, rel_tol=NEAR, abs_tol=NEAR)
    return cached == computed


def rates_of(path: Path) -> dict[str, float]:
    """Give the rates of a recalculated book by cell."""
    rates = read_values(path)["Rates"].dropna(subset=["Rate per member month"])
    return dict(zip(rates["Rate cell"], rates["Rate per member month"].astype(float)))


def expected_rates(build: pd.DataFrame, rates: pd.DataFrame) -> dict[str, float]:
    """Work every rate out again from released factors, by the formulas of methods.md E4 to E8 and nothing else."""
    trend = ((1 + build.trend_utilisation) * (1 + build.trend_unit_cost)) ** (build.trend_months / 12)
    before = build.f_missing * build.f_pooling * build.f_base_changes
    cost = build.base_usd / build.member_months / build.completion_factor * before
    cost = cost * trend * build.f_program * build.f_managed_care
    rows = rates.set_index("cell")
    own = cost.groupby(build.cell).sum().reindex(rows.index) * rows.f_tpl
    is_pooled = rows.manual_source == "pooled"
    months = rows.member_months.where(is_pooled)
    total = (own * months).groupby(rows.pool).transform("sum")
    manual = (total / months.groupby(rows.pool).transform("sum")).where(is_pooled, rows.manual_pmpm_usd)
    raw = rows.credibility_z * own + (1 - rows.credibility_z) * manual
    drawn = (raw * months).groupby(rows.pool).transform("sum")
    blended = raw * (total / drawn).where(is_pooled, 1.0)
    kept = 1 - rows.admin_share - rows.margin_share - rows.tax_share
    rate = ((blended + rows.fixed_pmpm_usd) / kept * rows.f_smoothing)[rows.rate_usd.notna()].dropna()
    return {cell: float(value) for cell, value in rate.items()}


def change_input(kind: str, tables: dict[str, pd.DataFrame], book: Path, target: Path) -> tuple[dict, dict]:
    """Change one input of a book's copy, and give the rates before and after, worked out in Python.

    trend: a point more of use in the category fewest cells pay for; load: a point more of administration; ultimate:
    a tenth more to come in the category of the first cell with most cost.
    """
    build, rates = tables["rate_build"].copy(), tables["rates"].copy()
    before = expected_rates(build, rates)
    workbook = openpyxl.load_workbook(book)
    if kind == "load":
        rates["admin_share"] += 0.01
        move(workbook, "admin_share", 0.01)
    elif kind == "trend":
        paying = build[build.base_usd > 0].groupby("category").cell.nunique()
        category = paying.sort_index().idxmin()
        build["trend_utilisation"] += 0.01 * (build.category == category)
        move(workbook, f"trend_use_{category}", 0.01)
    else:
        category = build.loc[build.base_usd.idxmax(), "category"]
        build["completion_factor"] /= 1 + 0.1 * (build.category == category)
        sheet = workbook["Completion"]
        labels = [cell.value for cell in sheet[HEAD]]
        row = next(row for row in range(HEAD + 2, sheet.max_row + 1) if sheet.cell(row, 1).value == category)
        sheet.cell(row, labels.index("Expected once all is paid") + 1).value *= 1.1
    workbook.save(target)
    return before, expected_rates(build, rates)


def move(workbook, name: str, step: float) -> None:
    """Add a step to a named input."""
    place, cell = workbook.defined_names[name].attr_text.replace("'", "").replace("$", "").split("!")
    workbook[place][cell].value += step


def disagreements(book: Path, tables: dict[str, pd.DataFrame], folder: Path) -> list[str]:
    """Recalculate a book as it is and after each change, and list everything that is not as it should be."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = {kind: folder / f"{kind}.xlsx" for kind in CHANGES}
    expected = {kind: change_input(kind, tables, book, path) for kind, path in changed.items()}
    fresh, *moved_books = recalculate([book, *changed.values()], folder / "recalculated")
    count, stale = stale_cells(book, fresh)
    print(f"{count - len(stale)} of {count} formulas recalculate to the value written beside them")
    found = [f"{place} is not what its formula computes" for place in stale]
    wrote = tables["rates"].dropna(subset=["rate_usd"]).set_index("cell").rate_usd.astype(float).to_dict()
    off = differing("recalculated", rates_of(fresh), wrote)
    print(f"{len(wrote) - len(off)} of {len(wrote)} rates recalculate to the cent")
    found += off
    for (kind, (before, after)), path in zip(expected.items(), moved_books):
        now = rates_of(path)
        found += differing(f"after a changed {kind}", now, after)
        still = {cell for cell in wrote if math.isclose(before[cell], after[cell], rel_tol=1e-12)}
        moved = {cell for cell in wrote if now.get(cell) != wrote[cell]}
        found += [f"{cell} moved with a {kind} it does not rest on" for cell in sorted(moved & still)]
        print(f"a changed {kind} moves {len(moved)} rates and leaves {len(wrote) - len(moved)}")
        if not moved:
            found.append(f"no rate moved with a {kind}")
    return found


def differing(what: str, found: dict[str, float], wanted: dict[str, float]) -> list[str]:
    """Name the cells whose rates are not the same cents; a half cent may fall either way."""
    cells = sorted(set(found) | set(wanted))
    off = [c for c in cells if c not in found or c not in wanted or abs(found[c] - wanted[c]) > 0.005 + 1e-6]
    return [f"{cell}: {found.get(cell)} {what}, {wanted.get(cell)} expected" for cell in off]


def main() -> int:
    """Check the release's own book; give the count of disagreements."""
    if not find_office():
        print(f"skipped: {NO_OFFICE}")
        return 0
    tables = {name: pd.read_parquet(RELEASE / f"tables/{name}.parquet") for name in ("rate_build", "rates")}
    for frame in tables.values():
        decimals = [name for name in frame if frame[name].map(type).eq(Decimal).any()]
        frame[decimals] = frame[decimals].astype(float)
    with tempfile.TemporaryDirectory() as folder:
        found = disagreements(RELEASE / "ratebook.xlsx", tables, Path(folder))
    print("\n".join(found))
    return len(found)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
