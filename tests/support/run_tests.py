"""./dev test: the C suites through make check, then the Python suites; one sum as the last line.

Names of layers pick some of them; everything else on the command line goes to pytest.
EVENTSCOPE_TESTS_UNTIL, in seconds since 1970, is when to stop: what was not run by then has failed.
"""
import os
import pathlib
import re
import subprocess
import sys
import time

import pytest

from . import paths

C_LAYERS = ("unit", "contract", "mock", "fuzz", "lint")
PY_LAYERS = ("cli", "tui", "services")
SECOND_TRY_MAX = 10   # more is no accident
UNTIL = float(os.environ.get("EVENTSCOPE_TESTS_UNTIL", "inf"))


def late():
    return time.time() > UNTIL


class Sum:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []

    def line(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def _count_program(trs, total):
    """One test program: cmocka's own sums where it printed them, itself otherwise."""
    log = trs.with_suffix(".log").read_text(errors="replace")
    result = re.search(r":test-result:\s*(\w+)", trs.read_text())
    result = result.group(1) if result else "ERROR"
    passed = sum(map(int, re.findall(r"^\[  PASSED  \] (\d+) test", log, re.M)))
    failed = sum(map(int, re.findall(r"^\[  FAILED  \] (?:.*: )?(\d+) test\(s\)", log, re.M)))
    skipped = sum(map(int, re.findall(r"^\[  SKIPPED \] (?:.*: )?(\d+) test\(s\)", log, re.M)))
    if result == "SKIP":
        total.skipped += 1
        return
    total.passed += passed
    total.failed += failed
    total.skipped += skipped
    bad = result not in ("PASS", "XFAIL")
    if bad and not failed:
        total.failed += 1
    if not bad and not passed and not skipped:
        total.passed += 1
    if bad:
        total.failures.append(str(trs.with_suffix("").name))
        print(f"--- {trs.with_suffix('.log').relative_to(paths.BUILD)}")
        keep = re.findall(r"^.*(?:FAILED|ERROR|error|Error|assert|SUMMARY|FAIL|:\d+).*$", log, re.M)
        print("\n".join((keep or log.splitlines())[-60:]))


def _make(*args):
    return subprocess.run(["make", "-s", *args], cwd=paths.BUILD, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def run_make(layers, total):
    tests = _make("print-tests").stdout.split()
    picked = [t for t in tests if re.search(r"tests/(\w+)/", t).group(1) in layers]
    if not picked:
        return
    trs = [paths.BUILD / (re.sub(r"\.(sh|py)$", "", t[t.index("tests/"):]) + ".trs")
           for t in picked]
    for t in trs:
        t.unlink(missing_ok=True)
    jobs = os.cpu_count() or 2
    done = _make(f"-j{jobs}", "check", "TESTS=" + " ".join(picked))
    ran = [t for t in trs if t.exists()]
    for t in ran:
        _count_program(t, total)
    if len(ran) < len(trs):
        print(done.stdout[-5000:])
        total.failed += len(trs) - len(ran)
        total.failures += [t.stem for t in trs if t not in ran]
    print(f"make check: {len(ran)} programs, {total.line()}", flush=True)


class Counter:
    """Counts each Python test once; an error in set-up, tear-down or import is a failure."""

    def __init__(self, total):
        self.total = total
        self.passed = set()
        self.session, self.due = None, {}

    def pytest_collection_finish(self, session):
        self.session = session
        self.due = dict.fromkeys(item.nodeid for item in session.items)

    def pytest_runtest_logfinish(self, nodeid):
        self.due.pop(nodeid, None)
        if late() and self.due:
            self.session.shouldfail = f"out of time: {len(self.due)} tests were not run"
            self.total.failed += len(self.due)
            self.total.failures += [f"{i}: not run, out of time" for i in self.due]

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.total.failed += 1
            self.total.failures.append(report.nodeid)
        elif report.skipped:
            self.total.skipped += 1
        elif report.when == "call":
            self.total.passed += 1
            self.passed.add(report.nodeid)

    def pytest_collectreport(self, report):
        if report.failed:
            self.total.failed += 1
            self.total.failures.append(report.nodeid)


def run_pytest(args, total):
    """One pytest session; what failed is tried once more, alone, and both results are printed: a
    machine that stood still for a while is no defect, a defect fails twice."""
    ini = ["-q", "-c", str(paths.ROOT / "tests" / "pytest.ini")]
    first, again = Sum(), Sum()
    code = pytest.main([*ini, *args], plugins=[Counter(first)])
    ids = sorted(set(first.failures))
    if ids and len(ids) <= SECOND_TRY_MAX and all("::" in i for i in ids) and not late():
        print(f"second try of {len(ids)}: {' '.join(ids)}", flush=True)
        counter = Counter(again)
        # Not -k, -m: they pick tests, and their values are words of their own.
        pytest.main([*ini, *(a for a in args if a == "--long" or a.startswith("--seed=")),
                     *(str(paths.ROOT / "tests" / i) for i in ids)], plugins=[counter])
        for i in ids:
            if i in counter.passed:
                print(f"PASSED at the second try: {i}")
            elif i not in again.failures:       # it was not even run
                again.failed += 1
                again.failures.append(i)
        first.passed += again.passed
        first.failed, first.failures = again.failed, again.failures
    if code not in (0, 1, 5) and not first.failed:
        first.failed += 1
        first.failures.append(f"pytest itself ended with {code!s}")
    total.passed += first.passed
    total.failed += first.failed
    total.skipped += first.skipped
    total.failures += first.failures


def main(argv):
    layers = [a for a in argv if a in C_LAYERS + PY_LAYERS]
    rest = [a for a in argv if a not in layers]
    files = [a for a in rest if not a.startswith("-") and pathlib.Path(a.split("::")[0]).exists()]
    everything = not layers and not files
    total = Sum()
    began = time.monotonic()
    c = [n for n in C_LAYERS if everything or n in layers]
    if c:
        run_make(c, total)
    folders = [paths.ROOT / "tests" / n for n in PY_LAYERS if everything or n in layers]
    where = [str(f) for f in folders if f.is_dir() and any(f.glob("test_*.py"))]
    if where or files:
        _make("check", "TESTS=")                 # only builds what the Python suites run
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        run_pytest([*rest, *where], total)
    for report in sorted((paths.BUILD / "reports").glob("*")):   # of sanitizers: see ./dev
        total.failed += 1
        total.failures.append(f"sanitizer report {report}")
        print("\n".join(report.read_text(errors="replace").splitlines()[:60]))
    for f in total.failures:
        print(f"FAILED {f}")
    print(f"{time.monotonic() - began:.0f} s")
    print(total.line(), flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
