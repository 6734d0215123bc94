"""The reference of program files, generated from their schema, the cost words and the arithmetic they share."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import yaml

from ratebook.programs import primitives
from ratebook.programs.cells import assign_cell, meets, plan_days
from ratebook.programs.definitions import MEASURES

WORKFLOW = Path(__file__).parents[3] / "workflow"
SHARED = (meets, assign_cell, plan_days)
"""What sorts and counts months, beside the arithmetic."""
HEAD = """# Program files: every key

Generated from `workflow/schemas/program.schema.yaml`, `benefit_scope.csv` and the functions' own words by
`python -m ratebook.programs.reference`; do not edit. How to write a program is in [programs.md](programs.md). A key
that is not here is refused. A default in words says what holds where the key is left out.
"""


def write_reference() -> str:
    """Write every key of a program file, every cost word and every shared rule as Markdown."""
    schema = yaml.safe_load((WORKFLOW / "schemas/program.schema.yaml").read_text())
    parts = [HEAD, "## program file\n", _keys(schema, schema)]
    for title, node in sections(schema):
        parts += [f"## {title}\n", f"{_line(node)}\n", _keys(node, schema)]
    plain = {name: node for name, node in schema["$defs"].items() if not _object(node)}
    parts += [
        "## Kinds of value\n",
        _table(("kind", "meaning"), [(f"`{n}`", _line(node)) for n, node in plain.items()]),
    ]
    parts += ["## Cost words\n", _cost_words()]
    parts += ["## Shared rules\n", "Every number a program file gives goes through these; none knows a program.\n"]
    own = [f for _, f in inspect.getmembers(primitives, inspect.isfunction) if f.__module__ == primitives.__name__]
    rules = [*SHARED, *sorted(own, key=lambda rule: rule.__code__.co_firstlineno)]
    parts.append(_table(("rule", "meaning"), [(f"`{rule.__name__}`", _summary(rule)) for rule in rules]))
    return "\n".join(parts)


def sections(schema: dict) -> Iterator[tuple[str, dict]]:
    """Give the objects inside a program file, each once, in the order in which the file leads to them."""
    waiting, seen = [(None, schema)], set()
    while waiting:
        title, node = waiting.pop(0)
        if title in seen:
            continue
        seen.add(title)
        if title:
            yield title, node
        for key, child in node["properties"].items():
            waiting += _inside(key, child, schema)


def _inside(key, node, schema, shared=False):
    """Find the objects with keys of their own that a value leads to, under the name they are known by."""
    if "$ref" in node:
        name = node["$ref"].split("/")[-1]
        return _inside(name, schema["$defs"][name], schema, shared=True)
    if "properties" in node:
        return [(key if shared or key not in schema["$defs"] else f"{key} of the program", node)]
    inner = [node[step] for step in ("items", "additionalProperties") if isinstance(node.get(step), dict)]
    if inner and "properties" in inner[0] and "description" not in inner[0]:
        inner = [inner[0] | {"description": node.get("description", "")}]
    return [found for child in [*inner, *node.get("oneOf", [])] for found in _inside(key, child, schema, shared)]


def _object(node):
    inner = [node.get(step) for step in ("items", "additionalProperties")]
    return any(isinstance(child, dict) and "properties" in child for child in [node, *inner])


def _keys(node, schema):
    required = set(node.get("required", []))
    rows = [
        (f"`{key}`", kind(child), "required" if key in required else _default(child), _line(child))
        for key, child in node["properties"].items()
    ]
    return _table(("key", "kind", "default", "meaning"), rows)


def kind(node: dict) -> str:
    """Say what a value may be."""
    if "$ref" in node:
        return node["$ref"].split("/")[-1]
    if "enum" in node:
        return " or ".join(f"`{value}`" for value in node["enum"])
    if "oneOf" in node and "properties" not in node:
        return " or ".join(kind(child) for child in node["oneOf"])
    of_type = node.get("type", "object")
    if of_type == "array":
        return f"list of {kind(node['items'])}"
    if isinstance(node.get("additionalProperties"), dict):
        return f"name to {kind(node['additionalProperties'])}"
    return " or ".join(of_type) if isinstance(of_type, list) else of_type


def _default(node):
    value = node.get("default", "")
    if value in ([], {}):
        return "none"
    return f"`{str(value).lower()}`" if isinstance(value, bool | int | float) else value


def _line(node):
    return " ".join(node.get("description", "").split())


def _cost_words():
    scope = pd.read_csv(WORKFLOW / "programs/benefit_scope.csv", dtype=str, keep_default_na=False)
    rows = [
        ("`covered`", "every service the program covers in the cell; the nursing facility before the resident's share")
    ]
    for component, services in scope.groupby("component", sort=False).service:
        named = ", ".join(f"`{service}`" for service in services)
        rows.append((f"`{component}`", f"component: of {named} those the program covers"))
    alone = [service for service in scope.service if service not in set(scope.component)]
    rows.append((", ".join(f"`{name}`" for name in alone), "the service itself, whether covered or not"))
    rows += [(f"`{word}`", meaning) for word, meaning in MEASURES.items()]
    return _table(("word", "meaning"), rows)


def _summary(rule):
    return " ".join(inspect.getdoc(rule).split("\n\n")[0].split())


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    print(write_reference(), end="")
