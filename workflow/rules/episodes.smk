"""episodes: from claims to the cohort and its engagement.

Needs the claims and contacts of results/clean/ and the spans of results/exposure/. Makes stays, episodes, the
cohort with its flow and Table 1, continuity of care, readmission, and spells with a navigator.
"""

AMBULATORY_WM = ["WM_OP"] if config["episodes"]["include_ambulatory_wm"] else []
STAY_LEVELS = [*config["episodes"]["stay_levels"], *AMBULATORY_WM]
DETOX_LEVELS = [*config["episodes"]["detox_levels"], *AMBULATORY_WM]


rule build_stays:
    """Join lines of 24-hour care into stays in one facility, and ask what sub-acute codes are used for."""
    input:
        claims="results/clean/claims.parquet",
        code=code_of("scripts/episodes/build_stays.py"),
    output:
        stays=directory("results/episodes/stays.parquet"),
        codes="results/episodes/detox_codes.parquet",
    log:
        "logs/episodes/build_stays.log",
    benchmark:
        "benchmarks/episodes/build_stays.tsv"
    conda:
        "../../environment.yml"
    params:
        stay_levels=STAY_LEVELS,
        detox_levels=DETOX_LEVELS,
        require_sud_dx=config["episodes"]["require_sud_dx"],
    script:
        "../../scripts/episodes/build_stays.py"


rule build_episodes:
    """Join a person's detox stays across facilities into episodes."""
    input:
        stays="results/episodes/stays.parquet",
        code=code_of("scripts/episodes/build_episodes.py"),
    output:
        episodes=directory("results/episodes/episodes.parquet"),
        lengths="results/episodes/episode_lengths.parquet",
        by_gap="results/episodes/episodes_by_gap.parquet",
    log:
        "logs/episodes/build_episodes.log",
    benchmark:
        "benchmarks/episodes/build_episodes.tsv"
    conda:
        "../../environment.yml"
    params:
        detox_levels=DETOX_LEVELS,
        episode_gap_days=config["episodes"]["episode_gap_days"],
        gaps_days=config["episodes"]["episode_gap_sensitivity_days"],
        unit=config["episodes"]["unit"],
    script:
        "../../scripts/episodes/build_episodes.py"


rule select_cohort:
    """Select each eligible person's index episode, with arm, covariates and follow-up."""
    input:
        stays="results/episodes/stays.parquet",
        contacts="results/clean/contacts.parquet",
        spans="results/exposure/spans.parquet",
        persons="results/clean/persons.parquet",
        claims="results/clean/claims.parquet",
        code=code_of("scripts/episodes/select_cohort.py"),
    output:
        cohort="results/episodes/cohort.parquet",
        flow="results/episodes/cohort_flow.parquet",
        table="results/episodes/cohort_table.parquet",
        variants="results/episodes/cohort_variants.parquet",
    log:
        "logs/episodes/select_cohort.log",
    benchmark:
        "benchmarks/episodes/select_cohort.tsv"
    conda:
        "../../environment.yml"
    params:
        detox_levels=DETOX_LEVELS,
        episode_gap_days=config["episodes"]["episode_gap_days"],
        rules={
            "window_start": config["study"]["window_start"],
            "window_end": config["study"]["window_end"],
            "seed": config["study"]["seed"],
            "unit": config["episodes"]["unit"],
            "min_detox_12m": config["episodes"]["min_detox_12m"],
            "count_index": config["episodes"]["count_index"],
            "index_rule": config["episodes"]["index_rule"],
            "age_min_years": config["episodes"]["age_min_years"],
            "age_max_years": config["episodes"]["age_max_years"],
            "exclude_full_duals": config["episodes"]["exclude_full_duals"],
            "exclude_hospice": config["episodes"]["exclude_hospice"],
            "facilities": config["episodes"]["facilities"],
            "enrolled_days_before": config["episodes"]["enrolled_days_before"],
            "enrolled_gap_days": config["episodes"]["enrolled_gap_days"],
            "prior_contact_days": config["episodes"]["prior_contact_days"],
            "assignment_days": config["episodes"]["assignment_days"],
            "follow_up_days": config["episodes"]["follow_up_days"],
        },
    script:
        "../../scripts/episodes/select_cohort.py"


