"""Development factors, Mack's errors and the blend with expected cost, against published and independent numbers."""

from __future__ import annotations

import numpy as np
import pytest

from ratebook.rates.completion import bornhuetter_ferguson, develop, mack_error

RAA = [
    [5012, 8269, 10907, 11805, 13539, 16181, 18009, 18608, 18662, 18834],
    [106, 4285, 5396, 10666, 13782, 15599, 15496, 16169, 16704],
    [3410, 8992, 13873, 16141, 18735, 22214, 22863, 23466],
    [5655, 11555, 15766, 21266, 23425, 26083, 27067],
    [1092, 9565, 15836, 22169, 25955, 26180],
    [1513, 6445, 11702, 12935, 15852],
    [557, 4020, 10946, 12314],
    [1351, 6947, 13112],
    [3133, 5395],
    [2063],
]
TOY = [
    [600, 250, 80, 40, 20, 10],
    [620, 240, 90, 45, 15],
    [580, 260, 85, 35],
    [640, 270, 95],
    [610, 255],
    [650],
]
"""Made up for the test: payments by month of service and lag."""


def square(rows: list[list[float]]) -> np.ndarray:
    grid = np.full((len(rows), max(map(len, rows))), np.nan)
    for number, row in enumerate(rows):
        grid[number, : len(row)] = row
    return grid


def latest(cumulative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lag = (~np.isnan(cumulative)).sum(axis=1) - 1
    return cumulative[np.arange(len(lag)), lag], lag


class TestRaa:
    """GT-18: the Reinsurance Association of America's triangle (Mack 1993).

    The R package ChainLadder's unit test prints the total standard error 26880.74 (log-linear); the links, ultimates
    and IBNR are those of its `MackChainLadder(RAA)` and of the Python package chainladder 0.10.1.
    """

    def test_links_are_volume_weighted(self):
        expected = [2.999359, 1.623523, 1.270888, 1.171675, 1.113385, 1.041935, 1.033264, 1.016936, 1.009217]
        assert develop(square(RAA), 99, "mack").link == pytest.approx(expected, abs=5e-7)

    def test_ultimates_and_ibnr(self):
        paid, lag = latest(square(RAA))
        ultimate = paid * develop(square(RAA), 99, "mack").to_ultimate[lag]
        expected = [
            18834, 16857.95, 24083.37, 28703.14, 28926.74, 19501.10, 17749.30, 24019.19, 16044.98, 18402.44,
        ]  # fmt: skip
        assert ultimate == pytest.approx(expected, abs=0.005)
        assert (ultimate - paid).sum() == pytest.approx(52135.2283, abs=5e-5)

    @pytest.mark.parametrize(("rule", "total"), [("mack", 26909.0112), ("log_linear", 26880.7403)])
    def test_the_total_error_by_either_rule_for_the_last_variance(self, rule, total):
        paid, lag = latest(square(RAA))
        _, found = mack_error(develop(square(RAA), 99, rule), paid, lag)
        assert found == pytest.approx(total, abs=5e-5)

    @pytest.mark.parametrize("diagonals", [3, 5, 99])
    def test_the_library_of_reserving_gives_the_same_links_and_errors(self, diagonals):
        chainladder = pytest.importorskip("chainladder")
        triangle = chainladder.load_sample("raa")
        periods = -1 if diagonals == 99 else diagonals
        fitted = chainladder.Development(n_periods=periods, sigma_interpolation="mack").fit(triangle)
        assert develop(square(RAA), diagonals, "mack").link == pytest.approx(fitted.ldf_.values.ravel())
        mack = chainladder.MackChainladder().fit(fitted.transform(triangle))
        paid, lag = latest(square(RAA))
        own, total = mack_error(develop(square(RAA), diagonals, "mack"), paid, lag)
        if diagonals == 99:
            assert total == pytest.approx(float(mack.total_mack_std_err_.values.ravel()[0]))
            assert own[1:] == pytest.approx(mack.mack_std_err_.values[0, 0, 1:, -1])

    @pytest.mark.filterwarnings("ignore:Some exclusions")
    @pytest.mark.parametrize("diagonals", [4, 99])
    @pytest.mark.parametrize("average", ["simple", "middle"])
    def test_the_library_averages_links_alike(self, average, diagonals):
        chainladder = pytest.importorskip("chainladder")
        periods = -1 if diagonals == 99 else diagonals
        outer = {"drop_high": True, "drop_low": True, "preserve": 1} if average == "middle" else {}
        fitted = chainladder.Development(average="simple", n_periods=periods, **outer)
        links = fitted.fit(chainladder.load_sample("raa")).ldf_.values.ravel()
        own = develop(square(RAA), diagonals, "mack", average).link
        # Of two links the library leaves one out; ours keeps both: neither is a middle.
        known = slice(0, -2) if average == "middle" else slice(None)
        assert own[known] == pytest.approx(links[known])


class TestMonthlyToy:
    """GT-20: six months of payments, computed independently of this project."""

    def test_links_and_completion_factors(self):
        found = develop(square(TOY).cumsum(axis=1), 99, "mack")
        assert found.link == pytest.approx([1.418033, 1.101156, 1.042781, 1.017812, 1.010101], abs=5e-7)
        expected = [0.597365, 0.847083, 0.932770, 0.972675, 0.99, 1]
        assert 1 / found.to_ultimate == pytest.approx(expected, abs=5e-7)

    def test_ultimates_of_the_chain_ladder(self):
        paid, lag = latest(square(TOY).cumsum(axis=1))
        ultimate = paid * develop(square(TOY).cumsum(axis=1), 99, "mack").to_ultimate[lag]
        expected = [1000, 1020.2020, 986.9689, 1077.4356, 1021.1516, 1088.1124]
        assert ultimate == pytest.approx(expected, abs=5e-5)
        assert (ultimate - paid).sum() == pytest.approx(703.8706, abs=5e-5)

    def test_ultimates_with_expected_cost(self):
        paid, lag = latest(square(TOY).cumsum(axis=1))
        factor = 1 / develop(square(TOY).cumsum(axis=1), 99, "mack").to_ultimate[lag]
        expected = [1000, 1020.2000, 987.8715, 1073.5742, 1020.9755, 1060.6879]
        assert bornhuetter_ferguson(paid, factor, 1020.0) == pytest.approx(expected, abs=5e-5)
