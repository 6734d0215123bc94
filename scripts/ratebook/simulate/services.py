"""Services that come at random: visits, emergency care, hospital stays, drugs."""

from __future__ import annotations

import numpy as np

from ratebook.simulate import world
from ratebook.simulate.block import NO_WORD, Block, append, block, expand
from ratebook.simulate.people import People
from ratebook.simulate.setup import Setup, arrivals, cents, choose, noise
from ratebook.simulate.world import CATEGORIES, PROVIDERS, word, words

SUD_OF = [world.DIAGNOSES[drug][0] for drug in world.SUD_CLASSES]


def diagnoses_of(rng, pool: str, drug: np.ndarray) -> np.ndarray:
    """Draw principal diagnoses: from a pool, or the person's own drug for the pool `sud`."""
    if pool == "sud":
        return words(SUD_OF)[drug]
    return words(world.DIAGNOSES[pool])[rng.integers(0, len(world.DIAGNOSES[pool]), len(drug))]


def bill_visits(rng, setup: Setup, drug, person, start, end, service: world.Service) -> Block:
    """Bill one kind of service over spans of persons, one line a claim."""
    span, days = arrivals(rng, setup, start, end, service.per_year)
    who, n = person[span], len(span)
    units = np.array(service.units)[rng.integers(0, len(service.units), n)]
    last = np.minimum(days + service.span_days - 1, setup.end)
    if service.span_days > 1:
        units = np.minimum(units, last - days + 1)
    paid = cents(service.price_usd * units * setup.price(days) * noise(rng, service.spread, n))
    # A person keeps to a few providers.
    pool = words(PROVIDERS[service.provider])
    billing = pool[(who * 7 + rng.integers(0, 2, n)) % len(pool)]
    doctors = words(PROVIDERS["physician"])
    return block(
        n,
        claim=np.arange(n),
        person=who,
        claim_type=word("professional"),
        claim_start=days,
        claim_end=last,
        line_start=days,
        line_end=last,
        place=word(service.place),
        hcpcs=words(service.hcpcs)[rng.integers(0, len(service.hcpcs), n)],
        units=units * 10000,
        dx1=diagnoses_of(rng, service.diagnosis, drug[who]),
        billing=billing,
        rendering=doctors[(who * 3 + rng.integers(0, 3, n)) % len(doctors)],
        allowed=paid,
        paid=paid,
        category=CATEGORIES.index(service.category),
    )


def bill_behavioural(rng, setup: Setup, people: People, engaged: tuple[np.ndarray, ...]) -> list[Block]:
    """Bill every service of the carve-out: to all, to users, and to clients while a navigator serves them.

    `engaged` is person, first day and last day of engagements: these clients use more treatment, which is how
    longer engagement comes to cost more.
    """
    person, start, end = (values.ravel() for values in _spans(setup, people))
    kind, opioid = people.kind[person], people.drug[person] == 0
    client, first, last = engaged
    own = people.drug[client] == 0
    spans = {
        "all": (person, start, end),
        "user": tuple(v[kind > 0] for v in (person, start, end)),
        "opioid_user": tuple(v[(kind > 0) & opioid] for v in (person, start, end)),
        "engaged": engaged,
        "opioid_engaged": tuple(v[own] for v in (client, first, last)),
    }
    return [bill_visits(rng, setup, people.drug, *spans[s.who], s) for s in world.BEHAVIOURAL_SERVICES]


def _spans(setup: Setup, people: People):
    person = np.broadcast_to(np.arange(len(people))[:, None], people.span_start.shape)
    return person, np.maximum(people.span_start, setup.start), np.minimum(people.span_end, setup.end)


def coverage(setup: Setup, people: People) -> tuple[np.ndarray, ...]:
    """Give person, first and last day of every span of coverage within the window."""
    person, start, end = (values.ravel() for values in _spans(setup, people))
    real = end >= start
    return person[real], start[real], end[real]


