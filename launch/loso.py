"""Leave one subject out, as `python -m grfjax.loso`, which describes it.

python launch/loso.py --config=configs/walker.py --workdir=RUNS --config.data_dir=DATA
  [--recordings=RAW]
"""

import runpy

if __name__ == '__main__':
  runpy.run_module('grfjax.loso', run_name='__main__', alter_sys=True)
