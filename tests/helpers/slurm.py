"""A Slurm of one machine, for tests: the commands of Slurm that submitit calls, as small scripts."""

from pathlib import Path

#: <job>.pid has a job's process group, without the batch script; 'scontrol requeue' starts the job again after its end
_SCRIPTS = {
    'sbatch': """
id=$((1000 + $(ls "$jobs" | grep -c sh$)))
cp "$1" "$jobs/$id.sh"
echo PENDING > "$jobs/$id.state"
export SLURM_JOB_ID=$id SLURM_NTASKS=1 SLURM_PROCID=0
( setsid bash -c '
    while :; do
        echo RUNNING > "$0.state"
        bash "$0.sh"; code=$?
        rm "$0.requeue" 2> /dev/null || break
    done
    [ $code = 0 ] && echo COMPLETED > "$0.state" || echo FAILED > "$0.state"
' "$jobs/$id" > /dev/null 2>&1 & )
echo "Submitted batch job $id"
""",
    'srun': """
while [[ $1 == --* ]]; do
    case $1 in
        --output) out=$2; shift 2 ;;
        --error) err=$2; shift 2 ;;
        *) shift ;;
    esac
done
fill() { local name=${1//%j/$SLURM_JOB_ID}; echo "${name//%t/0}"; }
mkdir -p "$(dirname "$(fill "$out")")"
setsid "$@" >> "$(fill "$out")" 2>> "$(fill "$err")" &
echo $! > "$jobs/$SLURM_JOB_ID.pid"
wait $!
""",
    'sacct': """
echo 'JobID|State|NodeList'
for file in "$jobs"/*.state; do echo "$(basename "$file" .state)|$(cat "$file")|here"; done
""",
    'scontrol': 'touch "$jobs/$2.requeue"',
    'scancel': """
echo CANCELLED > "$jobs/$1.state"
kill -KILL -- -"$(cat "$jobs/$1.pid")"
""",
}


def make_slurm(folder: Path) -> Path:
    """Write the commands into a folder, which is to be put in front of PATH; return the folder of the jobs' states."""
    jobs = folder / 'jobs'
    jobs.mkdir(parents=True)
    for name, text in _SCRIPTS.items():
        (folder / name).write_text(f'#!/bin/bash\njobs={jobs}\n{text}')
        (folder / name).chmod(0o755)
    return jobs
