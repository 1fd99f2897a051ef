"""Killed at any moment and resumed, a replay ends with the view and counts of one never killed."""
import math
import os
import resource
import shutil
import signal
import subprocess
import time

import pytest

from support import proc, stores, views

SEARCH = ("opensearch", "elasticsearch")
SLOW = ("kafka", *SEARCH)           # a run of these begins and commits slowly
MODES = {
    "latest": ([], lambda s, e: s.latest("v") == views.fold_latest(e)),
    "log": (["--mode", "log"], lambda s, e: s.log("v") == views.fold_log(e)),
    "count": (["--mode", "count"],
              lambda s, e: {k: int(n) for k, n in s.totals("v", "count").items()} ==
              views.fold_count(e)),
}


@pytest.fixture(params=["sqlite", "jsonl", "postgresql", "redis", "kafka", "kafka-elsewhere",
                        *SEARCH])
def sink(request, tmp_path):
    made = views.make(request.param, request.getfixturevalue, tmp_path)
    made.kind = request.param
    return made


@pytest.fixture(params=["sqlite", "jsonl"])
def file_sink(request, tmp_path):
    return views.make(request.param, request.getfixturevalue, tmp_path)


@pytest.fixture
def filled(admin, topic, rng, request):
    def fill(n, partitions=3):
        name = topic(partitions=partitions)
        sink = request.getfixturevalue("sink") if "sink" in request.fixturenames else None
        records = views.hostile(rng, n, True, partitions,
                                getattr(sink, "fits", lambda key: True))
        for at in range(0, n, 1000):
            admin("produce", topic=name, records=records[at:at + 1000])
        return name
    return fill


def argv(topic, sink, *options):
    return ("replay", topic, "--sink", sink.url, "--target", "v", "--json", "--yes",
            *getattr(sink, "options", []), *options, "--resume")


def equal_counts(report, events, log=False):
    got = report["events"]
    nulls = 0 if log else sum(e.key is None for e in events)
    assert got == {"read": len(events), "matched": len(events), "applied": len(events) - nulls,
                   "skipped": nulls, "dead_lettered": 0}


KILLS, KILLS_LONG = 100, 1000       # of each transactional sink, over its modes
PART = {"opensearch": 5, "elasticsearch": 5, "kafka-elsewhere": 3}      # and of these a part


@pytest.mark.parametrize("mode", list(MODES))
def test_kill_at_random(kevs, kafka, sink, filled, rng, request, mode):
    """Killed at a random moment of the time that a whole run takes, resumed, killed again."""
    kills = KILLS_LONG if request.config.option.long else KILLS
    kills = math.ceil(kills / PART.get(sink.kind, 1) / len(MODES))
    options, same = MODES[mode]
    name = filled(400 if sink.name in SLOW else 2000)
    events = views.dump(kafka, name)
    done, rounds, whole = 0, 0, 0
    while done < kills:
        rounds += 1
        sink.clear()
        run = argv(name, sink, *options, "--batch", str(rng.choice([20, 60, 200])), "--id",
                   f"job{rounds}")
        fresh, began = True, time.monotonic()
        while whole and done < kills:
            child = kevs.start(*run)
            try:
                child.communicate(timeout=rng.uniform(0.005, whole))
                break
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()
                done += 1
                fresh = False
        result = kevs(*run).ok()
        if fresh:                       # nothing was killed: this is how long a run takes now
            whole = time.monotonic() - began
        assert same(sink, events), f"after {done} kills"
        equal_counts(result.json, events, mode == "log")


# LeakSanitizer refuses to work under ptrace.
NO_LEAK_CHECK = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


# Everything by which a sink's files come, grow, shrink and go. strace counts each call by itself.
CALLS = ("openat", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "unlink")
SUFFIXES = {"sqlite": ["", "-journal", "-wal", "-shm"],
            "jsonl": ["", ".checkpoint", ".checkpoint.new", ".compact", ".deleted",
                      ".deleted.new"]}


@pytest.mark.parametrize("mode", list(MODES))
def test_kill_at_every_syscall(kevs, kafka, file_sink, filled, mode):
    """Each call that touches the sink's files, one after the other, is the one that never comes
    back: for every kind of call, the k-th of it until a run gets through."""
    sink, (options, same) = file_sink, MODES[mode]
    name = filled(150, partitions=1)
    events = views.dump(kafka, name)
    run = argv(name, sink, *options, "--batch", "80")
    files = [a for s in SUFFIXES[sink.name] for a in ("-P", f"{sink.path}{s}")]
    killed = {}
    for call in CALLS:
        for k in range(1, 200):
            sink.clear()
            child = subprocess.run(
                ["strace", "-f", "-qq", "-o", "/dev/null", *files, "-P", sink.path.parent,
                 "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={k}",
                 *map(str, kevs.argv(*run))], env=kevs.env(**NO_LEAK_CHECK), check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                timeout=60)
            if child.returncode == 0:
                break
            assert child.returncode == -signal.SIGKILL, child.stderr
            killed[call] = k
            result = kevs(*run).ok()
            assert same(sink, events), f"killed at {call} {k}"
            equal_counts(result.json, events, mode == "log")
    print(killed)
    if sink.name == "sqlite":
        assert killed.keys() >= {"openat", "pwrite64", "fdatasync", "ftruncate", "unlink"}
    else:
        assert killed.keys() >= {"openat", "write", "fsync", "fdatasync", "ftruncate", "rename"}
    assert sum(killed.values()) > 15


