#!/usr/bin/env bash
# The main job from nothing: synthesise walkers, build the data set, train every leave-one-subject-
# out fold, evaluate each held-out subject, write the report. A second call reuses what is done.
#
#   bash launch/demo.sh          five walkers, ten trials each, by configs/convolutional.py
#   bash launch/demo.sh --full   the paper's size: 5 walkers, 50 trials each, by configs/walker.py
#
# Training starts, as these configurations do, from networks that know other synthetic walkers. The
# short one trains the quicker of the two networks that `walker` joins.
set -euo pipefail

size=demo
case "${1:-}" in
  '') ;;
  --full) size=full ;;
  *) echo "unknown argument $1; there is --full" >&2; exit 1 ;;
esac
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

if [ "$size" = full ]; then trials=50 config=walker; else trials=10 config=convolutional; fi
out="demo/$size"
mkdir -p "$out"

echo "== 1 of 4: five synthetic walkers, $trials trials each, into $out/recordings"
if [ -e "$out/recordings/trials.csv" ]; then
  echo 'done before'
else
  python -m grfjax.synth --out="$out/recordings" --subjects=5 --trials="$trials" --seed=0
fi

echo "== 2 of 4: voxel records, into $out/data"
tfds build datasets/walking_grf --config=walker \
  --manual_dir="$out/recordings" --data_dir="$out/data"

echo "== 3 of 4: train and evaluate every fold, into $out/runs"
python launch/loso.py --config="configs/$config.py" --workdir="$out/runs" \
  --config.data_dir="$out/data" --recordings="$out/recordings"

echo "== 4 of 4: done"
echo "The report: $PWD/$out/runs/report/index.html"
echo "Force curves of every held-out trial: $PWD/$out/runs/predictions/"
