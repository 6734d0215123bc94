"""Damages of a file's text: bytes to bytes, or to no file at all. What they leave may be anything."""

from __future__ import annotations

import gzip

import numpy as np
from feed import DIGITS, MARK


def with_bom(content: bytes, rng: np.random.Generator) -> bytes:
    """Begin with a byte order mark."""
    return b"\xef\xbb\xbf" + content


def with_crlf(content: bytes, rng: np.random.Generator) -> bytes:
    """End lines as Windows does."""
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def truncated(content: bytes, rng: np.random.Generator) -> bytes:
    """Break off anywhere, also in mid-row."""
    return content[: int(rng.integers(len(content) + 1))]


def empty(content: bytes, rng: np.random.Generator) -> bytes:
    """Send an empty file."""
    return b""


def missing(content: bytes, rng: np.random.Generator) -> None:
    """Send no file."""


def another_delimiter(content: bytes, rng: np.random.Generator) -> bytes:
    """Delimit by something else than the layout says."""
    return content.replace(b",", bytes([rng.choice(list(b"|;\t"))]))


def not_csv(content: bytes, rng: np.random.Generator) -> bytes:
    """Send something that is no text at all."""
    return b"PAR1" + rng.bytes(400) + MARK.encode()


def zipped(content: bytes, rng: np.random.Generator) -> bytes:
    """Compress the file, break it off, and leave its name."""
    return gzip.compress(content, mtime=0)[: int(rng.integers(10, 400))]


def latin_1(content: bytes, rng: np.random.Generator) -> bytes:
    """Write names in another encoding."""
    return content.replace(MARK.encode(), MARK.encode() + "é".encode("latin-1"))


def utf_16(content: bytes, rng: np.random.Generator) -> bytes:
    """Write the whole file in UTF-16."""
    return content.decode(errors="replace").encode("utf-16")


def ragged(content: bytes, rng: np.random.Generator) -> bytes:
    """Give some lines too many or too few cells."""
    lines = content.split(b"\n")
    for n in rng.choice(len(lines), min(3, len(lines)), replace=False):
        lines[n] = lines[n] + b"," + MARK.encode() if rng.random() < 0.5 else lines[n].rpartition(b",")[0]
    return b"\n".join(lines)


def loose_quotes(content: bytes, rng: np.random.Generator) -> bytes:
    """Open quotes that nobody closes."""
    at = int(rng.integers(len(content) + 1))
    return content[:at] + b'"' + content[at:]


def blank_lines(content: bytes, rng: np.random.Generator) -> bytes:
    """Put empty lines and a line of totals at the end."""
    return content + b"\n\n" + f"TOTAL,{DIGITS}\n".encode()


def no_header(content: bytes, rng: np.random.Generator) -> bytes:
    """Leave out the header."""
    return content.partition(b"\n")[2]


def two_headers(content: bytes, rng: np.random.Generator) -> bytes:
    """Repeat the header in the middle, as joined files do."""
    head, line, rest = content.partition(b"\n")
    return head + line + rest + head + line + rest


def a_byte(content: bytes, rng: np.random.Generator) -> bytes:
    """Change single bytes."""
    found = bytearray(content)
    for at in rng.integers(len(found), size=min(5, len(found))) if found else []:
        found[at] = int(rng.integers(256))
    return bytes(found)


HARMLESS_TEXT = (with_bom, with_crlf)
TEXT_DAMAGES = (
    *(with_bom, with_crlf, truncated, empty, missing, another_delimiter, not_csv, zipped, latin_1, utf_16, ragged),
    *(loose_quotes, blank_lines, no_header, two_headers, a_byte),
)
