"""From batches to weights: the loop, the train step, checkpoints, the run's log."""
