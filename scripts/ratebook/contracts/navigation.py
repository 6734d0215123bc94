"""How navigators' time is spent, worker by worker and in sum, and what it would earn under either payment."""

from __future__ import annotations

from ratebook.contracts.base import Contract, Field
from ratebook.contracts.engagement import CONTRAST
from ratebook.contracts.episodes import ARMS


class WorkerTotals(Contract):
    """One row per program, organisation and worker: time logged, and what it would earn; clients counted once.

    A client, and a client's month and day with a contact, is counted with the worker of its first entry, so that
    the workers of a program add up to the program.
    """

    program: str = Field("RSN or CSP.", isin=ARMS)
    provider_id: str = Field("Organisation.")
    worker_id: str = Field("Worker; 'unknown' for entries that name none.")
    minutes: int = Field("Minutes.", ge=0)
    billable_minutes: int = Field("Minutes of entries with a billable unit.", ge=0)
    contact_minutes: int = Field("Minutes of contacts with the client: face, phone, text, video.", ge=0)
    collateral_minutes: int = Field("Minutes of contacts with others on the client's behalf.", ge=0)
    outreach_minutes: int = Field("Minutes of attempts that reached nobody.", ge=0)
    coaching_minutes: int = Field("Minutes of coaching received.", ge=0)
    training_minutes: int = Field("Minutes of training.", ge=0)
    admin_minutes: int = Field("Minutes of office work.", ge=0)
    contacts: int = Field("Contacts that reached the client.", ge=0)
    worker_months: int = Field("Calendar months with an entry.", ge=0)
    served_months: int = Field("Clients × calendar months with an entry of this worker.", ge=0)
    clients: int = Field("Clients whose first entry is this worker's.", ge=0, persons=True)
    client_months: int = Field("Clients × calendar months with a contact, the month's first this worker's.", ge=0)
    unit_form_earned_usd: float = Field("Billable units × price per unit; null without a price.", nullable=True, ge=0)
    case_form_earned_usd: float = Field("Clients and their months × the case rate; null without.", nullable=True, ge=0)

    class Config(Contract.Config):
        unique = ("program", "provider_id", "worker_id")


class ServiceSummary(Contract):
    """One row per measure of navigators' work, and program or contrast: with limits that resample workers."""

    measure: str = Field(
        "contact_share, collateral_share, outreach_share, coaching_share, training_share, admin_share, "
        "nonbillable_share: of minutes. minutes_per_client_month; contacts_per_worker_month; clients_per_worker_month; "
        "unit_form_usd, case_form_usd: earned per worker-month; case_to_unit_ratio. _difference: RSN less CSP."
    )
    arm: str = Field("RSN, CSP or 'RSN vs CSP'.", isin=(*ARMS, CONTRAST))
    estimate: float = Field(
        "A share, minutes, contacts, clients, dollars or a ratio, as the measure says.", nullable=True
    )
    std_error: float = Field("Standard error, workers resampled.", nullable=True, ge=0)
    lower: float = Field(
        "Lower 95% limit: of another draw of like workers, organisations and prices as given.", nullable=True
    )
    upper: float = Field("Upper 95% limit.", nullable=True)
    persons: int = Field("Clients with an entry; of the smaller program for a contrast.", ge=0, persons=True)
    workers: int = Field("Workers resampled.", ge=0)
    reason: str = Field("Why the estimate or its limits are missing; null where both stand.", nullable=True)

    class Config(Contract.Config):
        unique = ("measure", "arm")
        hides = ("estimate", "std_error", "lower", "upper")
