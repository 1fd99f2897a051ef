"""No leak and no invalid access in the headless commands, under valgrind."""
import os
import shlex

import pytest

from support import paths

pytestmark = pytest.mark.skipif("EVENTSCOPE_SANITIZER" in os.environ,
                                reason="a sanitizer and valgrind exclude each other")
MEMCHECK = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
            "--errors-for-leak-kinds=definite,indirect", "--show-leak-kinds=definite,indirect",
            f"--suppressions={paths.SUPPORT}/valgrind.supp"]

COMMANDS = {
    "version": ["--version"], "help": ["--help"], "man": ["man"], "bad": ["--nonsense"],
    "topics": ["topics", "--json"], "partitions": ["partitions", "TOPIC"],
    "messages": ["messages", "TOPIC", "--json", "--decode"],
    "messages-sorted": ["messages", "TOPIC", "--sort", "time", "-k", "k*"],
    "messages-jq": ["messages", "TOPIC", "--jq", ".value.n > 5", "--grep", "n"],
    "messages-unknown": ["messages", "no.such.topic"],
    "keys": ["keys", "TOPIC", "--json"], "keys-what-if": ["keys", "TOPIC", "--what-if",
                                                         "partitions:7"],
    "keys-small-memory": ["keys", "TOPIC", "--memory", "1M"],
    "trace": ["trace", "TOPIC", "k3", "--state"], "lag": ["lag", "--json"],
    "lint": ["lint", "TOPIC", "--json"],
    "lint-all": ["lint"], "doctor": ["doctor", "--topic", "TOPIC"], "check": ["check"],
    "config": ["config", "show"],
    "messages-gaps": ["messages", "TOPIC", "--gaps"],
    "lag-why": ["lag", "--why", "g-TOPIC", "TOPIC:0"],
    "replay-dry-run": ["replay", "TOPIC", "--sink", "sqlite:v.db", "--target", "v", "--dry-run"],
    "replay-diff": ["replay", "TOPIC", "--sink", "sqlite:v.db", "--target", "v", "--diff"],
    "replay": ["replay", "TOPIC", "--sink", "sqlite:v.db", "--target", "v", "--yes"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_clean(command, topic, produce, admin, kevs, monkeypatch):
    t = topic(partitions=2)
    produce(t, [(f"k{i % 7}", f'{{"n":{i}}}') for i in range(50)])
    admin("set-group-offsets", group=f"g-{t}", topic=t, offsets={"0": 1})
    argv = [a.replace("TOPIC", t) for a in COMMANDS[command]]
    monkeypatch.setenv("EVENTSCOPE_WRAPPER", shlex.join(MEMCHECK))
    got = kevs(*argv, "--timeout", "60s") if "-" not in argv[0][:1] else kevs.at(None)(*argv)
    admin("delete-group", groups=[f"g-{t}"])
    assert got.code != 99 and "==" not in got.err, f"{got.err[-6000:]}"
    assert got.code in ((1, 2) if "unknown" in command or command == "bad" else (0, 4)), f"{got}"
