"""Networks and what their outputs mean: pure functions of arrays."""
