"""Whatever fails, the command ends within --timeout and a second, and Ctrl-C ends it at once."""
import signal
import socket

import pytest

from support import kcat, proc
from support.proc import in_time

TIMEOUT = 3
COMMANDS = ["topics", "partitions t", "messages t", "messages t --sort time", "keys t", "trace t k",
            "lag", "lag --group g", "lag --why g t:0", "lint", "check",
            "replay t --sink jsonl:x.jsonl --target x --dry-run"]


@pytest.fixture
def silent():
    """A port that takes connections and never says a word."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(64)
        yield s


def ended(child, *codes):
    out, err = child.communicate(timeout=60)
    lines = err.decode().splitlines()
    said = [line for line in lines if not line.startswith("  hint: ")]
    assert child.returncode in codes, f"exit {child.returncode}: {lines}"
    return out, said


def unknown(command, code=1):
    """check has a probe's codes."""
    return 3 if command.startswith("check") else code


@pytest.mark.parametrize("command", [*COMMANDS, "lag --watch", "topics --watch"])
def test_interrupted_while_nobody_answers(command, silent, evs):
    child = evs.at("127.0.0.1:%d" % silent.getsockname()[1]).start(*command.split())
    taken, _ = silent.accept()
    taken.recv(1)                                       # it has asked
    with in_time(0.3):
        child.send_signal(signal.SIGINT)
        out, said = ended(child, 0 if "--watch" in command else 3)
    taken.close()
    assert not out and len(said) <= 1, said
    assert "--watch" in command or "stopped before" in said[0], said


@pytest.mark.parametrize("key", ["q", "^c"])
def test_the_screen_is_left_while_nobody_answers(key, silent, tui):
    t = tui("-b", "127.0.0.1:%d" % silent.getsockname()[1], rows=20, cols=100)
    t.wait("Connecting")
    with in_time(0.3):
        t.send(key)
        assert t.wait_exit() == 0
    assert t.modes() == t.modes_before


@pytest.mark.parametrize("command", COMMANDS)
def test_nobody_listens(command, evs):
    at = f"127.0.0.1:{proc.free_port()}"
    with in_time(TIMEOUT + 1):
        got = evs.at(at)(*command.split(), "--timeout", f"{TIMEOUT}s")
    got.failed(unknown(command), at)


@pytest.mark.parametrize("command", COMMANDS)
def test_nobody_answers(command, silent, evs):
    at = "127.0.0.1:%d" % silent.getsockname()[1]
    with in_time(TIMEOUT + 1):
        got = evs.at(at)(*command.split(), "--timeout", f"{TIMEOUT}s")
    got.failed(unknown(command), at)


@pytest.fixture(scope="module")
def stage():
    """A broker with a topic larger than all queues, to be stopped and started again."""
    from support.kafka import KafkaBroker
    with KafkaBroker() as k:
        yield k


@pytest.fixture
def running(stage, any_admin):
    stage.thaw()
    if not stage.daemons[1].alive():
        stage.start()
    admin = any_admin.at(stage.bootstrap)
    if "t" not in admin("topics"):
        admin("create-topic", topic="t", partitions=2)
        for p in range(2):
            kcat.produce(stage.bootstrap, "t", ((f"k{i}", "x" * 1500) for i in range(75_000)),
                         partition=p)
        admin("set-group-offsets", group="g", topic="t", offsets={"0": 10})
    for p in range(2):      # one that hung or was killed is fenced for a while: no leader
        assert kcat.consume(stage.bootstrap, "t", "-p", str(p), "-c", "1")
    return stage


@pytest.mark.parametrize("command", COMMANDS)
def test_a_broker_that_hangs(command, running, evs):
    """Its port answers for it, as a stopped process' does."""
    running.freeze()
    try:
        with in_time(TIMEOUT + 1):
            got = evs.at(running.bootstrap)(*command.split(), "--timeout", f"{TIMEOUT}s")
        got.failed(unknown(command), running.bootstrap)
    finally:
        running.thaw()


@pytest.mark.parametrize("how", ["kill", "freeze"])
@pytest.mark.parametrize("command", ["messages t -f %o\\n%s\\n", "messages t --sort time"])
def test_gone_in_the_middle(command, how, running, evs):
    """Half read: what was printed stays, one line says why it ends."""
    child = evs.at(running.bootstrap).start(*command.split(" "), "--timeout", f"{TIMEOUT}s", "-q")
    try:
        assert child.stdout.read(100)                   # and then nothing: its queues are full
        getattr(running, how)()
        with in_time(TIMEOUT + 1):
            _, said = ended(child, 1)
        assert len(said) == 1 and running.bootstrap in said[0], said
    finally:
        child.kill()
        running.thaw()


def test_interrupted_in_the_middle_of_a_hang(running, evs):
    child = evs.at(running.bootstrap).start("messages", "t", "-f", "%s\\n")
    try:
        assert child.stdout.read(100)
        running.freeze()
        child.send_signal(signal.SIGINT)
        with in_time(0.3):
            _, said = ended(child, 3)
        assert "stopped: incomplete" in said[0], said
    finally:
        child.kill()
        running.thaw()
