"""The files of docs/cluster for SLURM and Kubernetes, as far as they run without either."""

import os
import re
import subprocess

import pytest

from utils.files import PROJECT_DIR


def _cluster_file(name):
    return os.path.join(PROJECT_DIR, "docs", "cluster", name)


@pytest.mark.skipif(os.name == "nt", reason="needs bash")
def test_a_task_of_the_slurm_array_works_through_its_shard(tmp_path):
    env = {"SLURM_SUBMIT_DIR": str(tmp_path), "SLURM_CPUS_PER_TASK": "4", "SLURM_ARRAY_TASK_ID": "3"}

    def said(least, greatest, count, **more):
        array = {"SLURM_ARRAY_TASK_MIN": least, "SLURM_ARRAY_TASK_MAX": greatest, "SLURM_ARRAY_TASK_COUNT": count}
        return subprocess.run(
            ["bash", _cluster_file("slurm.sh"), "a folder", "--protocol", "insert"],
            env=dict(os.environ, PYTHON="echo", **dict(env, **array), **more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )

    words = "compare.py --protocol insert --dump_dir a folder --shard 3/{}\n"
    assert said("1", "16", "16").stdout == words.format(16)
    # Of --array=3,17 and of --array=0-15 nobody knows which shards are meant.
    for array in (("3", "17", "2"), ("0", "15", "16")):
        refused = said(*array)
        assert (refused.returncode, refused.stdout) == (2, "") and "SHARDS=64 sbatch" in refused.stderr
    assert said("3", "17", "2", SHARDS="64").stdout == words.format(64)
    with open(_cluster_file("slurm.sh"), encoding="utf-8") as file:
        assert re.findall(r"#SBATCH --array=1-(\d+)", file.read()) == ["16"]


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_the_pods_of_the_indexed_job_work_through_all_shards():
    yaml = pytest.importorskip("yaml")
    with open(_cluster_file("kubernetes.yaml"), encoding="utf-8") as file:
        job = yaml.safe_load(file)
    assert (job["apiVersion"], job["kind"], job["spec"]["completionMode"]) == ("batch/v1", "Job", "Indexed")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    values = {one["name"]: one["value"] for one in container["env"]}
    count = job["spec"]["completions"]
    said = [
        subprocess.check_output(
            container["command"] + [container["args"][0].replace("exec python", "echo")],
            env=dict(os.environ, JOB_COMPLETION_INDEX=str(index), **values),
            universal_newlines=True,
        )
        for index in (0, count - 1)
    ]
    assert [text.split("--shard ")[1] for text in said] == ["1/16\n", "{0}/{0}\n".format(count)]
