"""CMS's files as their layouts ask for them: what is not said is empty; read as the door reads them."""

from conftest import ROOT
from ratebook.clean.members import build_identity, build_persons
from ratebook.contracts.intake import TABLES
from ratebook.exposure.spans import build_spans
from ratebook.intake.layouts import find_files, read_layout
from ratebook.intake.sources import read_sources
from ratebook.tables import open_table, write_table

SCHEMA = ROOT / "workflow/schemas/layout.schema.yaml"


class Feed:
    """Files with every column their layout asks for; only cells that say something are written out."""

    def __init__(self, layout, folder, delimiter):
        self.layout = ROOT / f"workflow/layouts/{layout}.yaml"
        self.folder, self.delimiter = folder / "feed", delimiter
        self.folder.mkdir()

    def write(self, name, columns, *rows):
        """Write one file; a row is the cells of the columns that say something."""
        lines = [self.delimiter.join(columns)]
        lines += [self.delimiter.join(str(row.get(column, "")) for column in columns) for row in rows]
        (self.folder / name).write_text("\n".join(lines) + "\n")

    def read(self, folder):
        """Read every raw table and write it, as the door does."""
        parts = read_layout(self.layout, SCHEMA)
        assert find_files(self.layout, SCHEMA, self.folder)
        raw = {}
        for name, expression in read_sources(self.folder, parts).items():
            write_table(expression, folder / "raw" / name, TABLES[name])
            raw[name] = open_table(folder / "raw" / name, TABLES[name])
        return raw


def spans_of(raw, run, extract_date):
    """Give the spans of coverage that raw tables make, as sorted tuples."""
    identity = build_identity(raw["members"], raw["eligibility"], raw["identity_crosswalk"])
    persons = build_persons(raw["members"], identity)
    spans = run(build_spans(raw["eligibility"], identity, persons, extract_date, [], 0))
    return sorted(
        (s["person_id"], str(s["start_date"]), str(s["end_date"]), s["payer"], s["dual_group"]) for s in spans
    )


def numbered(name, last, form="{}{}"):
    """Give the columns of one name from 1 on."""
    return [form.format(name, n) for n in range(1, last + 1)]


MONTHS = [f"{n:02d}" for n in range(1, 13)]
