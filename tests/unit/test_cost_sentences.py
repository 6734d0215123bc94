"""What the report says of cost: no ratio without its quadrant, no form or price beyond what was estimated."""

from __future__ import annotations

import pandas as pd
import pytest

from cost_data import paradox_tables, random_tables
from cost_exhibit_data import SETTINGS, draw_people, exhibits_of, paradox_exhibits
from ratebook.contracts.released import RELEASED
from ratebook.cost.arms import compare_arms
from ratebook.cost.drawn import draw_arms
from ratebook.cost.total_cost import estimate_total_cost
from ratebook.release.cost_sentences import of_quadrant, say_decomposition, say_forms, say_perspectives, say_value
from ratebook.tables import empty_frame

people = pytest.fixture(random_tables, scope="module")
drawn = pytest.fixture(draw_people, scope="module")
made = pytest.fixture(exhibits_of, scope="module")
paradox = pytest.fixture(paradox_exhibits, scope="module")


@pytest.mark.parametrize(
    ("quadrant", "says", "never"),
    [
        pytest.param("NE", "per extra engaged month", "no price", id="more for more: a price"),
        pytest.param("SW", "saved per engaged month given up", "no price", id="less for less: a saving"),
        pytest.param("SE", "dollars per extra month are no price", "$", id="better on both: no ratio"),
        pytest.param("NW", "dollars per extra month are no price", "$", id="worse on both: no ratio"),
        pytest.param(None, "no quadrant can be named", "$", id="hidden or not estimated"),
    ],
)
def test_no_ratio_is_printed_without_its_quadrant(quadrant, says, never):
    extra = {"quadrant": quadrant, "icer_usd": 500.0, "lower": 400.0, "upper": 600.0, "reason": None}
    said = of_quadrant(extra, "all SUD cost")
    assert says in said and never not in said


def forms(*rows) -> pd.DataFrame:
    """Draw payment forms: form, formula, RSN and CSP per engaged month."""
    contract = RELEASED["payment_forms"].contract
    long = [
        {
            "form": form,
            "formula": formula,
            "per": per,
            "arm": arm,
            "estimate_usd": usd,
            "lower": usd - 1,
            "upper": usd + 1,
        }
        for form, formula, rsn, csp in rows
        for per in ("engaged_month", "client")
        for arm, usd in {"RSN": rsn, "CSP": csp, "difference": rsn - csp}.items()
    ]
    return pd.DataFrame(long).reindex(columns=list(contract.types()))


def test_a_form_without_an_amount_per_spell_is_said_to_be_unable_to_lower_the_month():
    nothing = empty_frame(RELEASED["break_even"].contract)
    table = forms(("per_day", "6.5 USD per engaged day", 197.8, 197.8), ("hybrid", "300 USD per spell", 200.0, 300.0))
    said = say_forms({"payment_forms": table, "break_even": nothing}, {})
    flat = next(text for text in said if "cannot lower" in text)
    assert "6.5 USD per engaged day" in flat and "per spell" not in flat
    assert any("300 USD per spell, the same logs cost less per engaged month" in text for text in said)


def test_where_no_rate_breaks_even_for_the_payer_the_report_says_so(drawn):
    table = compare_arms(drawn, SETTINGS)["break_even"]
    payer = table.perspective == "payer"
    none = table.assign(value=table.value.where(~payer), reason=table.reason.where(~payer, "no break-even: it is so"))
    known = forms(("per_day", "6.5 USD per engaged day", 1.0, 1.0))
    said = say_forms({"payment_forms": known, "break_even": none}, {})
    assert sum("no rate of any form breaks even for the payer" in text for text in said) == 1


def test_the_ratios_multiply(paradox, people):
    tables = {"perspectives": paradox["perspectives"], "category_sums": paradox["category_sums"]}
    more = estimate_total_cost(*paradox_tables(), SETTINGS)
    more |= compare_arms(draw_arms(*paradox_tables(), SETTINGS), SETTINGS)
    said = say_decomposition({**tables, **more}, {})
    assert any("0.56 × 3.00 = 1.67" in text for text in said)
    assert any("duration adds" in text for text in said) and any("intensity takes off" in text for text in said)
    assert any("no sampling error" in text for text in say_perspectives(tables, {}))


def test_the_plane_is_told_by_its_quadrants(drawn, made):
    more = compare_arms(drawn, SETTINGS)
    said = say_value({"plane": made["plane"], **more}, {})
    assert any("replicates" in text and " in N" in text for text in said)
