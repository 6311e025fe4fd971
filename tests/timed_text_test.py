"""A flag is a pair, as programs take it apart, and knows its time beside that."""

import copy
import pickle

from grfjax.gait import plausibility


def test_a_flag_is_a_pair_with_a_time():
  flag = plausibility.Flag('gait.cadence', 'Too fast.', 1.5)
  code, text = flag
  assert (code, text, flag.start_s) == ('gait.cadence', 'Too fast.', 1.5)
  assert flag == ('gait.cadence', 'Too fast.') == plausibility.Flag('gait.cadence', 'Too fast.')
  assert plausibility.Flag(code, text).start_s is None
  for other in (pickle.loads(pickle.dumps(flag)), copy.deepcopy(flag)):
    assert other == flag
    assert other.start_s == 1.5
  assert repr(flag) == "Flag(code='gait.cadence', text='Too fast.')"
