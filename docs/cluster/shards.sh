#!/bin/sh
# A comparison by N processes side by side on this machine, each on its share of the cores; then the report.
#
#   sh docs/cluster/shards.sh N FOLDER [flags of compare.py]
#   sh docs/cluster/shards.sh 4 log/compare/insert --protocol insert
#
# Started again after whatever end, it goes on where it was.
set -u
count=$1 folder=$2
shift 2
python=${PYTHON:-python}
# Those that this shell may use, of a machine that is shared, whatever is set for OpenMP.
cores=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
share=$((cores / count))
export TF_NUM_INTRAOP_THREADS="${TF_NUM_INTRAOP_THREADS:-$((share > 0 ? share : 1))}"

trap 'kill 0' INT TERM
number=1
while [ "$number" -le "$count" ]; do
    "$python" compare.py "$@" --dump_dir "$folder" --shard "$number/$count" &
    number=$((number + 1))
done
wait
# Finds what a shard that died left, and reports.
unset TF_NUM_INTRAOP_THREADS
exec "$python" compare.py "$@" --dump_dir "$folder"
