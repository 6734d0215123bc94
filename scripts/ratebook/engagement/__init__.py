"""How long clients stay engaged, by arm: survival, models, weights, and what the navigators' time went into."""
