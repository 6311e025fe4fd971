#!/usr/bin/env bash
# The paper's open questions from nothing: synthesise walkers, build the data sets, train and try
# every row of launch/paper.py, write the table. A second call reuses what is done.
#
#   bash launch/paper.sh          four rows, 64 walkers and 450 steps of 32 voxels: 25 minutes on 2
#                                 cores, the installation included. In so short a training the
#                                 network learns from a window that follows the walker, hardly from
#                                 the whole picture.
#   bash launch/paper.sh --full   every row, up to 4,096 walkers, two seeds; for a GPU
#
#   --held_out=RECORDINGS   also try every network on these recordings of measured walkers
#   --processes=N           so many rows are trained at once
set -euo pipefail

size=quick held_out='' processes=1
for argument in "$@"; do
  case "$argument" in
    --full) size=full ;;
    --held_out=?*) held_out=$(realpath -- "${argument#*=}") ;;
    --processes=[1-9]|--processes=[1-9][0-9]) processes="${argument#*=}" ;;
    *)
      echo "unknown argument $argument; there are --full, --held_out=RECORDINGS, --processes=N" >&2
      exit 1
      ;;
  esac
done
if [ -n "$held_out" ] && [ ! -e "$held_out/trials.csv" ]; then
  echo "--held_out=$held_out: no recording set there (no trials.csv)" >&2
  exit 1
fi
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

# Of 69 walkers, 64 are trained on and the error of five is watched.
if [ "$size" = full ]; then people=4096 trials=50 seeds=(0 1); else people=69 trials=5 seeds=(0); fi
out="demo/paper_$size"
mkdir -p "$out"

synthesize() { # folder, then flags
  if [ -e "$out/$1/trials.csv" ]; then
    echo "$out/$1: done before"
  else
    python -m grfjax.synth --out="$out/$1" "${@:2}"
  fi
}

build() { # configuration, recordings, data
  local config="$1"
  if [ "$config" != mochizuki ]; then config="{\"name\": \"$1\"}"; fi # one that has no entry
  echo "-- $1 of $2"
  tfds build datasets/walking_grf --config="$config" --manual_dir="$2" --data_dir="$3" \
    < /dev/null > "$out/build.log" 2>&1 || { tail -n 20 "$out/build.log" >&2; exit 1; }
}

first() { # how many walkers of $out/many, into which folder; one walk each
  mkdir -p "$2"
  for table in subjects.csv trials.csv; do head -n $(($1 + 1)) "$out/many/$table" > "$2/$table"; done
  for folder in videos forces; do ln -sfn "../many/$folder" "$2/$folder"; done
}

first_followed() { # likewise, of those whom a window can follow
  first $(($1 + 16)) "$2_and_more"
  python -m grfjax.check --recordings="$2_and_more" --out="$2_check" > "$out/check.log" || true
  first "$1" "$2"
  python - "$1" "$2" "$2_and_more" "$2_check/check.json" << 'END'
import json, pathlib, sys
count, out, more, check = int(sys.argv[1]), *map(pathlib.Path, sys.argv[2:])
refused = {t['subject'] for t in json.loads(check.read_text())['trials'] if t['status'] == 'refused'}
for table in ('subjects.csv', 'trials.csv'):  # the subject stands first
  lines = (more / table).read_text().splitlines(keepends=True)
  kept = [line for line in lines if line.split(',')[0] not in refused][: count + 1]
  if len(kept) <= count:
    sys.exit(f'{more}: {len(refused)} walkers cannot be followed; fewer than {count} are left')
  (out / table).write_text(''.join(kept))
END
}

echo "== 1 of 4: $people synthetic walkers and five others, into $out"
synthesize many --subjects="$people" --trials=1 --width=320 --height=180 --plates=2 --style=mixed \
  --seed=21
synthesize five --subjects=5 --trials="$trials" --width=320 --height=180 --seed=0

echo "== 2 of 4: voxel records, into $out/data_*"
# Each configuration that the rows need, and of how many walkers. That of the base row is of all: one
# row is trained on as many, and the error of the others is watched.
needed=$(PYTHONPATH=launch python - "$size" << 'END'
import sys
import paper
size = sys.argv[1]
rows = paper.chosen_rows([], size)
for data in dict.fromkeys(row.data for row in rows):
  people = [paper.people_of(row, paper.SIZES[size]) for row in rows if row.data == data]
  print(data, "all" if data == paper.ROWS["base"].data else max(people))
END
)
while read -r config count; do
  recordings="$out/many"
  if [ "$count" != all ]; then
    recordings="$out/first_$count"
    first "$count" "$recordings"
    if [ "$config" = mochizuki_window ]; then # one in some hundred cannot be followed
      recordings="$out/followed_$count"
      first_followed "$count" "$recordings"
    fi
  fi
  build "$config" "$recordings" "$out/data_many"
  build "$config" "$out/five" "$out/data_five"
  if [ -n "$held_out" ]; then build "$config" "$held_out" "$out/data_held_out"; fi
done <<< "$needed"

echo "== 3 of 4: train and try every row, into $out/rows"
flags=(--size="$size" --workdir="$out/rows")
flags+=(--data_dir="$out/data_many" --five_dir="$out/data_five")
if [ -n "$held_out" ]; then flags+=(--held_out_dir="$out/data_held_out"); fi
if [ "$processes" != 1 ]; then # their bars would mix, and the first would take the whole GPU
  export TQDM_DISABLE=1 XLA_PYTHON_CLIENT_PREALLOCATE=false
fi
names=$(PYTHONPATH=launch python -c "import paper
for row in paper.chosen_rows([], '$size'): print(row.name)")
for seed in "${seeds[@]}"; do
  for name in $names; do echo "--rows=$name --seeds=$seed"; done
done | xargs -P "$processes" -L 1 python launch/paper.py "${flags[@]}" || failed=$?

echo '== 4 of 4: the table'
python launch/paper.py --workdir="$out/rows" --table_only
exit "${failed:-0}" # a row failed; the table has the others
