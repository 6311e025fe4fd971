"""The thresholds by which a foot contact is found in a force curve."""

from __future__ import annotations

# The laboratory's 20 N are 0.03 BW of an adult and 0.07 of a child of 28 kg. An estimate's error in
# the air is some hundredths of a body weight, too much for the lower of these. The higher threshold
# costs little: force rises by some 10 BW/s at contact, so that 0.02 BW are 2 ms, and fades more
# slowly before toe-off (on RealGait's plates 2 and 12 ms from 20 N at most, as a test says).
CONTACT_BW = 0.05

# Every leg that steps carries the body alone, which takes more than half a body weight, less only
# with crutches or a rail; 0.3 BW is also where `plate_checks.PEAK_BW` stops to believe in a walk.
# Ripple in the air is far below it, so it can neither make a contact nor lengthen one by itself.
LOADED_BW = 0.3

# Swing takes 0.3 s and more and stance 0.4 s and more in walking: half of these at the least.
MIN_SWING_S = 0.15
MIN_STANCE_S = 0.2
