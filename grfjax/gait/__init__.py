"""What a force curve says of a walk: contacts, stances, gait measures, plausibility, agreement."""
