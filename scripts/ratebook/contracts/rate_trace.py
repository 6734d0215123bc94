"""The way back from a rate to the dollars, lines and member months it was made of."""

from __future__ import annotations

from ratebook.contracts.base import Contract, Field

OPERATIONS = ("start", "divide", "multiply", "add", "round")


class RateTrace(Contract):
    """One row per rate cell, part of its rate and step: from dollars to the rate, one operation a row.

    Each part (a category, the manual rate, care management) starts from dollars and is divided or multiplied from
    there; the part `rate` adds up where the others end, and rounds.
    """

    cell: str = Field("Rate cell.")
    category: str = Field("Part of the rate: a service category, manual_rate, care_management, or rate: their sum.")
    step: int = Field("Order of a part's steps.", ge=1)
    factor: str = Field("What the step takes.")
    operation: str = Field("start, divide, multiply, add or round.", isin=OPERATIONS)
    members: int = Field("Persons with a counted base month.", persons=True)
    claim_lines: int = Field(
        "Final-action lines behind a category's first dollars; few lines are at most as many people.",
        nullable=True,
        persons=True,
    )
    value: float = Field("Number the step takes.", nullable=True)
    running_usd: float = Field(
        "Result so far: a category's dollars in its first step, dollars per member month in all others.", nullable=True
    )
    source_table: str = Field("Table that holds the number.")
    source_column: str = Field("Its column there, or its key among the assumptions.")
    reason: str = Field("Why no step has an interval here, and where its error is counted.")

    class Config(Contract.Config):
        unique = ("cell", "category", "step")
        hides = ("value", "running_usd")
