"""Does a model of cost fit: which family, is the logarithm the right scale, and do predictions hold in every tenth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from ratebook.cost.glm import GAMMA, LINE, LOG_LINK, Family, fit, robust_covariance

DEFAULT_FAMILY = 2
TENTHS = 10
CLOSE = 0.05
"""A p value below it speaks against the model."""
POWERS = np.linspace(-2, 2, 161)
NORMAL_KURTOSIS = 3.0
LOG_POWER, NEAREST = 0.0, (-1.0, -0.5, 0.0, 0.5, 1.0)


class Check(NamedTuple):
    """One number about a model: its limits or p value, and what it says."""

    check: str
    value: float
    finding: str
    lower: float = np.nan
    upper: float = np.nan
    p_value: float = np.nan
    status: str = "info"
    reason: str | None = None


class Data(NamedTuple):
    """Rows of a model (n, p), dollars, weights and clusters of the members it is fitted to."""

    rows: np.ndarray
    outcome: np.ndarray
    weight: np.ndarray
    cluster: np.ndarray

    def among(self, chosen: np.ndarray) -> Data:
        """Give the chosen members' data."""
        return Data(*(values[chosen] for values in self))

    @property
    def quantile(self) -> float:
        """97.5% quantile of Student's t with two degrees fewer than there are clusters: one an arm."""
        return float(stats.t.ppf(0.975, self.freedom))

    @property
    def freedom(self) -> int:
        """Clusters, less one an arm."""
        return max(len(np.unique(self.cluster)) - 2, 1)

    def p_value(self, t: float) -> float:
        """Chance of a t so far from 0."""
        return float(2 * stats.t.sf(abs(t), self.freedom))


def choose_family(data: Data) -> tuple[Family, Check]:
    """Say by the modified Park test to which power of the mean the variance is proportional.

    A gamma regression gives means; a second one regresses the squared residuals on their logarithm. Its slope is
    the power: 0 Gaussian, 1 Poisson, 2 gamma, 3 inverse Gaussian. The nearest is taken, and whether it lies within
    the slope's limits is said. Where the means do not vary nothing can be told, and gamma stands.

    References
    ----------
    methods.md, D5. Manning and Mullahy 2001.
    """
    beta, is_settled = fit(data.rows, data.outcome, data.weight, GAMMA)
    log_mean = data.rows @ beta
    squared = (data.outcome - np.exp(log_mean)) ** 2
    default = LOG_LINK[DEFAULT_FAMILY]
    untold = Check("park", np.nan, f"{default.name}, as nothing was told", reason="the predicted means do not vary")
    if not is_settled or log_mean.std() < 1e-8 or not squared.max() > 1e-12 * data.outcome.max() ** 2:
        return default, untold
    # Centred and in units of their mean, the squares tell the same slope and lose no digits.
    line = np.column_stack([np.ones(len(log_mean)), log_mean - np.average(log_mean, weights=data.weight)])
    squared = squared / np.average(squared, weights=data.weight)
    slope, is_settled = fit(line, squared, data.weight, GAMMA)
    if not is_settled:
        return default, untold._replace(reason="the regression of the squared residuals has no end")
    error = np.sqrt(robust_covariance(line, squared, data.weight, slope, GAMMA, data.cluster)[1, 1])
    lower, upper = slope[1] - data.quantile * error, slope[1] + data.quantile * error
    power = int(np.clip(np.rint(slope[1]), 0, len(LOG_LINK) - 1))
    is_within = lower <= power <= upper
    words = f"{LOG_LINK[power].name}, the nearest family, {'within' if is_within else 'outside'} the limits"
    return LOG_LINK[power], Check("park", slope[1], words, lower, upper, status="pass" if is_within else "warn")


