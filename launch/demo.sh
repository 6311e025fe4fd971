#!/usr/bin/env bash
# The main job from nothing: one walk's forces by the network that comes along; then synthesise
# walkers, build the data set, train every leave-one-subject-out fold, evaluate each held-out
# subject, write the report. A second call reuses what is done.
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

# About how many minutes each part takes on two idle CPU cores; beside other work the short ones took
# 1, 1 and 17 (2026-11-28).
if [ "$size" = full ]; then
  trials=50 config=walker minutes=(5 3 30)
else
  trials=10 config=convolutional minutes=(1 1 10)
fi
out="demo/$size"
mkdir -p "$out"

echo '== 1 of 5: the forces of one synthetic walk, into demo/first (under a minute)'
grfjax synth --out=demo/first/recordings --subjects=1 --trials=1 --seed=1
grfjax predict --recordings=demo/first/recordings --out=demo/first/predictions --overlay
echo "Its page: $PWD/demo/first/predictions/S01T01.html"

echo "== 2 of 5: five synthetic walkers, $trials trials each, into $out/recordings (about ${minutes[0]} min)"
if [ -e "$out/recordings/trials.csv" ]; then
  echo 'done before'
else
  grfjax synth --out="$out/recordings" --subjects=5 --trials="$trials" --seed=0
fi

echo "== 3 of 5: voxel records, into $out/data (about ${minutes[1]} min)"
tfds build datasets/walking_grf --config=walker \
  --manual_dir="$out/recordings" --data_dir="$out/data"

echo "== 4 of 5: train and evaluate every fold, into $out/runs (about ${minutes[2]} min)"
python launch/loso.py --config="configs/$config.py" --workdir="$out/runs" \
  --config.data_dir="$out/data" --recordings="$out/recordings"

echo '== 5 of 5: done'
echo "The report: $PWD/$out/runs/report/index.html"
echo "Force curves of every held-out trial: $PWD/$out/runs/predictions/"
