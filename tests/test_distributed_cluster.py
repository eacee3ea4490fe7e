"""`TF_CONFIG`, and the files for clusters: valid, and what their commands make is what a worker reads."""

import json
import os
import platform
import re
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from fo_lib.distributed import Task, heartbeat, task

FILES = Path(__file__).parents[1] / "book" / "assets" / "cluster"
TWO = {"worker": ["a:1", "b:2"]}


def config(role="worker", index=1, cluster=None):
    return {
        "TF_CONFIG": json.dumps(
            {"cluster": TWO if cluster is None else cluster, "task": {"type": role, "index": index}}
        )
    }


def test_without_the_variable_a_worker_is_alone(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert (task().name, task().workers) == ("worker 0", 1)
    assert task({"TF_CONFIG": "  "}) == task({})


def test_what_it_says_is_read_and_can_be_written_again(monkeypatch):
    me = task(config())
    assert me == Task("worker", 1, TWO)
    assert (me.name, me.workers) == ("worker 1", 2)
    assert task({"TF_CONFIG": me.config()}) == me
    chief = task(config("chief", 0, {"worker": ["a:1"], "ps": ["b:1"], "chief": ["c:1"]}))
    assert (chief.name, chief.workers) == ("chief", 1)
    monkeypatch.setenv("TF_CONFIG", config()["TF_CONFIG"])
    assert task() == me


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TF_CONFIG": "{cluster"}, r'TF_CONFIG must be \{"cluster".*got .\{cluster. \(JSONDecodeError'),
        ({"TF_CONFIG": "3"}, "TypeError"),
        ({"TF_CONFIG": '{"cluster": {"worker": ["a:1"]}}'}, "KeyError: 'task'"),
        (config(cluster=[]), "a cluster with lists of addresses by role"),
        (config(cluster={"worker": "a:1"}), "a cluster with lists of addresses by role"),
        (config(cluster={"ps": ["a:1"]}), "a cluster with lists of addresses by role"),
        (config(cluster={"worker": ["a:1"], "boss": ["b:1"]}), "a cluster with lists of addresses by role"),
        (config(cluster={"worker": ["a:1", "a"]}), "an address host:port of its own, got 'a' in"),
        (config(cluster={"worker": ["a:1", "http://b:2"]}), "got 'http://b:2' in"),
        (config(cluster={"worker": ["a:1", 3]}), "got 3 in"),
        (config(cluster={"worker": ["a:1", "a:1"]}), "got one address twice in"),
        (config(index=2), r"must name a task of its cluster, \{'worker': 2\}, got 'worker' 2"),
        (config(index=-1), "got 'worker' -1"),
        (config(index="0"), "got 'worker' '0'"),
        (config(role="chief", index=0), "got 'chief' 0"),
    ],
)  # fmt: skip
def test_what_tensorflow_would_wait_for_is_refused(environ, words):
    with pytest.raises(ValueError, match=words):
        task(environ)


def test_a_heartbeat_without_a_launcher_is_nothing(monkeypatch, tmp_path):
    monkeypatch.delenv("FO_HEARTBEAT", raising=False)
    monkeypatch.chdir(tmp_path)
    heartbeat(3)
    assert list(tmp_path.iterdir()) == []


