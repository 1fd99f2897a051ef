"""The interface while its only broker dies and returns: it says so, keeps its rows, heals."""
import re
import signal

from support import kcat


def test_messages_outlive_the_broker(broker, any_admin, tui):
    k = broker()
    admin = any_admin.at(k.bootstrap)
    admin("create-topic", topic="orders", partitions=3)
    kcat.produce(k.bootstrap, "orders", [(f"k{i}", f"before {i}") for i in range(300)])
    t = tui("-b", k.bootstrap, rows=30, cols=110)
    t.wait(re.compile(r"orders .* 300 "), 60)
    t.send("M").wait("before 299", 60)
    t.send("F").wait("LIVE", 60)
    k.stop(number=signal.SIGKILL)
    t.wait("lost", 60)
    assert "before 299" in t.text                       # what was there stays
    k.start()
    kcat.produce(k.bootstrap, "orders", [("k", "after")])
    t.wait("after", 60)
    t.wait(lambda t: "lost" not in t.lines[0], 60)
    t.send("q").wait(re.compile(r"orders .* 301 "), 60)
    t.send("M").wait("after", 60)
    k.stop(number=signal.SIGKILL)
    t.wait("lost", 60)
    t.send("q").wait("Topics", 60)                      # back to rows that were polled meanwhile
    t.wait(re.compile(r"orders .* 301 "), 60)
    t.send("q")
    assert t.wait_exit() == 0
