"""What the rate book is derived from, and the tables it is made of, by their names in the rule."""

from ratebook.contracts import rate_trace, rate_uncertainty, rates, risk_sharing

READ = {
    "experience": rates.BaseExperience,
    "moments": rates.CellMoments,
    "base_completion": rates.BaseCompletion,
    "ultimates": rates.Ultimates,
    "trend": rates.Trend,
    "cell_groups": rate_uncertainty.CellGroups,
    "group_months": rate_uncertainty.GroupMonths,
    "excess": risk_sharing.MemberYearExcess,
}
WRITTEN = {
    "pooling": risk_sharing.Pooling,
    "rate_build": rates.RateBuild,
    "credibility": rates.Credibility,
    "rates": rates.Rates,
    "relativities": rates.Relativities,
    "rate_trace": rate_trace.RateTrace,
    "uncertainty": rate_uncertainty.RateUncertainty,
    "tornado": rate_uncertainty.RateTornado,
    "plan_rates": rates.PlanRates,
    "corridor": rates.Corridor,
    "risk_sharing": risk_sharing.RiskSharing,
    "assumptions": rates.Assumptions,
}