def bill_emergency(rng, setup: Setup, drug, person, start, end, per_year, sud_share) -> Block:
    """Bill emergency visits: a hospital claim of three lines and, for two in three, the doctor's own claim."""
    span, days = arrivals(rng, setup, start, end, per_year)
    who, n = person[span], len(span)
    sud = rng.random(n) < np.asarray(sud_share)[span]
    dx = np.where(sud, words(SUD_OF)[drug[who]], diagnoses_of(rng, "medical", drug[who]))
    level = choose(rng, (0.05, 0.15, 0.40, 0.30, 0.10), n)
    dollars = world.ACUTE_USD["ed"] * (0.6 + 0.25 * level) * setup.price(days) * noise(rng, 0.45, n)
    hospital = words(PROVIDERS["hospital"])[rng.integers(0, len(PROVIDERS["hospital"]), n)]
    category = np.where(sud, CATEGORIES.index("ED_SUD"), CATEGORIES.index("ED_OTHER"))
    visit, line = expand(np.full(n, 3))
    paid = cents(dollars[visit] * np.array([0.62, 0.23, 0.15])[line])
    outpatient = block(
        len(visit),
        claim=visit,
        line=line + 1,
        person=who[visit],
        claim_type=word("institutional"),
        claim_start=days[visit],
        claim_end=days[visit],
        line_start=days[visit],
        line_end=days[visit],
        bill=word("131"),
        revenue=words(["0450", "0300", "0250"])[line],
        hcpcs=np.where(line == 0, words([f"9928{k}" for k in range(1, 6)])[level][visit], NO_WORD),
        units=10000,
        dx1=dx[visit],
        billing=hospital[visit],
        rendering=hospital[visit],
        facility=hospital[visit],
        allowed=paid,
        paid=paid,
        category=category[visit],
    )
    own = np.flatnonzero(rng.random(n) < 0.66)
    fee = cents(dollars[own] * 0.28)
    doctor = block(
        len(own),
        claim=n + np.arange(len(own)),
        person=who[own],
        claim_type=word("professional"),
        claim_start=days[own],
        claim_end=days[own],
        line_start=days[own],
        line_end=days[own],
        place=word("23"),
        hcpcs=words([f"9928{k}" for k in range(1, 6)])[level][own],
        units=10000,
        dx1=dx[own],
        billing=words(PROVIDERS["physician"])[who[own] % len(PROVIDERS["physician"])],
        rendering=words(PROVIDERS["physician"])[who[own] % len(PROVIDERS["physician"])],
        allowed=fee,
        paid=fee,
        category=category[own],
    )
    return append([outpatient, doctor])


def bill_inpatient(rng, setup: Setup, drug, person, start, end, per_year, sud_share, price_usd: float) -> Block:
    """Bill hospital stays: one claim, a line for each revenue centre, a heavy right tail of cost."""
    span, admit = arrivals(rng, setup, start, end, per_year)
    nights = 1 + rng.geometric(0.24, len(span))
    fits = admit + nights <= np.minimum(np.asarray(end)[span], setup.end)
    span, admit, nights = span[fits], admit[fits], nights[fits]
    who, n = person[span], len(span)
    sud = rng.random(n) < np.asarray(sud_share)[span]
    severe = np.where(rng.random(n) < 0.02, 1 + rng.pareto(1.8, n) * 2, 1.0)
    dollars = price_usd * np.sqrt(nights / 4.2) * np.minimum(severe, 25) * noise(rng, 0.55, n)
    dollars = dollars * setup.price(admit)
    hospital = words(PROVIDERS["hospital"])[rng.integers(0, len(PROVIDERS["hospital"]), n)]
    principal = diagnoses_of(rng, "medical", drug[who])
    second = np.where(sud, words(SUD_OF)[drug[who]], NO_WORD)
    drg = words(world.MEDICAL_DRGS)[rng.integers(0, len(world.MEDICAL_DRGS), n)]
    stay, line = expand(rng.integers(3, len(world.HOSPITAL_LINES) + 1, n))
    shares = np.array([share for _, share in world.HOSPITAL_LINES])
    whole = np.bincount(stay, shares[line], minlength=n)
    paid = cents(dollars[stay] * shares[line] / whole[stay])
    status = words(["01", "03", "06"])[choose(rng, (0.8, 0.08, 0.12), n)]
    return block(
        len(stay),
        claim=stay,
        line=line + 1,
        person=who[stay],
        claim_type=word("institutional"),
        claim_start=admit[stay],
        claim_end=(admit + nights)[stay],
        line_start=admit[stay],
        line_end=(admit + nights)[stay],
        admission=admit[stay],
        discharge=(admit + nights)[stay],
        status=status[stay],
        bill=word("111"),
        drg=drg[stay],
        revenue=words([code for code, _ in world.HOSPITAL_LINES])[line],
        units=np.where(line == 0, nights[stay], 1) * 10000,
        dx1=principal[stay],
        dx2=second[stay],
        billing=hospital[stay],
        rendering=hospital[stay],
        facility=hospital[stay],
        allowed=paid,
        paid=paid,
        category=np.where(sud, CATEGORIES.index("IP_SUD_MEDICAL"), CATEGORIES.index("IP_MEDICAL"))[stay],
    )


def dispense(rng, setup: Setup, person, start, end, per_year, drug: str, price_usd: float) -> dict[str, np.ndarray]:
    """Dispense drugs at random over spans of persons: one row a dispensing."""
    span, days = arrivals(rng, setup, start, end, per_year)
    who, n = person[span], len(span)
    codes = words(world.DRUGS["moud" if drug == "moud" else "other"])
    supply = np.array([7, 14, 30, 30])[rng.integers(0, 4, n)] if drug == "moud" else np.full(n, 30)
    dollars = price_usd * (supply / 30 if drug == "moud" else 1) * setup.price(days) * noise(rng, 0.5, n)
    return {
        "person": who,
        "day": days,
        "ndc": codes[rng.integers(0, len(codes), n)],
        "supply": supply,
        "quantity": supply * rng.integers(1, 3, n) * 10000,
        "paid": cents(dollars),
        "pharmacy": words(PROVIDERS["pharmacy"])[who % len(PROVIDERS["pharmacy"])],
        "prescriber": words(PROVIDERS["physician"])[who % len(PROVIDERS["physician"])],
        "category": np.full(n, CATEGORIES.index("MOUD_DRUG" if drug == "moud" else "PHARMACY_OTHER")),
    }
