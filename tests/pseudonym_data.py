"""Two keys of no worth, and a pseudonym by hand."""

from __future__ import annotations

import hashlib
import hmac

from ratebook.intake.pseudonyms import DIGITS, LENGTH, subkey

SECRET = "a test's key, of no worth: 0123456789abcdef"
OTHER = "another key of a test, of no worth either: 42"


def by_hand(text: str, kind: str, key: str = SECRET) -> str:
    """Give what Python's own HMAC gives for an id of which nothing is kept."""
    block = subkey(kind, key).encode()
    found = hmac.new(block, text.encode(), hashlib.sha256).hexdigest()
    return found[:LENGTH].translate(str.maketrans(*DIGITS))
