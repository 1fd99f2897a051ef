"""--workers-group: processes share a replay by partition, and lose nothing when one is lost."""
import collections
import decimal
import json
import re
import signal
import sqlite3
import subprocess

import pytest

from support import proc, views

PARTITIONS = 6


@pytest.fixture(params=["sqlite", "postgresql", "redis", "opensearch"])
def sink(request, tmp_path):
    return views.make(request.param, request.getfixturevalue, tmp_path)


@pytest.fixture
def filled(admin, topic, rng, sink):
    name = topic(partitions=PARTITIONS)
    records = views.hostile(rng, 6000, True, PARTITIONS, getattr(sink, "fits", lambda key: True))
    for at in range(0, len(records), 1000):
        admin("produce", topic=name, records=records[at:at + 1000])
    return name


class Team:
    """Processes with one group, and what each wrote to its log."""

    def __init__(self, kevs, topic, sink, group, folder, *options):
        self.kevs, self.folder, self.members = kevs, folder, []
        self.run = ("replay", topic, "--sink", sink.url, "--target", "v", "--json", "--yes",
                    "--workers-group", group, "-X", "session.timeout.ms=2500",
                    "-X", "heartbeat.interval.ms=300", *getattr(sink, "options", []), *options)

    def add(self, *options):
        log = self.folder / f"member{len(self.members)}.log"
        self.members.append(self.kevs.start(*self.run, "--log", log, "-v", *options))
        return len(self.members) - 1

    def log(self, i):
        path = self.folder / f"member{i}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def given(self, i):
        return re.search(r" [1-9]\d* partitions given", self.log(i))

    def end(self, i):
        """A member's report."""
        out, err = self.members[i].communicate(timeout=90)
        assert self.members[i].returncode == 0, (i, out, err, self.log(i))
        return json.loads(out)

    def stop(self):
        for child in self.members:
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.kill()
            child.communicate()


@pytest.fixture
def team(kevs, filled, sink, name, tmp_path):
    made = Team(kevs, filled, sink, name("team"), tmp_path, "--batch", "50")
    yield made
    made.stop()


def same(kafka, topic, sink, report):
    events = views.dump(kafka, topic)
    assert sink.latest("v") == views.fold_latest(events)
    nulls = sum(e.key is None for e in events)
    assert report["state"] == "done"
    assert report["events"] == {"read": len(events), "matched": len(events),
                                "applied": len(events) - nulls, "skipped": nulls,
                                "dead_lettered": 0}
    assert [p["partition"] for p in report["partitions"]] == list(range(PARTITIONS))


def test_one_of_three_is_killed(kafka, filled, sink, team):
    for _ in range(3):
        team.add("--rate", "150")
    proc.wait_until(lambda: all(map(team.given, range(3))) and len(sink.latest("v")) > 10,
                    "all three at work", 40)
    team.members[1].kill()
    reports = [team.end(0), team.end(2)]
    for report in reports:
        same(kafka, filled, sink, report)
    again = team.add()
    assert team.end(again)["state"] == "done"           # nothing to do
    same(kafka, filled, sink, reports[0])


def locked(sink):
    """SQLite's locks are their holder's for as long as that lives, asleep or not. Without a
    write-ahead log a reader's holds up every commit, so nobody at all may be in it."""
    if sink.name != "sqlite":
        return False                    # PostgreSQL ends a transaction that sleeps
    db = sqlite3.connect(sink.path, timeout=2, isolation_level=None)
    try:
        db.execute("BEGIN EXCLUSIVE")
        db.execute("ROLLBACK")
        return False
    except sqlite3.OperationalError:
        return True
    finally:
        db.close()


def at_work(kevs, child):
    """The ids that this process claimed and has not let go, by the audit log."""
    log = kevs.home / "state/eventscope/audit.jsonl"
    text = log.read_text() if log.exists() else ""
    last = {}
    for line in map(json.loads, text.split("\n")[:-1]):
        last[line["id"]] = line["pid"] == child.pid and line["state"] == "begun"
    return {i for i, mine in last.items() if mine}


def test_a_zombie_is_fenced(kevs, kafka, filled, sink, team):
    team.add("--rate", "5")             # it is not done with anything when it falls asleep
    team.add("--rate", "150")
    proc.wait_until(lambda: all(map(team.given, range(2))) and at_work(kevs, team.members[0])
                    and len(sink.latest("v")) > 10, "both at work", 40)
    team.members[0].send_signal(signal.SIGSTOP)
    while locked(sink):
        team.members[0].send_signal(signal.SIGCONT)
        team.members[0].send_signal(signal.SIGSTOP)
    helper = team.add()
    same(kafka, filled, sink, team.end(1))
    same(kafka, filled, sink, team.end(helper))
    team.members[0].send_signal(signal.SIGCONT)         # it still believes that they are its own
    same(kafka, filled, sink, team.end(0))
    assert "taken over" in team.log(0) or "took over" in team.log(0)