rule build_continuity:
    """Find whether treatment continued within each window after discharge, and who was readmitted."""
    input:
        cohort="results/episodes/cohort.parquet",
        claims="results/clean/claims.parquet",
        code=code_of("scripts/episodes/build_continuity.py"),
    output:
        continuity="results/episodes/continuity.parquet",
        by_arm="results/episodes/continuity_by_arm.parquet",
        readmission="results/episodes/readmission.parquet",
    log:
        "logs/episodes/build_continuity.log",
    benchmark:
        "benchmarks/episodes/build_continuity.tsv"
    conda:
        "../../environment.yml"
    params:
        coc_windows_days=config["episodes"]["coc_windows_days"],
        coc_categories=config["episodes"]["coc_categories"],
        coc_count_navigator=config["episodes"]["coc_count_navigator"],
        coc_count_day0=config["episodes"]["coc_count_day0"],
    script:
        "../../scripts/episodes/build_continuity.py"


rule build_spells:
    """Join each member's contacts with a navigator into spells of engagement, and find who crossed over."""
    input:
        contacts="results/clean/contacts.parquet",
        cohort="results/episodes/cohort.parquet",
        code=code_of("scripts/episodes/build_spells.py"),
    output:
        spells="results/episodes/spells.parquet",
        by_gap="results/episodes/spells_by_gap.parquet",
        ends="results/episodes/spell_ends.parquet",
        gap_sensitivity="results/episodes/gap_sensitivity.parquet",
        crossing="results/episodes/crossing.parquet",
        navigators="results/episodes/navigators.parquet",
        crossover="results/episodes/crossover.parquet",
        contamination="results/episodes/contamination.parquet",
    log:
        "logs/episodes/build_spells.log",
    benchmark:
        "benchmarks/episodes/build_spells.tsv"
    conda:
        "../../environment.yml"
    params:
        spell_gap_days=config["episodes"]["spell_gap_days"],
        gaps_days=config["episodes"]["spell_gap_sensitivity_days"],
        readmission_ends_spell=config["episodes"]["readmission_ends_spell"],
        spell_by_provider=config["episodes"]["spell_by_provider"],
        end_reasons=config["engagement"]["end_reasons"],
    script:
        "../../scripts/episodes/build_spells.py"


rule plot_episodes:
    """Draw the flow into the cohort, the lengths of episodes, the first spells and other gap rules."""
    input:
        flow="results/episodes/cohort_flow.parquet",
        variants="results/episodes/cohort_variants.parquet",
        lengths="results/episodes/episode_lengths.parquet",
        cohort="results/episodes/cohort.parquet",
        spells="results/episodes/spells.parquet",
        gap_sensitivity="results/episodes/gap_sensitivity.parquet",
        code=code_of("scripts/episodes/plot_episodes.py"),
    output:
        flow_svg="results/episodes/figures/cohort_flow.svg",
        flow_png="results/episodes/figures/cohort_flow.png",
        lengths_svg="results/episodes/figures/episode_lengths.svg",
        lengths_png="results/episodes/figures/episode_lengths.png",
        swimmers_svg="results/episodes/figures/first_spells.svg",
        swimmers_png="results/episodes/figures/first_spells.png",
        gaps_svg="results/episodes/figures/gap_sensitivity.svg",
        gaps_png="results/episodes/figures/gap_sensitivity.png",
    log:
        "logs/episodes/plot_episodes.log",
    benchmark:
        "benchmarks/episodes/plot_episodes.tsv"
    conda:
        "../../environment.yml"
    params:
        data_note=config["study"]["data_note"],
        suppress_below=config["release"]["suppress_below"],
        spell_gap_days=config["episodes"]["spell_gap_days"],
    script:
        "../../scripts/episodes/plot_episodes.py"