def test_second_process_is_refused(kevs, kafka, sink, topic, produce):
    name = topic()
    produce(name, [(f"k{i}", "v" * 10) for i in range(2000)])
    first = kevs.start(*argv(name, sink, "--rate", "300", "--id", "one"))
    try:
        def begun():
            assert first.poll() is None
            return len(sink.latest("v")) > 0
        proc.wait_until(begun, "the first run to write", 20)
        got = kevs(*argv(name, sink, "--id", "one"))
        if sink.name in SLOW:           # the newer one wins, the older one is fenced
            assert got.ok().json["state"] == "done"
            out, err = first.communicate(timeout=20)
            assert first.returncode == 1 and b"took over" in err or b"taken over" in err
            assert len(sink.latest("v")) == 2000
            return
        got.failed(1, "running in another process")
    finally:
        if first.poll() is None:
            first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=20)
    assert first.returncode == 3, (out, err)
    result = kevs(*argv(name, sink, "--id", "one")).ok()
    assert result.json["state"] == "done" and result.json["events"]["read"] == 2000
    assert len(sink.latest("v")) == 2000


def test_resume_says_what_it_does(kevs, sink, topic, produce):
    name = topic()
    produce(name, [("a", "1"), ("b", "2")])
    assert kevs(*argv(name, sink)).ok().json["state"] == "done"     # unknown id: it starts
    again = kevs(*(a for a in argv(name, sink) if a != "--json")).ok()
    assert "nothing to do" in again.out
    kevs(*argv(name, sink, "-k", "a", "--id", again.out.split()[1])).failed(
        2, "begun with another plan")


def full_then_resume(kevs, kafka, topic, sink, words, mend):
    """The store is too small for the view: one line; more room: --resume ends as if nothing was."""
    failed = kevs(*argv(topic, sink, "--mode", "log", "--batch", "50", "--id", "full")).failed(
        1, *words)
    assert failed.json["state"] == "failed" and failed.json["events"]["read"] > 0
    mend()
    result = kevs(*argv(topic, sink, "--mode", "log", "--id", "full")).ok()
    events = views.dump(kafka, topic)
    assert sink.log("v") == views.fold_log(events)
    equal_counts(result.json, events, log=True)


def test_redis_memory_full_then_resume(kevs, kafka, admin, topic):
    name = topic()
    for _ in range(4):
        admin("produce", topic=name, records=[{"key": "k", "value": "x" * 4000}] * 500)
    with stores.Redis() as store:
        sink = views.Redis(store.url)
        sink.ask(["CONFIG", "SET", "maxmemory", "5mb"])
        full_then_resume(kevs, kafka, name, sink, ["OOM"],
                         lambda: sink.ask(["CONFIG", "SET", "maxmemory", "0"]))


class SmallPostgres(stores.Postgres):
    """Its tables have 3 MB: a file system of that size; where none can be mounted, a limit on the
    size of each file (log segments are smaller)."""

    initdb = ("--wal-segsize=1",)
    small, limited = None, False

    def shrink(self):
        folder = self.dir / "small"
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=777", "none", folder],
                       check=False, stderr=subprocess.DEVNULL)
        if not os.path.ismount(folder):
            self.restart(limited=True)
            return "File too large"
        self.small = folder
        shutil.chown(folder, "postgres")
        self.sql(f"CREATE TABLESPACE small LOCATION '{folder}'")
        self.sql("ALTER DATABASE postgres SET default_tablespace = small")
        return "No space left"

    def restart(self, limited):
        self.stop()
        self.limited = limited
        self.start()

    def argv(self):
        limit = f"ulimit -S -f {(3 << 20) // 512}; " if self.limited else ""
        return ["sh", "-c", limit + 'exec "$@"', "sh", *map(str, super().argv())]

    def grow(self):
        if self.small:
            subprocess.run(["mount", "-o", "remount,size=64m", self.small], check=True)
        else:
            self.restart(limited=False)

    def remove(self):
        self.stop()
        if self.small:
            subprocess.run(["umount", self.small], check=True)
        super().remove()


def test_postgresql_disk_full_then_resume(kevs, kafka, admin, topic, rng):
    name = topic()
    for _ in range(4):
        admin("produce", topic=name, records=[
            {"key": "k", "value_base64": views.b64(rng.randbytes(4000))} for _ in range(500)])
    with SmallPostgres() as store:
        said = store.shrink()
        full_then_resume(kevs, kafka, name, views.Postgres(store.url), [said], store.grow)


class SmallDisk:
    """A small file system; where none can be mounted, a limit on the size of each file."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder, self.options = folder, {}
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "none", folder], check=False,
                       stderr=subprocess.DEVNULL)
        self.mounted = os.path.ismount(folder)

    def empty(self):
        for path in self.folder.iterdir():
            path.unlink()

    def size(self, mount):
        if self.mounted:
            subprocess.run(["mount", "-o", f"remount,size={mount}", self.folder], check=True)
        else:
            self.options = {"preexec_fn": only_200k} if mount == "600k" else {}

    def close(self):
        if self.mounted:
            subprocess.run(["umount", self.folder], check=True)


def only_200k():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


def test_disk_full_then_resume(kevs, kafka, filled, tmp_path):
    disk = SmallDisk(tmp_path / "small")
    said = {views.Sqlite: "disk is full" if disk.mounted else "disk I/O error",
            views.Jsonl: "No space left" if disk.mounted else "File too large"}
    try:
        name = filled(3000)
        for kind in (views.Sqlite, views.Jsonl):
            disk.size("600k")
            sink = kind(disk.folder)
            kevs(*argv(name, sink, "--mode", "log", "--batch", "100"),
                 **disk.options).failed(1, said[kind])
            disk.size("64m")
            result = kevs(*argv(name, sink, "--mode", "log"), **disk.options).ok()
            events = views.dump(kafka, name)
            assert sink.log("v") == views.fold_log(events)
            equal_counts(result.json, events, log=True)
            disk.empty()
    finally:
        disk.close()
