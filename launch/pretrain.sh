#!/usr/bin/env bash
# Rebuilds the networks that come with grfjax, from nothing, by the recipes in their about.json:
# synthesise walkers, build, train, measure the errors, export. A second call goes on where the
# first was stopped. launch/pretrain.py, which this runs, describes the options.
#
#   bash launch/pretrain.sh               all of them into demo/pretrain/networks; days on two cores
#   bash launch/pretrain.sh --networks=mochizuki3d --size=quick
#                                         every stage with next to no data; some minutes
#   bash launch/pretrain.sh --slurm --partition=gpu --gpus_per_node=1
#                                         a job for each stage; launch/slurm.py has the options
set -euo pipefail
arguments=() slurm=''
for argument in "$@"; do
  if [ "$argument" = --slurm ]; then slurm=yes; else arguments+=("$argument"); fi
done
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
if [ -n "$slurm" ]; then exec python launch/slurm.py pretrain "${arguments[@]}"; fi
exec python launch/pretrain.py "${arguments[@]}"
