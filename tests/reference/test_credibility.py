"""Credibility, against the data and formulas of the R package actuar."""

from __future__ import annotations

import numpy as np
import pytest

from ratebook.rates.credibility import buhlmann_straub, full_standard, limited_fluctuation

RATIOS = np.array(
    [
        [1738, 1642, 1794, 2051, 2079, 2234, 2032, 2035, 2115, 2262, 2267, 2517],
        [1364, 1408, 1597, 1444, 1342, 1675, 1470, 1448, 1464, 1831, 1612, 1471],
        [1759, 1685, 1479, 1763, 1674, 2103, 1502, 1622, 1828, 2155, 2233, 2059],
        [1223, 1146, 1010, 1257, 1426, 1532, 1953, 1123, 1343, 1243, 1762, 1306],
        [1456, 1499, 1609, 1741, 1482, 1572, 1606, 1735, 1607, 1573, 1613, 1690],
    ],
    dtype=float,
)
WEIGHTS = np.array(
    [
        [7861, 9251, 8706, 8575, 7917, 8263, 9456, 8003, 7365, 7832, 7849, 9077],
        [1622, 1742, 1523, 1515, 1622, 1602, 1964, 1515, 1527, 1748, 1654, 1861],
        [1147, 1357, 1329, 1204, 998, 1077, 1277, 1218, 896, 1003, 1108, 1121],
        [407, 396, 348, 341, 315, 328, 352, 331, 287, 384, 321, 342],
        [2902, 3172, 3046, 3068, 2693, 2910, 3275, 2697, 2663, 3017, 3242, 3425],
    ],
    dtype=float,
)
"""Hachemeister's bodily-injury claims: mean claim and number of claims, five states, twelve quarters (actuar)."""


def test_unweighted_buhlmann_on_hachemeister():
    """GT-21: every quarter weighs the same."""
    found = buhlmann_straub(RATIOS, np.ones_like(RATIOS))
    assert found.collective_mean == pytest.approx(1671.016667, abs=5e-7)
    assert found.within_variance == pytest.approx(46040.47121, abs=5e-6)
    assert found.between_variance == pytest.approx(72310.02462, abs=5e-6)
    assert found.credibility == pytest.approx(np.full(5, 0.9496143), abs=5e-8)
    assert found.premium == pytest.approx([2044.0410, 1518.5877, 1814.2343, 1375.9873, 1602.2329], abs=5e-5)


def test_buhlmann_straub_on_hachemeister():
    """GT-21: quarters weigh by their claims."""
    found = buhlmann_straub(RATIOS, WEIGHTS)
    assert found.within_variance == pytest.approx(139120025.9, abs=0.05)
    assert found.between_variance == pytest.approx(89638.7262, abs=5e-5)
    assert found.credibility == pytest.approx([0.9847404, 0.9276352, 0.8984754, 0.7279092, 0.9587911], abs=5e-8)
    assert found.collective_mean == pytest.approx(1683.7134, abs=5e-5)
    assert found.premium == pytest.approx([2055.1654, 1523.7063, 1793.4436, 1442.9665, 1603.2854], abs=5e-5)


def test_the_classical_standard_of_full_credibility():
    """methods.md E6: 1,082.41 claims of equal size, ten times that where their spread is three times the mean."""
    assert full_standard(1.645, 0.05) == pytest.approx(1082.41, abs=5e-3)
    assert full_standard(1.645, 0.05) * (1 + 3**2) == pytest.approx(10824.1, abs=0.05)
    assert limited_fluctuation(24000, 36000) == pytest.approx(0.816497, abs=5e-7)
