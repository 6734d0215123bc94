"""The checklist's questions, put to a few tables."""

from __future__ import annotations

from conftest import ROOT
from ratebook.review.checklist import check_review
from ratebook.review.seen import Seen
from ratebook.tables import read_codes

QUESTIONS = read_codes(ROOT / "workflow/codes/checklist.csv")


def ask(check_id, **tables):
    """Put one question to a few tables; frames in, answer out."""
    facts, settings = tables.pop("facts", {}), tables.pop("settings", {})
    return check_review(QUESTIONS[QUESTIONS.id == check_id], Seen(tables, facts, settings)).iloc[0]