def log_residuals(data: Data) -> list[Check]:
    """Give the kurtosis of the residuals on the log scale, and whether their spread goes with the prediction.

    Kurtosis above 3 with a constant spread is where a regression of the logarithm with smearing is more precise
    than a gamma regression; a spread that varies is where smearing by arm is biased.

    References
    ----------
    methods.md, D5. Manning and Mullahy 2001.
    """
    line, values = data.rows, np.log(data.outcome)
    beta, _ = fit(line, values, data.weight, LINE)
    residual = values - line @ beta
    variance = np.average(residual**2, weights=data.weight)
    if variance < 1e-16:
        nothing = "the logarithms do not vary about their mean"
        return [Check(name, np.nan, "not told", reason=nothing) for name in ("log_kurtosis", "log_spread")]
    kurtosis = float(np.average(residual**4, weights=data.weight) / variance**2)
    fitted = line @ beta
    spread = Check("log_spread", np.nan, "not told", reason="the predicted logarithms do not vary")
    if fitted.std() > 1e-8:
        columns = np.column_stack([np.ones(len(fitted)), fitted - np.average(fitted, weights=data.weight)])
        slope, _ = fit(columns, residual**2 / variance, data.weight, LINE)
        error = np.sqrt(
            robust_covariance(columns, residual**2 / variance, data.weight, slope, LINE, data.cluster)[1, 1]
        )
        p_value = data.p_value(slope[1] / error)
        words = "varies with the prediction" if p_value < CLOSE else "not seen to vary with the prediction"
        reach = data.quantile * error
        spread = Check(
            "log_spread", slope[1], f"spread of log residuals {words}", slope[1] - reach, slope[1] + reach, p_value
        )
    is_better = kurtosis > NORMAL_KURTOSIS and not spread.p_value < CLOSE
    words = "a regression of the logarithm with smearing" if is_better else "a regression of dollars"
    return [Check("log_kurtosis", kurtosis, f"{words} is the more precise one"), spread]


