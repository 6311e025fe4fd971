"""How good a network is: held-out subjects, baselines, force plates, cross-fitting."""
