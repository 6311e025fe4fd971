"""Analysis of force curves: contacts, stances, gait measures, plausibility, agreement."""
