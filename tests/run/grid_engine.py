"""A Grid Engine of one node, on loopback, in a folder of its own, for tests (Debian's packages)."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.run.queued import wait_for
from tests.run.slurm_cluster import free_ports

SLOTS = 2
_HOST = "localhost"
_DEBIAN = Path("/var/lib/gridengine")
_TOOLS = Path("/usr/lib/gridengine")
_SHARE = Path("/usr/share/gridengine")

_BOOTSTRAP = """
admin_user              none
default_domain          none
ignore_fqdn             true
spooling_method         berkeleydb
spooling_lib            libspoolb
spooling_params         {place}/spooldb
binary_path             /usr/sbin
qmaster_spool_dir       {place}/qmaster
security_mode           none
listener_threads        2
worker_threads          2
scheduler_threads       1
"""
_QUEUE = {
    "qname": "main.q",
    "hostlist": "{host}",
    "slots": "{slots}",
    "shell": "/bin/sh",
    "shell_start_mode": "unix_behavior",
    "rerun": "TRUE",
    "pe_list": "smp",
    "load_thresholds": "NONE",
}
_ENVIRONMENT = """pe_name smp
slots 99
user_lists NONE
xuser_lists NONE
start_proc_args /bin/true
stop_proc_args /bin/true
allocation_rule $pe_slots
control_slaves FALSE
job_is_first_task TRUE
urgency_slots min
accounting_summary FALSE
qsort_args NONE
"""


def missing() -> list[str]:
    """What of Grid Engine is not on this machine."""
    needed = [_DEBIAN / "util", _TOOLS / "spoolinit", _SHARE / "default-configuration"]
    lacking = [str(path) for path in needed if not path.exists()]
    names = ("sge_qmaster", "sge_execd", "qsub")
    return lacking + [name for name in names if not shutil.which(name, path=_PATH)]


_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


@contextmanager
def cluster(place: Path) -> Iterator[dict[str, str]]:
    """A running cluster; the environment in which its commands find it. All ends with it."""
    master, node = free_ports(2)
    environment = {
        "SGE_ROOT": str(place),
        "SGE_CELL": "default",
        "SGE_QMASTER_PORT": str(master),
        "SGE_EXECD_PORT": str(node),
        "PATH": _PATH,
    }
    _prepare(place, environment)
    with _server("sge_qmaster", environment):
        wait_for(lambda: bool(say(environment, "qconf", "-sh")), "the master")
        _add_queue(place, environment)
        with node_of(environment):
            yield environment
            say(environment, "qdel", "-f", "-u", getpass.getuser())
            wait_for(lambda: not say(environment, "qstat"), "an empty queue", 60)


@contextmanager
def node_of(environment: Mapping[str, str]) -> Iterator[None]:
    """The node of a cluster, once it takes jobs."""
    with _server("sge_execd", environment):
        wait_for(lambda: bool(_load(environment)), "the node")
        yield


def lose_node(environment: Mapping[str, str]) -> None:
    """Kill the node's server and all that it runs at once, as a power failure does."""
    (file,) = Path(environment["SGE_ROOT"]).glob("execd/*/execd.pid")
    doomed, found = [int(file.read_text())], 0
    while found < len(doomed):  # stopped first, so that none of them sees another one end
        os.kill(doomed[found], signal.SIGSTOP)
        told = subprocess.run(["pgrep", "-P", str(doomed[found])], capture_output=True, text=True)
        doomed += map(int, told.stdout.split())
        found += 1
    for process in doomed:
        os.kill(process, signal.SIGKILL)


@contextmanager
def _server(name: str, environment: Mapping[str, str]) -> Iterator[None]:
    program = shutil.which(name, path=_PATH)
    assert program is not None
    with (Path(environment["SGE_ROOT"]) / f"{name}.out").open("a") as log:
        kept = dict(environment) | {"SGE_ND": "1"}  # stay in the foreground
        server = subprocess.Popen([program], stdout=log, stderr=subprocess.STDOUT, env=kept)
        try:
            yield
        finally:
            server.terminate()
            server.wait(30)


def say(environment: Mapping[str, str], *command: str) -> str:
    """Standard output of one of its commands."""
    done = subprocess.run(
        command, capture_output=True, text=True, env=dict(environment), check=False
    )
    return done.stdout.strip()


def _prepare(place: Path, environment: Mapping[str, str]) -> None:
    for name in ("bin", "lib", "util", "utilbin"):
        (place / name).symlink_to(_DEBIAN / name)
    for name in ("default/common", "qmaster/job_scripts", "spooldb", "execd"):
        (place / name).mkdir(parents=True)
    common = place / "default" / "common"
    (common / "bootstrap").write_text(_BOOTSTRAP.format(place=place).lstrip())
    # The address of this machine may bear several names, of which one has to stand for all.
    (common / "host_aliases").write_text(f"{_HOST} {socket.gethostname()}\n")
    (common / "act_qmaster").write_text(f"{_HOST}\n")
    configuration = (_SHARE / "default-configuration").read_text()
    changed = {"execd_spool_dir": f"{place}/execd", "min_uid": "0", "min_gid": "0"}
    lines = [line for line in configuration.splitlines() if line.split()[:1] != []]
    lines = [line for line in lines if line.split()[0] not in changed]
    own = place / "configuration"
    own.write_text("\n".join([*lines, *(f"{k} {v}" for k, v in changed.items())]) + "\n")
    resources = _SHARE / "util" / "resources"
    for command in (
        ("spoolinit", "berkeleydb", "libspoolb", f"{place}/spooldb", "init"),
        ("spooldefaults", "configuration", str(own)),
        ("spooldefaults", "complexes", str(resources / "centry")),
        ("spooldefaults", "usersets", str(resources / "usersets")),
        ("spooldefaults", "managers", getpass.getuser()),
    ):
        program, *rest = command
        subprocess.run(
            [str(_TOOLS / program), *rest], env=dict(environment), check=True, capture_output=True
        )


def _add_queue(place: Path, environment: Mapping[str, str]) -> None:
    """Make a queue of one host, which runs parallel jobs and is looked at every second."""
    say(environment, "qconf", "-as", _HOST)
    scheduler = place / "scheduler"
    shown = say(environment, "qconf", "-ssconf").splitlines()
    often = {"schedule_interval": "0:0:1", "flush_submit_sec": "1", "flush_finish_sec": "1"}
    changed = [f"{n} {often[n]}" if (n := line.split()[0]) in often else line for line in shown]
    scheduler.write_text("\n".join(changed) + "\n")
    say(environment, "qconf", "-Msconf", str(scheduler))
    parallel = place / "smp"
    parallel.write_text(_ENVIRONMENT)
    say(environment, "qconf", "-Ap", str(parallel))
    template = say(environment, "qconf", "-sq").replace("\\\n", " ").splitlines()
    kept = [line for line in template if line.split()[0] not in _QUEUE]
    own = [f"{key} {value.format(host=_HOST, slots=SLOTS)}" for key, value in _QUEUE.items()]
    queue = place / "queue"
    queue.write_text("\n".join([*own, *kept]) + "\n")
    say(environment, "qconf", "-Aq", str(queue))


def _load(environment: Mapping[str, str]) -> bool:
    """Whether the node has said how it is, and can be given jobs."""
    shown = say(environment, "qstat", "-f")
    return "main.q" in shown and not any(
        state in line.split()[-1:] for line in shown.splitlines() for state in ("au", "u", "E")
    )
