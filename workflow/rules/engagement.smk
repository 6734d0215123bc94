"""engagement: how long clients stay with a navigator, by arm.

Needs the cohort and spells of results/episodes/, and navigators' log and claims of results/clean/ for the service
mix. Makes the release tables engagement, engagement_models, balance and service_mix, the monthly survival that
case rates are built on, and one weight a person.
"""


rule estimate_survival:
    """Estimate curves of engagement and the days each arm stays, with errors that resample providers."""
    input:
        cohort="results/episodes/cohort.parquet",
        spells="results/episodes/spells.parquet",
        code=code_of("scripts/engagement/estimate_survival.py"),
    output:
        survival="results/engagement/survival.parquet",
        rmst_by_day="results/engagement/rmst_by_day.parquet",
        survival_by_month="results/engagement/survival_by_month.parquet",
        cumulative_incidence="results/engagement/cumulative_incidence.parquet",
        clocks="results/engagement/clocks.parquet",
        first_spells="results/engagement/first_spells.parquet",
    log:
        "logs/engagement/estimate_survival.log",
    benchmark:
        "benchmarks/engagement/estimate_survival.tsv"
    conda:
        "../../environment.yml"
    params:
        end_reasons=config["engagement"]["end_reasons"],
        spell_gap_days=config["episodes"]["spell_gap_days"],
        horizons_days=config["engagement"]["horizons_days"],
        min_observed_share=config["engagement"]["min_observed_share"],
        survival_months=config["engagement"]["survival_months"],
        covariates=config["engagement"]["covariates"],
        boot_reps=config["engagement"]["boot_reps"],
        seed=config["study"]["seed"],
    script:
        "../../scripts/engagement/estimate_survival.py"


rule estimate_trial:
    """Emulate the target trial: days engaged as treated, from landmarks, by site, and with clones weighted."""
    input:
        cohort="results/episodes/cohort.parquet",
        cohort_flow="results/episodes/cohort_flow.parquet",
        spells="results/episodes/spells.parquet",
        code=code_of("scripts/engagement/estimate_trial.py"),
    output:
        protocol="results/engagement/protocol.parquet",
        trial="results/engagement/trial.parquet",
        trial_flow="results/engagement/trial_flow.parquet",
        trial_weights="results/engagement/trial_weights.parquet",
        first_contact_wait="results/engagement/first_contact_wait.parquet",
    log:
        "logs/engagement/estimate_trial.log",
    benchmark:
        "benchmarks/engagement/estimate_trial.tsv"
    conda:
        "../../environment.yml"
    params:
        spell_gap_days=config["episodes"]["spell_gap_days"],
        assignment_days=config["episodes"]["assignment_days"],
        horizons_days=config["engagement"]["horizons_days"],
        landmark_days=config["engagement"]["landmark_days"],
        grace_days=config["engagement"]["grace_days"],
        covariates=config["engagement"]["covariates"],
        boot_reps=config["engagement"]["boot_reps"],
        seed=config["study"]["seed"],
    script:
        "../../scripts/engagement/estimate_trial.py"


rule build_engagement:
    """Put the estimates of first spells and those of the target trial into one table."""
    input:
        first_spells="results/engagement/first_spells.parquet",
        trial="results/engagement/trial.parquet",
        code=code_of("scripts/engagement/build_engagement.py"),
    output:
        engagement="results/engagement/engagement.parquet",
    log:
        "logs/engagement/build_engagement.log",
    benchmark:
        "benchmarks/engagement/build_engagement.tsv"
    conda:
        "../../environment.yml"
    script:
        "../../scripts/engagement/build_engagement.py"


rule fit_models:
    """Compare the arms' hazards of ending engagement, and test whether one hazard ratio can say it."""
    input:
        cohort="results/episodes/cohort.parquet",
        spells="results/episodes/spells.parquet",
        code=code_of("scripts/engagement/fit_models.py"),
    output:
        engagement_models="results/engagement/engagement_models.parquet",
        aft_check="results/engagement/aft_check.parquet",
    log:
        "logs/engagement/fit_models.log",
    benchmark:
        "benchmarks/engagement/fit_models.tsv"
    conda:
        "../../environment.yml"
    params:
        end_reasons=config["engagement"]["end_reasons"],
        spell_gap_days=config["episodes"]["spell_gap_days"],
        covariates=config["engagement"]["covariates"],
        hazard_cuts_days=config["engagement"]["hazard_cuts_days"],
        horizons_days=config["engagement"]["horizons_days"],
        permutations=config["engagement"]["permutations"],
        seed=config["study"]["seed"],
    script:
        "../../scripts/engagement/fit_models.py"


rule estimate_robustness:
    """Estimate the difference in length of engagement again under every other choice and assumption."""
    input:
        cohort="results/episodes/cohort.parquet",
        spells_by_gap="results/episodes/spells_by_gap.parquet",
        code=code_of("scripts/engagement/estimate_robustness.py"),
    output:
        engagement_sensitivity="results/engagement/engagement_sensitivity.parquet",
    log:
        "logs/engagement/estimate_robustness.log",
    benchmark:
        "benchmarks/engagement/estimate_robustness.tsv"
    conda:
        "../../environment.yml"
    params:
        spell_gap_days=config["episodes"]["spell_gap_days"],
        end_reasons=config["engagement"]["end_reasons"],
        horizons_days=config["engagement"]["horizons_days"],
        min_observed_share=config["engagement"]["min_observed_share"],
        boot_reps=config["engagement"]["boot_reps"],
        seed=config["study"]["seed"],
    script:
        "../../scripts/engagement/estimate_robustness.py"