def box_cox(data: Data) -> Check:
    """Find the power of cost that is most nearly normal about its regression: 0 speaks for the logarithm.

    By maximum likelihood over powers from -2 to 2, with limits where the likelihood falls by 1.92; they take
    members as independent. It is passed if of -1, -½, 0, ½ and 1 the logarithm is the nearest.

    References
    ----------
    methods.md, D5. Box and Cox 1964.
    """
    share = data.weight / data.weight.mean()
    centre = np.average(np.log(data.outcome), weights=data.weight)
    log_y = np.log(data.outcome) - centre
    root = np.sqrt(share)[:, None]
    # Orthogonal columns: the residual of every power at once.
    basis = np.linalg.svd(data.rows * root, full_matrices=False)
    basis = basis[0][:, basis[1] > 1e-10 * basis[1][0]]
    powers = POWERS[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.where(powers == 0, log_y, np.expm1(powers * log_y) / powers) * root.T
    residual = (y**2).sum(axis=1) - ((y @ basis) ** 2).sum(axis=1)
    if not (residual > 1e-12).all():
        return Check("box_cox", np.nan, "not told", reason="the logarithms do not vary about their mean")
    likelihood = -share.sum() / 2 * np.log(residual)
    best = int(likelihood.argmax())
    inside = POWERS[likelihood >= likelihood[best] - stats.chi2.ppf(0.95, 1) / 2]
    nearest = min(NEAREST, key=lambda power: abs(power - POWERS[best]))
    words = f"of -1, -½, 0, ½, 1 the power {nearest:g} is nearest; 0 is the logarithm"
    status = "pass" if nearest == LOG_POWER else "warn"
    return Check("box_cox", POWERS[best], words, inside[0], inside[-1], status=status)


def pregibon(data: Data, family: Family) -> Check:
    """Add the square of the linear predictor to the model: where it matters the link is wrong.

    References
    ----------
    methods.md, D5. Pregibon 1980.
    """
    beta, _ = fit(data.rows, data.outcome, data.weight, family)
    line = data.rows @ beta
    spread = line.std()
    if len(np.unique(line.round(10))) < 3:
        return Check("pregibon", np.nan, "not told", reason="fewer than three different predictions")
    scaled = (line - line.mean()) / spread
    columns = np.column_stack([np.ones(len(line)), scaled, scaled**2])
    curve, is_settled = fit(columns, data.outcome, data.weight, family)
    if not is_settled:
        return Check("pregibon", np.nan, "not told", reason="the regression with the square has no end")
    error = np.sqrt(robust_covariance(columns, data.outcome, data.weight, curve, family, data.cluster)[2, 2])
    p_value = data.p_value(curve[2] / error)
    words = "the square of the linear predictor matters" if p_value < CLOSE else "the square adds nothing"
    reach = data.quantile * error
    status = "warn" if p_value < CLOSE else "pass"
    return Check("pregibon", curve[2], words, curve[2] - reach, curve[2] + reach, p_value, status)


def tenths(predicted: np.ndarray) -> np.ndarray:
    """Number the tenths of members by what is predicted for them, 1 to 10; fewer where predictions are alike."""
    edges = np.unique(np.quantile(predicted, np.arange(1, TENTHS) / TENTHS))
    return np.unique(np.searchsorted(edges, predicted, side="left"), return_inverse=True)[1] + 1


def hosmer_lemeshow(outcome: np.ndarray, predicted: np.ndarray, weight: np.ndarray) -> tuple[Check, list[dict]]:
    """Test whether mean residuals are nil in every tenth of the predictions at once (F).

    Returns
    -------
    tuple
        The check, and a row for each tenth: predicted and residual mean with limits, members.

    References
    ----------
    methods.md, D5 (modified Hosmer-Lemeshow).
    """
    tenth = tenths(predicted)
    rows = []
    for number in range(1, tenth.max() + 1):
        mine = tenth == number
        w = weight[mine] / weight[mine].sum()
        residual = outcome[mine] - predicted[mine]
        mean = float(w @ residual)
        persons = int(mine.sum())
        spread = np.sqrt((w**2 @ (residual - mean) ** 2) * persons / max(persons - 1, 1))
        error = float(spread) if persons > 1 and spread > 0 else np.nan
        reach = stats.t.ppf(0.975, max(persons - 1, 1)) * error
        rows.append(
            {
                "tenth": number,
                "predicted_usd": float(w @ predicted[mine]),
                "residual_usd": mean,
                "std_error": error,
                "lower": mean - reach,
                "upper": mean + reach,
                "persons": persons,
                "reason": None if np.isfinite(error) else "a tenth without spread of its residuals: no limits",
            }
        )
    t = np.array([row["residual_usd"] / row["std_error"] for row in rows])
    freedom = len(outcome) - len(rows)
    if not np.isfinite(t).all() or freedom < 1:
        return Check("hosmer_lemeshow", np.nan, "not told", reason="a tenth without spread of its residuals"), rows
    value = float((t**2).mean())
    p_value = float(stats.f.sf(value, len(rows), freedom))
    words = f"mean residuals of the {len(rows)} tenths {'differ from nil' if p_value < CLOSE else 'may all be nil'}"
    status = "warn" if p_value < CLOSE else "pass"
    return Check("hosmer_lemeshow", value, words, p_value=p_value, status=status), rows


def copas(outcome: np.ndarray, predicted: np.ndarray, data: Data) -> Check:
    """Regress cost on what the other half of the members predicts: a slope below 1 is a model that fits noise.

    Parameters
    ----------
    outcome, predicted : array (n,)
        Each member's prediction is from the model of the half they are not in.

    References
    ----------
    methods.md, D5. Copas 1983.
    """
    if not np.isfinite(predicted).all():
        return Check("copas", np.nan, "not told", reason="a half has too few members with a cost")
    if predicted.std() < 1e-8 * max(predicted.mean(), 1e-300):
        return Check("copas", np.nan, "not told", reason="the predicted means do not vary")
    scale = predicted.mean()
    columns = np.column_stack([np.ones(len(predicted)), predicted / scale - 1])
    slope, _ = fit(columns, outcome / scale, data.weight, LINE)
    error = np.sqrt(robust_covariance(columns, outcome / scale, data.weight, slope, LINE, data.cluster)[1, 1])
    p_value = data.p_value((slope[1] - 1) / error)
    is_off = p_value < CLOSE
    words = "predictions of the other half " + ("are off: a slope of 1 is outside the limits" if is_off else "hold")
    reach = data.quantile * error
    return Check("copas", slope[1], words, slope[1] - reach, slope[1] + reach, p_value, "warn" if is_off else "pass")
