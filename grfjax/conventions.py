"""The conventions that every part shares: legs, axes, gravity and the contact threshold."""

from __future__ import annotations

LEGS = ('left', 'right')


CONTACT_N = 20.0  # a plate that reads more carries a foot; also the judge's threshold


G = 9.80665  # m/s2, standard gravity (ISO 80000-3)

AXES = ('vertical', 'forward', 'near side')  # the order of the last axis of `force`
