"""A Slurm of one node, on loopback, in a folder of its own, for tests."""

from __future__ import annotations

import getpass
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.run.queued import wait_for

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "srun")
LARGEST_ARRAY = 4
CPUS = 2
GPUS = 2

_SLURM = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
MpiDefault=none
ReturnToService=2
KillWait=2
CompleteWait=0
MaxArraySize={largest}
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000 Gres=gpu:{gpus} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=spare Nodes={host} MaxTime=INFINITE State=UP
"""
# Two files stand for GPUs: nothing opens them, but Slurm hands them out one by one.
_GPUS = "Name=gpu File=/dev/zero\nName=gpu File=/dev/full\n"


def missing() -> list[str]:
    """What of Slurm is not on this machine. Its servers may be where only root looks."""
    return [name for name in PROGRAMS if _which(name) is None]


@contextmanager
def cluster(place: Path) -> Iterator[Path]:
    """A running cluster; where its `slurm.conf` is. It is stopped, and all that it ran, at the
    end."""
    conf = _configure(place)
    with ExitStack() as servers:
        key = place / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o600)
        options = [f"--{name}={place}/munge.{name}" for name in ("socket", "seed-file")]
        names = {"--pid-file": "pid", "--log-file": "log"}
        options += [f"{option}={place}/munge.{name}" for option, name in names.items()]
        # A folder of tests is closed to others, which munge would not accept unless forced.
        _start(servers, place, "munged", "--foreground", "--force", f"--key-file={key}", *options)
        wait_for(lambda: (place / "munge.socket").exists(), "munged")
        _start(servers, place, "slurmctld", "-D", "-c", "-f", str(conf))
        _start(servers, place, "slurmd", "-D", "-f", str(conf))
        wait_for(lambda: "idle" in say(conf, "sinfo", "--noheader", "--format=%t"), "the node")
        try:
            yield conf
        finally:
            say(conf, "scancel", "--signal=KILL", "--full", "--user", getpass.getuser())
            say(conf, "scancel", "--user", getpass.getuser())
            wait_for(lambda: not say(conf, "squeue", "--noheader"), "an empty queue")


def say(conf: Path, *command: str) -> str:
    """Standard output of a Slurm command on this cluster."""
    environment = {"SLURM_CONF": str(conf), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return done.stdout.strip()


def _configure(place: Path) -> Path:
    for name in ("state", "spool"):
        (place / name).mkdir()
    controller, node = free_ports(2)
    conf = place / "slurm.conf"
    text = _SLURM.format(
        place=place,
        host=socket.gethostname().partition(".")[0],
        user=getpass.getuser(),
        controller=controller,
        node=node,
        largest=LARGEST_ARRAY,
        cpus=CPUS,
        gpus=GPUS,
    )
    conf.write_text(text)
    (place / "gres.conf").write_text(_GPUS)
    # No limits are asked for, so neither kind of cgroup is touched; older versions need a name.
    disabled = "disabled" if _version() >= (23, 11) else "cgroup/v1"
    (place / "cgroup.conf").write_text(f"CgroupPlugin={disabled}\n")
    return conf


def _version() -> tuple[int, ...]:
    command = [_which("slurmctld") or "", "-V"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    return tuple(int(part) for part in re.findall(r"\d+", shown.stdout)[:2])


def free_ports(count: int) -> list[int]:
    with ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _start(servers: ExitStack, place: Path, name: str, *options: str) -> None:
    """A server that ends with the stack."""
    program = _which(name)
    assert program is not None
    log = servers.enter_context((place / f"{name}.out").open("w"))
    command: Sequence[str] = [program, *options]
    server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    servers.callback(server.wait, 30)
    servers.callback(server.terminate)


def _which(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