rule estimate_balance:
    """Weigh the arms to be alike in what was known at discharge, and show how alike they become."""
    input:
        cohort="results/episodes/cohort.parquet",
        spells="results/episodes/spells.parquet",
        code=code_of("scripts/engagement/estimate_balance.py"),
    output:
        balance="results/engagement/balance.parquet",
        weights="results/engagement/weights.parquet",
        weight_summary="results/engagement/weight_summary.parquet",
        propensity="results/engagement/propensity.parquet",
        positivity="results/engagement/positivity.parquet",
    log:
        "logs/engagement/estimate_balance.log",
    benchmark:
        "benchmarks/engagement/estimate_balance.tsv"
    conda:
        "../../environment.yml"
    params:
        end_reasons=config["engagement"]["end_reasons"],
        covariates=config["engagement"]["covariates"],
    script:
        "../../scripts/engagement/estimate_balance.py"


rule build_service_mix:
    """Sum navigators' time by activity and price the same log under both forms of payment."""
    input:
        worker_time="results/clean/worker_time.parquet",
        claims="results/clean/claims.parquet",
        services="workflow/codes/services.csv",
        code=code_of("scripts/engagement/build_service_mix.py"),
    output:
        service_mix="results/engagement/service_mix.parquet",
        worker_totals="results/engagement/worker_totals.parquet",
        service_summary="results/engagement/service_summary.parquet",
    log:
        "logs/engagement/build_service_mix.log",
    benchmark:
        "benchmarks/engagement/build_service_mix.tsv"
    conda:
        "../../environment.yml"
    params:
        boot_reps=config["engagement"]["boot_reps"],
        seed=config["study"]["seed"],
    script:
        "../../scripts/engagement/build_service_mix.py"


rule plot_engagement:
    """Draw the curves, means, causes of ending, balance, service mix and the forest of estimates."""
    input:
        survival="results/engagement/survival.parquet",
        rmst_by_day="results/engagement/rmst_by_day.parquet",
        engagement="results/engagement/engagement.parquet",
        cumulative_incidence="results/engagement/cumulative_incidence.parquet",
        balance="results/engagement/balance.parquet",
        service_mix="results/engagement/service_mix.parquet",
        service_summary="results/engagement/service_summary.parquet",
        clocks="results/engagement/clocks.parquet",
        trial_weights="results/engagement/trial_weights.parquet",
        propensity="results/engagement/propensity.parquet",
        engagement_sensitivity="results/engagement/engagement_sensitivity.parquet",
        cohort="results/episodes/cohort_table.parquet",
        code=code_of("scripts/engagement/plot_engagement.py"),
    output:
        survival_svg="results/engagement/figures/survival.svg",
        survival_png="results/engagement/figures/survival.png",
        rmst_by_horizon_svg="results/engagement/figures/rmst_by_horizon.svg",
        rmst_by_horizon_png="results/engagement/figures/rmst_by_horizon.png",
        rmst_difference_svg="results/engagement/figures/rmst_difference.svg",
        rmst_difference_png="results/engagement/figures/rmst_difference.png",
        cumulative_incidence_svg="results/engagement/figures/cumulative_incidence.svg",
        cumulative_incidence_png="results/engagement/figures/cumulative_incidence.png",
        love_plot_svg="results/engagement/figures/love_plot.svg",
        love_plot_png="results/engagement/figures/love_plot.png",
        service_mix_svg="results/engagement/figures/service_mix.svg",
        service_mix_png="results/engagement/figures/service_mix.png",
        service_earnings_svg="results/engagement/figures/service_earnings.svg",
        service_earnings_png="results/engagement/figures/service_earnings.png",
        clocks_svg="results/engagement/figures/clocks.svg",
        clocks_png="results/engagement/figures/clocks.png",
        trial_svg="results/engagement/figures/trial.svg",
        trial_png="results/engagement/figures/trial.png",
        trial_weights_svg="results/engagement/figures/trial_weights.svg",
        trial_weights_png="results/engagement/figures/trial_weights.png",
        propensity_svg="results/engagement/figures/propensity.svg",
        propensity_png="results/engagement/figures/propensity.png",
        weights_svg="results/engagement/figures/weights.svg",
        weights_png="results/engagement/figures/weights.png",
        robustness_svg="results/engagement/figures/robustness.svg",
        robustness_png="results/engagement/figures/robustness.png",
        forest_svg="results/engagement/figures/forest.svg",
        forest_png="results/engagement/figures/forest.png",
    log:
        "logs/engagement/plot_engagement.log",
    benchmark:
        "benchmarks/engagement/plot_engagement.tsv"
    conda:
        "../../environment.yml"
    params:
        data_note=config["study"]["data_note"],
        suppress_below=config["release"]["suppress_below"],
    script:
        "../../scripts/engagement/plot_engagement.py"
