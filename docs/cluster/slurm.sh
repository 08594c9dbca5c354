#!/bin/bash
#SBATCH --job-name=compare
#SBATCH --array=1-16
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=08:00:00
#SBATCH --output=compare-%a.log
#
# A comparison by the tasks of an array, from 1 on, on a disk that all of them see. From the project's folder:
#
#   sbatch docs/cluster/slurm.sh FOLDER [flags of compare.py]
#   sbatch --array=1-64 docs/cluster/slurm.sh log/compare/drop --per_class 1000
#   SHARDS=64 sbatch --array=3,17 docs/cluster/slurm.sh log/compare/drop --per_class 1000     (some of these again)
#   python compare.py --report log/compare/drop
#
# A task that is started again goes on where it was.
set -eu
cd "$SLURM_SUBMIT_DIR"
folder=$1
shift
# Of how many shards a task is one: an array of some of them alone does not know.
shards="${SHARDS:-$SLURM_ARRAY_TASK_COUNT}"
if [ -z "${SHARDS:-}" ] && [ "$SLURM_ARRAY_TASK_MIN-$SLURM_ARRAY_TASK_MAX" != "1-$shards" ]; then
    echo "slurm.sh: error: this array is not 1-N: say of how many shards these are some, as SHARDS=64 sbatch ..." >&2
    exit 2
fi
export TF_NUM_INTRAOP_THREADS="$SLURM_CPUS_PER_TASK"
exec "${PYTHON:-python}" compare.py "$@" --dump_dir "$folder" --shard "$SLURM_ARRAY_TASK_ID/$shards"