def program(folder, name, text):
    path = folder / name
    path.write_text(f"#!/usr/bin/env bash\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


SAY = 'printf "%s\\n" "$TF_CONFIG" > "$SAID/$RANDOM$RANDOM"; printf "<%s>" "$@" >> "$SAID/arguments"'
SRUN = """
echo "$@" | head -1 >> "$SAID/srun"
while [[ $1 == --* ]]; do shift; done
[[ $(wc -l < "$SAID/srun") -gt ${FAILURES:-0} ]] || exit 1
for i in 0 1 2 3; do SLURM_PROCID=$i "$@"; done
"""


@pytest.fixture
def fakes(tmp_path):
    """Programs that stand in for those of a cluster, and the environment in which they are found."""
    programs, said = tmp_path / "bin", tmp_path / "said"
    programs.mkdir()
    said.mkdir()
    program(programs, "python", SAY)
    program(programs, "srun", SRUN)
    program(programs, "scontrol", '[[ "$*" == "show hostnames n[01-04]" ]] && printf "n0%d\\n" 1 2 3 4')
    path = {"PATH": f"{programs}:{os.environ['PATH']}", "SAID": str(said)}
    return path, said


def configs(said):
    found = [task({"TF_CONFIG": p.read_text()}) for p in said.iterdir() if p.name.isdigit()]
    return sorted(found, key=lambda t: t.index)


@pytest.mark.parametrize("failures", [0, 2, 3])
def test_the_script_for_slurm_gives_each_task_its_place_and_tries_again(fakes, failures):
    path, said = fakes
    slurm = {
        "SLURM_JOB_ID": "123456",
        "SLURM_JOB_NODELIST": "n[01-04]",
        "FOLDER": "/shared/my run",
        "FAILURES": str(failures),
    }
    done = subprocess.run(
        ["bash", str(FILES / "train.sbatch")], env={**path, **slurm}, capture_output=True, text=True, check=False
    )
    assert done.returncode == (failures == 3), done.stderr
    assert done.stderr.count("failed; the next one goes on from the last checkpoint") == failures
    assert (said / "srun").read_text().count("--label --kill-on-bad-exit=1 bash -c") == min(failures + 1, 3)
    if failures < 3:
        assert [t.index for t in configs(said)] == [0, 1, 2, 3]
        assert {t.role for t in configs(said)} == {"worker"}
        assert all(t.cluster == {"worker": [f"n0{i}:23456" for i in (1, 2, 3, 4)]} for t in configs(said))
        assert (said / "arguments").read_text() == "<train_on_many.py></shared/my run>" * 4


# what sbatch(1) of Slurm 24.05 knows, of the options that a job such as this may need
KNOWN = {
    "account", "constraint", "cpus-per-task", "error", "exclusive", "gres", "gpus-per-node", "gpus-per-task", "job-name",
    "mail-type", "mail-user", "mem", "mem-per-cpu", "nodes", "ntasks", "ntasks-per-node", "open-mode", "output",
    "partition", "qos", "requeue", "signal", "time",
}  # fmt: skip


def test_the_options_for_slurm_are_known_stand_before_the_first_command_and_fit_together():
    lines = (FILES / "train.sbatch").read_text().splitlines()
    subprocess.run(["bash", "-n", str(FILES / "train.sbatch")], check=True)
    assert lines[0].startswith("#!")
    options = [re.fullmatch(r"#SBATCH --([a-z-]+)(?:=(\S+))?", line) for line in lines if line.startswith("#SBATCH")]
    assert all(options)
    given = dict(option.groups() for option in options)
    assert set(given) <= KNOWN
    last = max(i for i, line in enumerate(lines) if line.startswith("#SBATCH"))
    assert all(line.startswith("#") for line in lines[: last + 1])  # Slurm reads none after a command
    assert given["ntasks-per-node"] == "1"  # a port belongs to one task of a node
    assert re.fullmatch(r"\d\d:\d\d:\d\d", given["time"])
    assert given["open-mode"] == "append"  # a requeued job must not erase what was said before


def documents():
    return {d["kind"]: d for d in yaml.safe_load_all((FILES / "train.yaml").read_text())}


@pytest.mark.skipif(platform.system() != "Linux", reason="they run in a Linux container: seq differs elsewhere")
def test_the_commands_for_kubernetes_give_each_pod_its_place(fakes):
    path, said = fakes
    pod = documents()["Job"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    env = {entry["name"]: entry["value"] for entry in container["env"]}
    for i in range(4):
        index = {"JOB_COMPLETION_INDEX": str(i)}
        subprocess.run([*container["command"], *container["args"]], env={**path, **env, **index}, check=True)
    found = configs(said)
    assert [t.index for t in found] == [0, 1, 2, 3]
    job, port = documents()["Job"]["metadata"]["name"], documents()["Service"]["spec"]["ports"][0]["port"]
    # the name of a pod of an indexed job, and the domain that the service gives to it
    names = [f"{job}-{i}.{pod['subdomain']}:{port}" for i in range(4)]
    assert all(t.cluster == {"worker": names} for t in found)
    mounted = container["volumeMounts"][0]["mountPath"]
    assert (said / "arguments").read_text() == f"<train_on_many.py><{mounted}/run>" * 4


def test_the_parts_for_kubernetes_are_of_the_right_form_and_fit_together():
    found = documents()
    versions = {kind: d["apiVersion"] for kind, d in found.items()}
    assert versions == {"Service": "v1", "PersistentVolumeClaim": "v1", "Job": "batch/v1"}
    service, job, claim = found["Service"], found["Job"]["spec"], found["PersistentVolumeClaim"]
    pod, labels = job["template"]["spec"], job["template"]["metadata"]["labels"]
    assert service["spec"]["clusterIP"] == "None"  # quoted or not, the text: a name for each pod
    assert service["spec"]["publishNotReadyAddresses"] is True  # workers wait for each other before they are ready
    assert service["spec"]["selector"].items() <= labels.items()
    assert pod["subdomain"] == service["metadata"]["name"]
    assert job["completionMode"] == "Indexed"
    assert job["completions"] == job["parallelism"] == int(pod["containers"][0]["env"][0]["value"])
    assert pod["restartPolicy"] == "OnFailure"
    assert pod["containers"][0]["ports"][0]["containerPort"] == service["spec"]["ports"][0]["port"]
    assert all(isinstance(entry["value"], str) for entry in pod["containers"][0]["env"])
    (volume,), (mount,) = pod["volumes"], pod["containers"][0]["volumeMounts"]
    assert volume["name"] == mount["name"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    names = [d["metadata"]["name"] for d in found.values()]
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name) for name in names)
    keys = {"completionMode", "completions", "parallelism", "backoffLimit", "template"}
    assert set(job) == keys
    assert job["backoffLimit"] >= 4 * job["completions"]  # each failure restarts all pods


def test_the_page_shows_these_files():
    page = (FILES.parents[1] / "reference" / "cluster.md").read_text()
    for name in ("train.sbatch", "train.yaml"):
        assert f"{{literalinclude}} ../assets/cluster/{name}" in page
