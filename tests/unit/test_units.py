"""Units far from what a code is billed with are flagged, where the price of a unit is the usual one."""

import pytest

from ratebook.clean.units import find_prices, with_unit_scale
from ratebook.contracts.intake import MedicalClaims

USUAL = [4, 4, 5, 5, 6, 6, 7, 7]


@pytest.fixture
def flags(table, run):
    """Flag lines of a timed code, all at ten dollars a unit, with so many units each."""

    def flag(units: list[int], dollars_a_unit: float = 10):
        rows = [f"{n} | 1 | H2015 | {unit} | {unit * dollars_a_unit}" for n, unit in enumerate(units)]
        text = "\n".join(["claim_id | billing_npi | hcpcs_code | service_unit_quantity | paid_amount", *rows])
        lines = table(text, MedicalClaims)
        lines = lines.mutate(raw_usd=lines.paid_amount)
        found = with_unit_scale(lines, find_prices(lines, ["H2015"]))
        return {row["claim_id"]: (row["is_unit_outlier"], row["unit_scale"]) for row in run(found)}

    return flag


@pytest.mark.parametrize(
    ("units", "is_far"),
    [
        # Median of ln(4, 4, 5, 5, 6, 6, 7, 7, u) is ln 6 for a large u; the median distance from it is ln(7/6)
        # or ln(6/5); four robust standard deviations end at 6 * (6/5)^(4 * 1.4826) = 17.7 units.
        pytest.param(17, False, id="17 units, below the limit"),
        pytest.param(18, True, id="18 units, beyond it"),
        pytest.param(100, True, id="a hundred units"),
    ],
)
def test_units_far_out_are_flagged_and_not_rescaled(flags, units, is_far):
    found = flags([*USUAL, units])
    assert found[str(len(USUAL))] == (is_far, None)
    assert not any(far for far, _ in list(found.values())[:-1])


def test_a_code_always_billed_with_one_number_of_units_has_no_range_to_leave(flags):
    assert not any(far for far, _ in flags([4, 4, 4, 4, 4, 4, 4, 40]).values())
