"""From weights to forces: the trained run, its estimator, its prediction intervals."""
