"""Schedulers by their words: golden files, and stand-ins that answer as the real commands do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from harness.errors import EvidenceError, UserError
from harness.plan.step import Step
from harness.run.cluster.batch import Batches
from harness.run.cluster.look import cancel, collect, look
from harness.run.cluster.resources import Cluster
from harness.run.cluster.submission import QueuedArray
from harness.run.cluster.submit import submit
from harness.store.store import Store
from tests.run.graphs import chain, digests, graph_of, make_step, run_inline

# What each real command prints: a submission's answer, and one line of the list of living jobs.
SAID = {
    "pbs": ("qsub", "{n}[].head", "qselect", "{n}[].head", "qdel", "{n}[].head"),
    "lsf": ("bsub", "Job <{n}> is submitted to queue <normal>.", "bjobs", "{n}", "bkill", "{n}"),
    "sge": (
        "qsub",
        "{n}.1-2:1",
        "qstat",
        "      {n} 0.55500 repro-draw me           qw    11/29/2026 03:26:40           1 1-2:1",
        "qdel",
        "{n}",
    ),
    "htcondor": ("condor_submit", "{n}.0 - {n}.1", "condor_q", "{n} 1", "condor_rm", "{n}"),
    "flux": ("flux", "ƒ{n}A", "flux", "ƒ{n}A", "flux", "cancel ƒ{n}A"),
    "skypilot": (
        "sky",
        "✓ Managed Job ID: \x1b[36m{n}",
        "sky",
        "{n}   -     repro-draw  1x[CPU:1+]  1 min ago  -  -  0  PENDING  -",
        "sky",
        "jobs cancel --yes {n}",
    ),
}
# Lines of jobs that will do no more, which some lists still hold.
ENDED = {
    "sge": "      1 0.55500 repro-draw me           Eqw   11/29/2026 03:26:40           1 1-2:1",
    "htcondor": "1 5",
}
_COMMAND = """#!/bin/sh
cd "{place}"
case "$(basename "$0") $1" in
"{alive} "*|"flux jobs") case "$*" in *batch*|*launch*|*cancel*) ;; *) exec cat living;; esac;;
esac
case "$(basename "$0") $1" in
"{cancel} "*|"flux cancel") case "$*" in *batch*|*launch*) ;;
    *) echo "$@" >> cancelled; exit;; esac;;
esac
number=$(($(cat count) + 1))
echo $number > count
for last; do :; done
if test -f "$last"; then cp "$last" $number.batch; else cat > $number.batch; fi
echo "{said}" | sed "s/{{n}}/$number/g"
"""


class Words:
    """One scheduler's commands."""

    def __init__(self, preset: str, place: Path) -> None:
        self.preset, self.place = preset, place
        submits, said, alive, self._line, cancels, self.cancelled = SAID[preset]
        (place / "count").write_text("0")
        self.living()
        for name in {submits, alive, cancels}:
            text = _COMMAND.format(place=place, alive=alive, cancel=cancels, said=said)
            (place / name).write_text(text)
            (place / name).chmod(0o755)

    def living(self, *numbers: int) -> None:
        lines = [self._line.replace("{n}", str(number)) for number in numbers]
        (self.place / "living").write_text("".join(f"{line}\n" for line in lines))

    def script(self, number: int) -> str:
        return (self.place / f"{number}.batch").read_text()


