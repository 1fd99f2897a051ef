"""replay as `latest` beside a bare bulk load of the folded rows, sink by sink, and beside Kafka
Connect's JDBC sink.

The bare load (load.c) gets the view ready made: every key's last event, folded beforehand and read
into memory before its clock starts. Its rows come in the order in which a fold of partition after
partition meets the keys; "sorted" has them sorted by key too, which a B-tree likes best. A replay
is timed as a whole process: it reads and folds all events first. "sink" is what of this the sink
worked or was waited for, by the run's own report. The ratio is the bare load's seconds to the
replay's, for the same rows in the store at the end: above 1 the whole replay is the faster one.

BENCH_SINKS="sqlite redis" picks some; connect is Kafka Connect.
"""
import json
import os
import pathlib
import statistics
import struct
import subprocess
import tempfile

import connect
from support import paths

HERE = pathlib.Path(__file__).resolve().parent
HEAD = struct.Struct("=IIiqq")


def folded(bench, topic):
    """The rows as load.c reads them, partition by partition, by kcat's dump; made once."""
    path = bench.truth(topic).with_suffix(".rows")
    keys = sum(1 for _ in open(bench.truth(topic), encoding="ascii"))
    if path.exists():
        return path, keys
    view = {}
    dump = subprocess.Popen(
        ["kcat", "-C", "-b", bench.kafka, "-t", topic, "-e", "-q", "-X",
         "queued.min.messages=1000000", "-f", "%p %o %T %K %S\n%k%s"], stdout=subprocess.PIPE,
        bufsize=1 << 20)
    for line in iter(dump.stdout.readline, b""):
        p, o, t, k, s = line.split()
        key = dump.stdout.read(int(k))
        value = dump.stdout.read(int(s))
        view.setdefault(int(p), {})[key] = value, int(o), int(t)
    assert dump.wait() == 0
    with open(f"{path}.new", "wb") as out:
        for p, rows in sorted(view.items()):
            for key, (value, offset, ts) in rows.items():
                out.write(HEAD.pack(len(key), len(value), p, offset, ts) + key + value)
    os.rename(f"{path}.new", path)
    assert sum(map(len, view.values())) == keys
    return path, keys


class Case:
    """One sink: where both write, how it is emptied before each run, the rows found after it."""

    def __init__(self, bench, topic, rows, keys, tmp):
        self.bench, self.topic, self.rows, self.keys, self.tmp = bench, topic, rows, keys, tmp
        self.runs = 0
        self.costs = {}

    def clear(self):
        self.runs += 1

    def cpu(self):
        """Processor time that the store has used, where it tells: what a busy machine does not
        change."""
        return 0

    def replay(self, *more, env=None):
        self.clear()
        argv = [paths.EVENTSCOPE, "replay", self.topic, "-b", self.bench.kafka, "--sink",
                self.url(), "--target", "v", "--id", f"bench{self.runs}", "--yes", "--json", "-q",
                *more]
        from_cpu = self.cpu()
        run = self.bench.timed(argv, capture=True,
                               env={"XDG_STATE_HOME": str(self.tmp), **(env or {})})
        self.costs.setdefault("replay", []).append(self.cpu() - from_cpu)
        report = json.loads(run.out)
        assert report["state"] == "done" and self.count() == self.keys, report
        run.written, run.sink = report["rows"]["written"], report["sink_seconds"]
        return run

    def load(self, *how, cost=None):
        self.clear()
        from_cpu = self.cpu()
        with open(self.rows, "rb") as rows:
            out = subprocess.run([self.bench.tool("load"), *how], stdin=rows, check=True,
                                 stdout=subprocess.PIPE).stdout
        if cost:
            self.costs.setdefault(cost, []).append(self.cpu() - from_cpu)
        return json.loads(out)["seconds"]


class Sqlite(Case):
    title = "SQLite: a prepared upsert, WAL, transactions of 100,000 rows"

    def url(self):
        return f"sqlite:{self.tmp}/v.db"

    def clear(self):
        super().clear()
        for path in self.tmp.glob("*.db*"):
            path.unlink()

    def count(self):
        return int(subprocess.run(["sqlite3", self.tmp / "v.db", "select count(*) from v"],
                                  check=True, stdout=subprocess.PIPE).stdout)

    def bare(self):
        path = str(self.tmp / "bare.db")
        return {"bare": self.load("sqlite", path), "bare, sorted": self.load("-s", "sqlite", path)}


