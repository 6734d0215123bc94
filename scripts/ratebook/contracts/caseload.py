"""What case rates rest on: what clients were delivered month by month, and how navigators' time was filled."""

from __future__ import annotations

from ratebook.contracts.base import Contract, Field, Quantity, Usd
from ratebook.contracts.episodes import ARMS


class EngagedMonths(Contract):
    """One row per client and month since the first contact, while engaged at its start: what was delivered in it."""

    person_id: str = Field("Person key.")
    arm: str = Field("RSN or CSP.", isin=ARMS)
    engaged_month: int = Field("1 for the first 30.4375 days since the first contact, then 2, 3, …", ge=1)
    is_event: bool = Field("Engagement was seen to end in this month.")
    is_last: bool = Field("Last month engaged, its end seen or not.")
    minutes: int = Field("Minutes of logged work for the client.", ge=0)
    units: Quantity = Field("15-minute units the unit form may bill.", ge=0)
    paid_usd: Usd = Field("Paid to the program on claims of the month.")

    class Config(Contract.Config):
        unique = ("person_id", "arm", "engaged_month")


class Staffing(Contract):
    """One row per program: what navigators' logs show of caseload and time, beside the assumptions of the build-up."""

    program: str = Field("RSN or CSP.", isin=ARMS)
    workers: int = Field("Workers in the log.", persons=True)
    worker_months: int = Field("Months in which a worker logged anything.")
    clients_per_worker: float = Field("Clients reached per worker and month.", nullable=True)
    minutes_per_worker_month: float = Field("Minutes logged per worker and month.", nullable=True)
    client_time_share: float = Field("Share of logged minutes in which a client was reached.", nullable=True)

    class Config(Contract.Config):
        unique = ("program",)
