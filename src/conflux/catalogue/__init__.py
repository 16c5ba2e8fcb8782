"""Floor 1: models, storefronts, prices, pools: loaded from data, validated whole, listed in many shapes."""