class Postgres(Case):
    title = "PostgreSQL: COPY into a temporary table and one merge"

    def url(self):
        return self.bench.service("postgres")["PGURL"]

    def psql(self, sql):
        return subprocess.run(["psql", "-XqAt", self.url(), "-c", sql], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def clear(self):
        super().clear()
        self.psql("drop table if exists v; drop table if exists bare; drop table if exists"
                  " eventscope_checkpoint; drop table if exists eventscope_version")
        self.psql("checkpoint")

    def count(self):
        return int(self.psql("select count(*) from v"))

    def bare(self):
        return {"bare": self.load("postgres", self.url()),
                "bare, sorted": self.load("-s", "postgres", self.url())}


class Redis(Case):
    title = "Redis: SET in pipelines of 10,000"

    def url(self):
        return self.bench.service("redis")["REDIS_URL"]

    def cpu(self):
        info = dict(line.split(b":") for line in self.cli("info", "cpu").split() if b":" in line)
        return float(info[b"used_cpu_user"]) + float(info[b"used_cpu_sys"])

    def cli(self, *words):
        return subprocess.run(["redis-cli", "-u", self.url(), *words], check=True,
                              stdout=subprocess.PIPE).stdout

    def clear(self):
        super().clear()
        self.cli("config", "set", "auto-aof-rewrite-percentage", "0")  # else in some rounds only
        self.cli("flushall", "sync")

    def count(self):
        return len(self.cli("--scan", "--pattern", "v:*").split())

    def bare(self):
        return {"bare": self.load("redis", self.url(), cost="bare"),
                "bare, each with its version": self.load("redis+version", self.url())}


class Kafka(Case):
    """Beside it the same replay, into whose process no_transactions.c is loaded, too."""
    title = "Kafka: a producer without transactions, bare and our own"

    def name(self):
        return f"{self.topic}-out-{os.getpid()}-{self.runs}"

    def url(self):
        return f"kafka:{self.name()}"

    def clear(self):
        super().clear()
        self.bench.timed([self.bench.tool("gen"), "-b", self.bench.kafka, "-t", self.name(),
                          "-n", "0"])

    def count(self):
        return self.keys          # the contract and services tests read it back

    def bare(self):
        where = f"{self.bench.kafka}/{self.topic}-out-{os.getpid()}-{self.runs + 1}"
        return {"bare": self.load("kafka", where),
                "the whole replay without transactions":
                    self.replay(env={"LD_PRELOAD": str(self.shim())}).seconds}

    def shim(self):
        made = self.tmp / "no_transactions.so"
        if not made.exists():
            subprocess.run([*os.environ.get("CC", "cc").split(), "-shared", "-fPIC", "-O1", "-o",
                            made, HERE / "no_transactions.c", "-ldl"], check=True)
        return made


class Connect(Postgres):
    title = "PostgreSQL: Kafka Connect, Debezium's JDBC sink, 2 tasks, reduction buffer"

    def bare(self):
        self.clear()
        self.psql('create table v("key" text primary key, value text)')
        took = connect.seconds(self.bench.kafka, self.topic, self.url(), self.psql, self.tmp)
        assert self.count() == self.keys
        return {"Kafka Connect, from its first row on": took}


CASES = [Sqlite, Postgres, Connect, Redis, Kafka]


def measure(case):
    bare, runs = {}, []
    for _ in range(case.bench.rounds):
        for name, seconds in case.bare().items():
            bare.setdefault(name, []).append(seconds)
        runs.append(case.replay())
    ours, sink, written = (statistics.median(getattr(r, x) for r in runs)
                           for x in ("seconds", "sink", "written"))
    print(f"\n{case.title} (median of {case.bench.rounds}, alternating)")
    print(f"  {'':<38} {'seconds':>8} {'sink':>6} {'rows':>9} {'ratio':>6} {'peak MiB':>9}")
    print(f"  {'eventscope replay, the whole process':<38} {ours:8.2f} {sink:6.2f} {written:9.0f}"
          f" {'':>6} {max(r.peak_kib for r in runs) / 1024:9.0f}")
    for name, seconds in bare.items():
        t = statistics.median(seconds)
        print(f"  {name:<38} {t:8.2f} {'':>6} {case.keys:9} {t / ours:6.2f}"
              f"  (to the sink alone {t / sink:.2f})", flush=True)
    if "bare" in case.costs:
        cost = {name: statistics.median(c) for name, c in case.costs.items()}
        print(f"  the server's processor time: bare {cost['bare']:.2f} s, replay"
              f" {cost['replay']:.2f} s, ratio {cost['bare'] / cost['replay']:.2f}", flush=True)


def run(bench):
    topic = bench.topic()
    rows, keys = folded(bench, topic)
    only = os.environ.get("BENCH_SINKS", "").split()
    with tempfile.TemporaryDirectory(prefix="eventscope-bench-") as tmp:
        for kind in CASES:
            if not only or kind.__name__.lower() in only:
                measure(kind(bench, topic, rows, keys, pathlib.Path(tmp)))
