"""./dev bench [NAME...]: each file bench_NAME.py beside this one has run(bench).

Figures are wall times of whole processes, run in alternation so that a noisy neighbour or a cold
cache hurts all alike; the median of the rounds counts, and the ratio to the first row is what may
be compared between machines.
"""
import argparse
import importlib
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from support import java, paths, services  # noqa: E402 - after the path is set


class Run:
    """One finished process: seconds, peak memory, and what it printed where asked."""

    def __init__(self, seconds, peak_kib, out):
        self.seconds, self.peak_kib, self.out = seconds, peak_kib, out


def timed(argv, shell=False, capture=False, timeout=600, env=None):
    out = subprocess.PIPE if capture else subprocess.DEVNULL
    began = time.monotonic()
    errors = tempfile.TemporaryFile()
    child = subprocess.Popen([str(a) for a in argv] if not shell else argv, shell=shell,
                             stdout=out, stderr=errors, stdin=subprocess.DEVNULL,
                             env={**os.environ, **(env or {})})
    text = child.stdout.read() if capture else b""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if child.returncode:
        errors.seek(0)
        raise SystemExit(f"bench: exit {child.returncode} from {argv}\n{errors.read().decode()}")
    return Run(seconds, usage.ru_maxrss, text)


class Bench:
    timed = staticmethod(timed)

    def __init__(self, options):
        self.rounds, self.records = options.rounds, options.records
        self.started = []

    def service(self, name):
        env, mine = services.ensure(name)
        if mine:
            self.started.append(name)
        return env

    @property
    def kafka(self):
        return self.service("kafka")["KAFKA_BOOTSTRAP"]

    def tool(self, name):
        """A C program of this folder, built on demand."""
        subprocess.run(["make", "-s", "-C", paths.BUILD, f"tests/bench/{name}"], check=True)
        return paths.BUILD / "tests" / "bench" / name

    def topic(self, **options):
        """The benchmark topic: 5 million records, 780 MB, 12 partitions, lz4, Zipf keys. Made once
        for a broker; other options of gen (n, k, s, V, p, z) make another."""
        wanted = {"n": self.records, **options}
        name = "bench-" + "-".join(f"{k}{v}" for k, v in wanted.items())
        have = json.loads(subprocess.run(["kcat", "-L", "-J", "-b", self.kafka], check=True,
                                         stdout=subprocess.PIPE).stdout)
        if name not in [t["topic"] for t in have["topics"]]:
            flags = [x for k, v in wanted.items() for x in (f"-{k}", str(v))]
            truth = self.truth(name)
            truth.parent.mkdir(parents=True, exist_ok=True)
            made = timed([self.tool("gen"), "-b", self.kafka, "-t", name, "-T", truth, *flags],
                         capture=True)
            print(f"made {made.out.decode().strip()} in {made.seconds:.1f} s", flush=True)
        return name

    @staticmethod
    def truth(topic):
        """key, records, bytes of every key of a topic that gen made."""
        return paths.SERVICES / f"{topic}.truth"

    def java(self, main, *args):
        return java.command(main, *args, heap="1g")

    def alternate(self, title, cases):
        """cases: (name, argv or shell text). Prints a table; answers {name: median seconds}."""
        runs = {name: [] for name, _ in cases}
        for _ in range(self.rounds):
            for name, argv in cases:
                runs[name].append(timed(argv, shell=isinstance(argv, str)))
        first = statistics.median(r.seconds for r in runs[cases[0][0]])
        median = {}
        print(f"\n{title} (median of {self.rounds}, alternating)")
        print(f"  {'':<58} {'seconds':>8} {'ratio':>6} {'peak MiB':>9}")
        for name, _ in cases:
            median[name] = statistics.median(r.seconds for r in runs[name])
            peak = max(r.peak_kib for r in runs[name]) / 1024
            print(f"  {name:<58} {median[name]:8.2f} {median[name] / first:6.2f} {peak:9.0f}",
                  flush=True)
        return median

    def close(self):
        for name in self.started:
            services.State(name).clear()


def main():
    known = sorted(p.stem.removeprefix("bench_") for p in HERE.glob("bench_*.py"))
    args = argparse.ArgumentParser(prog="./dev bench")
    args.add_argument("name", nargs="*", help=f"which: {', '.join(known)} (all by default)")
    args.add_argument("--rounds", type=int, default=5)
    args.add_argument("--records", type=int, default=5000000)
    options = args.parse_args()
    unknown = [n for n in options.name if n not in known]
    if unknown:
        args.error(f"no benchmark {unknown[0]}; there are {', '.join(known)}")
    print(f"{platform.machine()}, {os.cpu_count()} cores, broker on the same machine")
    bench = Bench(options)
    try:
        for name in options.name or known:
            importlib.import_module(f"bench_{name}").run(bench)
    finally:
        bench.close()


if __name__ == "__main__":
    main()
