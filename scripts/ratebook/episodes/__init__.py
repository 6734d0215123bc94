"""From lines of withdrawal management to stays, episodes, the study cohort, and spells with a navigator."""
