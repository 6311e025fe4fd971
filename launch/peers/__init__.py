"""Networks of other libraries that launch/bench.py compares ours with."""