@pytest.fixture(params=sorted(SAID))
def words(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Words:
    place = tmp_path / "bin"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    return Words(request.param, place)


def queued(graph: dict[str, Step], store: Store, preset: str, **asked: object) -> list[QueuedArray]:
    cluster = Cluster.model_validate({"batch": {"preset": preset}} | asked)
    return submit(graph, store, cluster, "cpu", {"exhibits": []}, "batch")


def pair() -> dict[str, Step]:
    """Two steps of one kind, and one that reads both."""
    draws = [make_step("draw", {"count": 20 + number}) for number in range(2)]
    inputs = {f"draw{number}": draw for number, draw in enumerate(draws)}
    return graph_of(*draws, make_step("select", inputs=inputs))


def test_the_files_that_schedulers_get(words: Words, store: Store, snapshot: SnapshotAssertion):
    asked = {"partition": "gpu", "minutes": 90, "tasks": 2, "cpus_per_task": 3, "at_once": 1}
    more = {"gpus_per_task": 1, "memory_gb": 1.5, "options": ["--mine a", "--mine b"]}
    queued(pair(), store, words.preset, **asked, **more)
    made = sorted(words.place.glob("*.batch"), key=lambda path: int(path.stem))
    text = "\n".join(path.read_text() for path in made)
    assert text.replace(str(store.root.resolve()), "STORE") == snapshot
    plain = Store(store.root.parent / "plain")
    queued(pair(), plain, words.preset)
    text = words.script(len(made) + 1)
    assert text.replace(str(plain.root.resolve()), "STORE") == snapshot


def test_what_lives_is_queued_and_what_is_gone_is_lost(words: Words, store: Store):
    draws = dict(list(pair().items())[:2])
    made = queued(draws, store, words.preset)
    words.living(*range(1, len(made) + 1))
    assert look(store)[0].counts()["queued"] == 2
    assert queued(draws, store, words.preset) == []
    if words.preset in ENDED:
        (words.place / "living").write_text(f"{ENDED[words.preset]}\n")
    else:
        words.living()
    log = store.root / "slurm" / "1" / "jobs" / "0-0.log"
    log.write_text("Killed\n")
    [standing] = collect(store)
    assert standing.over
    assert standing.counts()["lost"] == 2
    assert store.failures.identities() == draws.keys()
    assert "Killed\n" in [store.failures.get(identity).log for identity in draws]  # type: ignore[union-attr]


def test_arrays_are_cancelled_as_a_whole(words: Words, store: Store):
    made = queued(pair(), store, words.preset)
    words.living(*range(1, len(made) + 1))
    assert len(cancel(store, [])) == len(made)
    told = (words.place / "cancelled").read_text().splitlines()
    numbers = range(len(made), 0, -1)
    assert told == [words.cancelled.replace("{n}", str(number)) for number in numbers]
    assert look(store)[0].counts()["cancelled"] == sum(
        len(steps) for array in made for steps in array.jobs.values()
    )


def test_a_scheduler_that_cannot_wait_gets_what_can_start(tmp_path: Path):
    cluster = Cluster.model_validate({"batch": {"preset": "htcondor"}})
    assert not Batches(cluster).waits
    for preset in SAID.keys() - {"htcondor", "skypilot"}:
        assert Batches(Cluster.model_validate({"batch": {"preset": preset}})).waits


SHARED = ["  image_id: docker:lab/repro", "  infra: k8s", "volumes:", "  /shared: lab-volume"]


def sky_task(words: Words, store: Store) -> str:
    """The path of a task that SkyPilot would be given."""
    asked = {"partition": "H100", "gpus_per_task": 1, "memory_gb": 64, "options": SHARED}
    queued(graph_of(make_step("draw")), store, "skypilot", **asked)
    return str(words.place / "1.batch")


@pytest.mark.parametrize("words", ["skypilot"], indirect=True)
def test_a_task_of_skypilot_is_yaml_with_the_volume_and_the_worker(words: Words, store: Store):
    held = yaml.safe_load(Path(sky_task(words, store)).read_text())
    assert held["resources"] == {
        "cpus": "1+",
        "memory": "65536MB+",
        "accelerators": "H100:1",
        "image_id": "docker:lab/repro",
        "infra": "k8s",
    }
    assert held["volumes"] == {"/shared": "lab-volume"}
    assert str(store.root.resolve()) in held["run"]


@pytest.mark.slow
@pytest.mark.parametrize("words", ["skypilot"], indirect=True)
def test_skypilots_own_client_takes_the_task(words: Words, store: Store):
    """It has no account here: the task is parsed and checked against its schema, not launched."""
    program = (
        "import os, sys; os.environ['HOME'] = sys.argv[2]; import sky;"
        "task = sky.Task.from_yaml(sys.argv[1]); [asked] = task.resources;"
        "print(task.name, asked.accelerators, asked.memory, task.run)"
    )
    uv = (Path(sys.executable).with_name("uv"), "run", "--quiet", "--no-project")
    how = (*uv, "--with", "skypilot==0.14.1", "python", "-c", program)
    asked = (*how, sky_task(words, store), words.place)
    told = subprocess.run(asked, capture_output=True, text=True)
    if "No solution found" in told.stderr or "Failed to" in told.stderr:
        pytest.skip("SkyPilot cannot be installed here")
    assert told.returncode == 0, told.stderr
    assert "repro-draw {'H100': 1} 64" in told.stdout


HERE = {
    "submit": "sh {script}",
    "id": r"^job (\d+)",
    "alive": "true",
    "living": r"^(\d+)",
    "cancel": "true",
    "lines": ["for i in $(seq 0 $(({jobs} - 1))); do {run} $i; done", "echo job 7"],
}


def test_words_of_ones_own_run_jobs_in_this_shell(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    graph = chain()
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    cluster = Cluster.model_validate({"batch": HERE, "tasks": 2})
    while submit(graph, store, cluster, "cpu", {}, "batch"):
        assert all(each.over for each in collect(store))
    run_inline(graph, tmp_path / "inline")
    assert digests(store.root) == digests(tmp_path / "inline")


def test_a_name_that_is_not_told_is_said(store: Store):
    cluster = Cluster.model_validate({"batch": HERE | {"id": r"number (\d+)", "lines": ["true"]}})
    with pytest.raises(EvidenceError, match=r"mend the pattern batch\.id"):
        submit(chain(), store, cluster, "cpu", {}, "batch")


def test_without_words_it_asks_for_them(store: Store):
    with pytest.raises(UserError, match="give a --cluster file with a table"):
        submit(chain(), store, Cluster(), "cpu", {}, "batch")


def test_a_value_that_there_is_none_of_is_named(store: Store):
    cluster = Cluster.model_validate({"batch": HERE | {"lines": ["#X {walltime}"]}})
    with pytest.raises(UserError, match="no value 'walltime'; there are after, at_once"):
        submit(chain(), store, cluster, "cpu", {}, "batch")
