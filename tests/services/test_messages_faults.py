"""eventscope messages while things go wrong: brokers die and return, leaders move, records vanish.

The reader is held still by not reading its output: more data than all its queues take."""
import signal
import time

import pytest

from support import kcat, proc

RECORDS, SIZE = 150_000, 1500


def fill(bootstrap, topic, partitions=1, records=RECORDS):
    for p in range(partitions):
        n = records // partitions
        kcat.produce(bootstrap, topic, ((f"k{i}", "x" * SIZE) for i in range(n)), partition=p)


def first_line(child):
    line = child.stdout.readline()
    assert line, child.stderr.read()
    return [line]


def finish(child, lines):
    lines += child.stdout.readlines()
    err = child.stderr.read().decode()
    child.wait(30)
    return lines, err


def offsets(lines, partition=0):
    placed = [line.split(b" ", 2)[:2] for line in lines]
    return [int(o) for p, o in placed if int(p) == partition]


@pytest.fixture
def own(broker, any_admin):
    k = broker()
    return k, any_admin.at(k.bootstrap)


def create(admin, topic, **fields):
    admin("create-topic", topic=topic, **{"partitions": 1, **fields})


def test_broker_restarts_in_the_middle(own, evs):
    k, admin = own
    create(admin, "t", partitions=2)
    fill(k.bootstrap, "t", 2)
    child = evs.at(k.bootstrap).start("messages", "t", "-f", "%p %o %s\\n", "--timeout", "60s")
    lines = first_line(child)
    k.stop(number=signal.SIGKILL)
    k.start()
    lines, err = finish(child, lines)
    assert child.returncode == 0, err
    for p in range(2):
        assert offsets(lines, p) == list(range(RECORDS // 2))


def test_broker_never_returns(own, evs):
    k, admin = own
    create(admin, "t")
    fill(k.bootstrap, "t")
    child = evs.at(k.bootstrap).start("messages", "t", "-f", "%p %o %s\\n", "--timeout",
                                      "3s")
    lines = first_line(child)
    k.stop(number=signal.SIGKILL)
    with proc.in_time(4):
        lines, err = finish(child, lines)
    assert child.returncode == 1
    assert len(lines) < RECORDS
    errors = err.splitlines()
    assert errors[0].startswith("eventscope: reading t: ") and k.bootstrap in errors[0], err
    assert len(errors) == 1 or (len(errors) == 2 and errors[1].startswith("  hint: ")), err


def test_follow_outlives_a_restart(own, evs):
    k, admin = own
    create(admin, "t")
    kcat.produce(k.bootstrap, "t", [("k", "before")])
    child = evs.at(k.bootstrap).start("messages", "t", "--follow", "-f", "%s\\n", "--timeout", "2s")
    try:
        assert child.stdout.readline() == b"before\n"
        k.stop(number=signal.SIGKILL)
        k.start()
        kcat.produce(k.bootstrap, "t", [("k", "after")])
        assert child.stdout.readline() == b"after\n"
        child.terminate()
        _, err = child.communicate(timeout=30)
        assert child.returncode == 0, err
    finally:
        child.kill()
        child.wait()


def test_records_deleted_while_reading(own, evs):
    k, admin = own
    create(admin, "t")
    fill(k.bootstrap, "t")
    child = evs.at(k.bootstrap).start("messages", "t", "-f", "%p %o %s\\n")
    lines = first_line(child)
    # its queues are full when it has not taken anything for a while: the cut is far behind them
    admin("delete-records", topic="t", before={"0": RECORDS - 100})
    lines, err = finish(child, lines)
    got = offsets(lines)
    assert got == sorted(set(got)) and got[-1] == RECORDS - 1
    missing = sorted(set(range(RECORDS)) - set(got))
    assert missing and missing[-1] == RECORDS - 101, "the cut came too late to be seen"
    assert missing == list(range(missing[0], missing[-1] + 1))
    assert f"offsets {missing[0]} to {missing[-1]} were deleted" in err
    assert child.returncode == 3


def test_topic_deleted_while_reading(own, evs):
    k, admin = own
    create(admin, "t")
    fill(k.bootstrap, "t")
    child = evs.at(k.bootstrap).start("messages", "t", "-q", "-f", "%p %o %s\\n", "--timeout",
                                      "5s")
    lines = first_line(child)
    admin("delete-topic", topics=["t"])
    lines, err = finish(child, lines)
    assert len(lines) < RECORDS
    assert child.returncode == 1 and err.startswith("eventscope: partition 0 of t: "), err


def test_leader_moves_while_reading(kafka3, any_admin, evs, name):
    admin = any_admin.at(kafka3)
    topic = name()
    create(admin, topic, replicas=3)
    fill(kafka3, topic)
    child = evs.at(kafka3).start("messages", topic, "-f", "%p %o %s\\n", "--timeout", "60s")
    try:
        lines = first_line(child)
        part, = kcat_partitions(kafka3, topic)
        replicas = [r["id"] for r in part["replicas"]]
        moved = [r for r in replicas if r != part["leader"]] + [part["leader"]]
        admin("reassign", topic=topic, partition=0, replicas=moved)

        def elected():
            admin("elect")
            return kcat_partitions(kafka3, topic)[0]["leader"] == moved[0]
        proc.wait_until(elected, "the new leader", 60)
        lines, err = finish(child, lines)
        assert child.returncode == 0, err
        assert offsets(lines) == list(range(RECORDS))
    finally:
        child.kill()
        child.wait()
        admin("delete-topic", topics=[topic])


def kcat_partitions(bootstrap, topic):
    found, = [t for t in kcat.listing(bootstrap)["topics"] if t["topic"] == topic]
    return found["partitions"]
