"""What runs Dagster with two workers: Postgres, PgBouncer, Redis, code server, daemon, workers. Private to this
process."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from dagster import DagsterEventType, DagsterInstance, DagsterRunStatus

from benchmarks.processes import cpu_seconds
from courier.engines.dagster.past import GROUP, is_over

BIN = Path(sys.executable).parent
DEPLOY = Path(__file__).parents[1] / "deploy"
WITHIN = 90.0


@dataclass
class Machine:
    """`processes`: name -> the leader of a process group. `servers`: of Postgres and of
    PgBouncer, the first process."""

    work: Path
    environment: Mapping[str, str]
    instance: DagsterInstance
    servers: Mapping[str, int]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> None:
        log = (self.work / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            command, cwd=self.work, env=dict(self.environment), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def start_worker(self, name: str) -> None:
        settings = str(self.work / "celery.yaml")
        self.start(
            name, str(BIN / "dagster-celery"), "worker", "start", "-A", "dagster_celery.app", "-y", settings,
            "-n", name, "--", "--concurrency", "2",
        )  # fmt: skip

    def stop(self) -> None:
        for process in reversed(self.processes.values()):
            _signal(process, signal.SIGTERM)
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            _signal(process, signal.SIGKILL)

    def kill_worker(self) -> None:
        _signal(self.processes["worker-1"], signal.SIGKILL)

    def mend(self) -> None:
        """Start what was killed."""
        if self.processes["worker-1"].poll() is not None:
            self.start_worker("worker-1")

    def launch(self, job: str) -> str:
        """Ask for a run of the job; its id."""
        before = set(self.runs())
        command = [str(BIN / "dagster"), "job", "launch", "-w", str(self.work / "workspace.yaml"), "-j", job]
        subprocess.run(command, cwd=self.work, env=dict(self.environment), check=True, capture_output=True)
        (run,) = set(self.runs()) - before
        return run

    def runs(self) -> list[str]:
        return [run.run_id for run in self.instance.get_runs()]

    def is_done(self, before: set[str]) -> bool:
        """Whether the runs that came since are over, and nothing is about to be tried again."""
        found = [run for run in self.instance.get_runs() if run.run_id not in before]
        latest = max(found, key=lambda run: self.instance.get_run_record_by_id(run.run_id).create_timestamp)  # type: ignore[union-attr]
        return bool(latest.tags.get(GROUP)) and is_over(self.instance, latest)

    def result_of(self, runs: list[str]) -> str:
        """Of the latest of the runs, which is what came of all."""
        statuses = {run.status for run in self.instance.get_runs() if run.run_id in runs}
        return "succeeded" if DagsterRunStatus.SUCCESS in statuses else "failed"

    def cpu(self) -> dict[str, float]:
        """Name -> CPU seconds so far; what has been killed is not counted."""
        leaders = {name: process.pid for name, process in self.processes.items()}
        return {name: cpu_seconds(pid) for name, pid in {**leaders, **self.servers}.items()}

    def coordinator(self, run: str) -> int:
        """The process of the run."""
        (begun,) = self.instance.all_logs(run, of_type=DagsterEventType.RUN_START)
        assert begun.dagster_event and begun.dagster_event.pid
        return begun.dagster_event.pid


@contextmanager
def machine(work: Path, project: Path, *, handed_on: int) -> Iterator[Machine]:
    """All of it started; nothing of it left afterwards. `handed_on`: seconds until a worker's step is another's."""
    home, ports = work / "home", {name: _free() for name in ("postgres", "pooler", "redis", "code")}
    home.mkdir()
    _write_settings(work, home, ports, handed_on)
    broker = f"redis://127.0.0.1:{ports['redis']}/0"
    os.environ |= {
        "DAGSTER_HOME": str(home),
        "DAGSTER_POSTGRES_URL": f"postgresql://postgres@127.0.0.1:{ports['pooler']}/dagster",
        "COURIER_POSTGRES_URL": f"postgresql://postgres:none@127.0.0.1:{ports['postgres']}/warehouse",
        "COURIER_PROJECT": str(project), "COURIER_CELERY_BROKER": broker, "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    with _postgres(ports) as postgres, _pooler(ports) as pooler, DagsterInstance.get() as instance:
        made = Machine(work, os.environ, instance, {"postgres": postgres, "pooler": pooler})
        try:
            _start(made, ports)
            yield made
        finally:
            made.stop()


def _start(made: Machine, ports: Mapping[str, int]) -> None:
    made.start("redis", "redis-server", "--port", str(ports["redis"]), "--save", "", "--bind", "127.0.0.1")
    code = ["-h", "127.0.0.1", "-p", str(ports["code"]), "-m", "courier.engines.dagster", "--location-name", "courier"]
    made.start("code", str(BIN / "dagster"), "code-server", "start", *code)
    for port in ("redis", "code"):
        _answering(ports[port])
    made.start("daemon", str(BIN / "dagster-daemon"), "run", "-w", str(made.work / "workspace.yaml"))
    for name in ("worker-1", "worker-2"):
        made.start_worker(name)


def _write_settings(work: Path, home: Path, ports: Mapping[str, int], handed_on: int) -> None:
    """Those of deploy/, but for the ports, and for how soon things are noticed."""
    settings = (DEPLOY / "dagster.yaml").read_text("utf-8")
    (home / "dagster.yaml").write_text(
        settings.replace("poll_interval_seconds: 30", "poll_interval_seconds: 5"), "utf-8"
    )
    workers = (DEPLOY / "celery.yaml").read_text("utf-8")
    sooner = workers.replace("visibility_timeout: 900", f"visibility_timeout: {handed_on}")
    (work / "celery.yaml").write_text(sooner, "utf-8")
    where = (DEPLOY / "workspace.yaml").read_text("utf-8").replace("host: code", "host: 127.0.0.1")
    (work / "workspace.yaml").write_text(where.replace("4266", str(ports["code"])), "utf-8")


@contextmanager
def _postgres(ports: Mapping[str, int]) -> Iterator[int]:
    """A cluster on loopback with both databases; the id of its first process."""
    tools, port = max(Path("/usr/lib/postgresql").glob("*/bin")), ports["postgres"]
    with _folder("postgres") as folder:
        data, options = str(folder / "data"), f"-p {port} -h 127.0.0.1 -k {folder} -F"
        subprocess.run([*_as_user(), str(tools / "initdb"), "-D", data, "-U", "postgres", "-A", "trust"], check=True,
                       capture_output=True, cwd="/")  # fmt: skip
        control = [*_as_user(), str(tools / "pg_ctl"), "-D", data, "-w"]
        subprocess.run([*control, "-o", options, "-l", str(folder / "log"), "start"], check=True, cwd="/",
                       stdout=subprocess.DEVNULL)  # fmt: skip
        try:
            for name in ("dagster", "warehouse"):
                made = ["createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", name]
                subprocess.run(made, check=True, capture_output=True)
            yield int((folder / "data" / "postmaster.pid").read_text("utf-8").split()[0])
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd="/")


@contextmanager
def _pooler(ports: Mapping[str, int]) -> Iterator[int]:
    """PgBouncer between Dagster and its database, by deploy/'s settings; the id of its process."""
    with _folder("pooler") as folder, (folder / "log").open("wb") as log:
        (folder / "users.txt").write_text('"postgres" ""\n', "utf-8")
        settings = (DEPLOY / "pgbouncer.ini").read_text("utf-8")
        for told, here in (
            ("host=postgres port=5432", f"host=127.0.0.1 port={ports['postgres']}"),
            ("0.0.0.0", "127.0.0.1"), ("6432", str(ports["pooler"])), ("scram-sha-256", "trust"),
            ("/tmp/users.txt", str(folder / "users.txt")),
        ):  # fmt: skip
            settings = settings.replace(told, here)
        (folder / "pgbouncer.ini").write_text(settings, "utf-8")
        command = [*_as_user(), "pgbouncer", str(folder / "pgbouncer.ini")]
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            _answering(ports["pooler"])
            yield process.pid
        finally:
            _signal(process, signal.SIGTERM)
            process.wait()


def _as_user() -> list[str]:
    """Neither server runs as root."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    """The servers' user may not look into ours."""
    folder = Path("/tmp") / f"courier-{name}-{os.getpid()}"
    folder.mkdir(mode=0o755)
    if _as_user():
        shutil.chown(folder, "postgres")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """To the whole group, its leader dead or alive."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _free() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _answering(port: int) -> None:
    until(lambda: _takes(port), f"an answer at port {port}", WITHIN)


def _takes(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def until(holds: Callable[[], bool], what: str, within: float) -> None:
    end = time.monotonic() + within
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {within:.0f} s: {what}")
        time.sleep(0.5)
