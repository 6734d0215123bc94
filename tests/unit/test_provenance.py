"""The code of a door is what it imports, all the way down."""

from __future__ import annotations

from conftest import ROOT
from ratebook.provenance import code_of, sha256_of


def test_code_is_followed_through_imports(tmp_path):
    door = tmp_path / "door.py"
    door.write_text("from ratebook.codes import classify_lines\nfrom ratebook.steps import step\n")
    code = code_of(str(door))
    assert "scripts/ratebook/codes.py" in code
    assert "scripts/ratebook/tables.py" in code, "steps imports tables"
    assert "scripts/ratebook/figures.py" not in code


def test_paths_are_those_of_the_project():
    for path in code_of(str(ROOT / "scripts/ratebook/steps.py")):
        assert (ROOT / path).is_file()


def test_a_folder_has_the_fingerprint_of_its_files_in_order(tmp_path):
    (tmp_path / "b").write_text("2")
    (tmp_path / "a").write_text("1")
    first = sha256_of(tmp_path)
    (tmp_path / "a").write_text("3")
    assert sha256_of(tmp_path) != first
