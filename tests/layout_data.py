"""Feeds and layouts written here, and read as intake reads them."""

import gzip

import yaml

from conftest import ROOT
from ratebook.contracts.intake import TABLES
from ratebook.intake.layouts import read_layout
from ratebook.intake.sources import read_raw

SCHEMA = ROOT / "workflow/schemas/layout.schema.yaml"
NUMBERED = {"load_sequence": {"expression": "row_number"}, "source_file": {"expression": "file_name"}}


class Feed:
    """A folder of files and a layout with one entry under test; the other tables it needs are empty parts of it."""

    def __init__(self, folder, run):
        self.folder, self.run = folder / "feed", run
        self.folder.mkdir()
        self.path = folder / "drawn.yaml"

    def write(self, name, text):
        """Put a file into the folder, packed where its name says so."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".gz":
            with gzip.open(path, "wt") as file:
                file.write(text)
        else:
            path.write_text(text)

    def parts(self, table, entry):
        """Read the layout of one table, all it does not say being absent."""
        places = [entry, *entry.get("parts", [])]
        said = {name for place in places for name in [*place.get("columns", {}), *place.get("absent", [])]}
        rest = [name for name in TABLES[table].types() if name not in {*said, "cells_unparsed"}]
        entry = {**entry, "absent": [*entry.get("absent", []), *rest]}
        others = {
            name: {"files": "none.csv", "same_names": True} for name in ("members", "eligibility", "medical_claims")
        }
        layout = {"name": "drawn", "description": "drawn here", "tables": {**others, table: entry}}
        self.path.write_text(yaml.safe_dump(layout, sort_keys=False))
        return [part for part in read_layout(self.path, SCHEMA) if part.table == table]

    def rows(self, table, entry, *columns):
        """Give columns of a table as tuples, in the order of the rows' numbers where there is one."""
        parts = self.parts(table, entry)
        found = self.run(read_raw(self.folder, table, parts))
        key = "load_sequence" if "load_sequence" in TABLES[table].types() else None
        found = sorted(found, key=lambda row: row[key]) if key else found
        return [tuple(str(row[c]) if row[c] is not None else None for c in columns) for row in found]


def drawn_feed(tmp_path, run):
    """Give an empty feed: the fixture `feed` of the files that ask for it."""
    return Feed(tmp_path, run)
