"""Which code a door runs, and the fingerprint of a file."""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

CORE = Path(__file__).resolve().parent


def code_of(door: str) -> list[str]:
    """List the core modules a door runs, found by reading imports and importing nothing.

    Snakemake watches only the script file itself; with these files as an input, an edit in the core
    reruns exactly the rules that use the edited module.
    """
    top = CORE.parent.parent
    found: set[Path] = set()
    waiting = [Path(door)]
    while waiting:
        for module in _imported(waiting.pop().resolve()):
            if module not in found:
                found.add(module)
                waiting.append(module)
    return sorted(path.relative_to(top).as_posix() for path in found)


@functools.cache
def _imported(path: Path) -> tuple[Path, ...]:
    names = set()
    for node in _statements(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    files = []
    for name in sorted(names):
        parts = name.split(".")
        if parts[0] != "ratebook":
            continue
        base = CORE.joinpath(*parts[1:])
        files += [p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()]
    return tuple(files)


def _statements(block: ast.AST) -> Iterator[ast.AST]:
    """Give every statement, also those within others; imports are statements, and most of a module is expressions."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for statement in getattr(block, part, ()):
            yield statement
            yield from _statements(statement)


def sha256_of(path: str | Path) -> str:
    """Give the SHA-256 of a file, or of a folder's files in the order of their names."""
    path = Path(path)
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