def test_one_more_takes_its_part(kafka, filled, sink, team):
    team.add("--rate", "200")
    proc.wait_until(lambda: team.given(0) and len(sink.latest("v")) > 10, "the first at work", 40)
    team.add()
    proc.wait_until(lambda: team.given(1), "the second's part", 40)
    for i in range(2):
        same(kafka, filled, sink, team.end(i))
    assert "partitions taken" in team.log(0)


@pytest.fixture(params=[(k, m) for k in ("opensearch", "elasticsearch") for m in ("count", "sum")],
                ids="-".join)
def totals(request, admin, topic, kevs, name, rng, tmp_path):
    """A team that adds up groups which every partition has events of."""
    kind, mode = request.param
    sink, records = views.make(kind, request.getfixturevalue, tmp_path), []
    for i in range(3000):
        n = f"{rng.randrange(10**6)}.{rng.randrange(100):02}"
        records.append({"partition": i % PARTITIONS, "key": f"k{i}",
                        "value": f'{{"g":"g{rng.randrange(7)}","n":{n}}}'})
    made = topic(partitions=PARTITIONS)
    admin("produce", topic=made, records=records)
    options = ("--mode", mode, "--group-by", ".value.g", "--batch", "5") + (
        ("--value", ".value.n") if mode == "sum" else ())
    members = Team(kevs, made, sink, name("team"), tmp_path, *options)
    want = collections.Counter()
    for r in records:
        doc = json.loads(r["value"], parse_float=decimal.Decimal)
        want[doc["g"].encode()] += doc["n"] if mode == "sum" else 1
    members.same = lambda: sink.totals("v", mode) == dict(want)
    members.sink, members.mode = sink, mode
    yield members
    members.stop()


def test_totals_with_some_killed_and_one_asleep(totals, rng):
    """Each event is in its total once, whoever adds it, dies over it or wakes up late."""
    for _ in range(3):
        totals.add("--rate", "60")
    proc.wait_until(lambda: all(map(totals.given, range(3))) and totals.sink.totals(
        "v", totals.mode), "all three at work", 40)
    totals.members[0].send_signal(signal.SIGSTOP)
    for i in range(1, 5):
        try:
            totals.members[i].wait(rng.uniform(0.1, 1))
        except subprocess.TimeoutExpired:
            totals.members[i].kill()
        proc.wait_until(lambda n=totals.add("--rate", "60"): totals.given(n) or
                        totals.members[n].poll() is not None, "its part", 40)
    assert totals.end(len(totals.members) - 1)["state"] == "done" and totals.same()
    totals.members[0].send_signal(signal.SIGCONT)
    assert totals.end(0)["events"]["read"] == 3000 and totals.same()
    assert totals.end(totals.add())["state"] == "done" and totals.same()   # nothing to do
    verify = totals.kevs(*[a for a in totals.run if a != "--yes"], "--verify")
    assert verify.ok().json["source_rows"] == verify.json["sink_rows"] == 7


def test_verify_takes_the_teams_window(kevs, filled, sink, team, produce):
    """What came after the ends that the team froze is neither missing nor different."""
    team.add()
    assert team.end(0)["state"] == "done"
    produce(filled, [(f"late{i}", "x") for i in range(20)])
    run = ("replay", filled, "--sink", sink.url, "--target", "v", "--json", "--batch", "50",
           *getattr(sink, "options", []))
    got = kevs(*run, "--verify").ok().json
    assert got["source_rows"] == got["sink_rows"] == len(sink.latest("v"))
    other = kevs(*run, "--verify", "--id", "other")     # no checkpoint: the window is the topic
    assert other.code == 4 and other.json["missing"] == 20


def test_the_group_holds_no_offsets(kevs, topic, produce, name, tmp_path):
    topic_name, group = topic(partitions=2), name("team")
    produce(topic_name, [(f"k{i}", "v") for i in range(50)])
    sink = views.Sqlite(tmp_path)
    kevs("replay", topic_name, "--sink", sink.url, "--target", "v", "--yes", "--workers-group",
         group).ok()
    assert len(sink.latest("v")) == 50
    found = kevs("lag", "--group", group, "--json").json["groups"][0]
    assert all(p["committed"] is None for p in found["partitions"]) and not found["members"]


@pytest.mark.parametrize("options, words", [
    (("--sink", "jsonl:v.jsonl"), ("jsonl: latest cannot be written by several", "length")),
    (("--sink", "kafka:other"), ("kafka: latest cannot be written by several", "others add")),
    (("--sink", "kafka:other", "--mode", "count"), ("kafka: count cannot", "others add")),
    (("--sink", "sqlite:v.db", "--swap"), ("--swap is for one process",)),
    (("--sink", "sqlite:v.db", "--restart"), ("--restart is for one process",)),
    (("--sink", "sqlite:v.db", "-c", "5"), ("--count is for one process",)),
])
def test_what_cannot_be_shared(evs, options, words):
    evs("replay", "t", "-b", "127.0.0.1:1", "--target", "v", "--yes", "--workers-group", "g",
        *options).failed(2, *words)
