"""Records: clips joined with force labels, stored by TFDS, streamed as training batches."""
