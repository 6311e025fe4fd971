"""Networks of other libraries that launch/measure/bench.py compares ours with."""
