"""However the program ends or stops, the terminal is as it was; no size or storm breaks it."""
import os
import re
import signal
import time

import pytest

FIRST = re.compile(r"(?i)topics")
LEAVE_SCREEN = b"\x1b[?1049l"            # as TERM=screen-256color spells it
SHOW_CURSOR = b"\x1b[?25h"


def is_restored(t):
    """Line modes as before; the alternate screen left and the cursor shown after being hidden."""
    assert t.modes() == t.modes_before
    raw = bytes(t.raw)
    assert raw.rfind(LEAVE_SCREEN) > raw.rfind(b"\x1b[?1049h"), "still on the alternate screen"
    assert raw.rfind(SHOW_CURSOR) > raw.rfind(b"\x1b[?25l"), "the cursor stays hidden"
    for off, on in ((b"?1000l", b"?1000h"), (b"?2004l", b"?2004h"), (b"?1006l", b"?1006h")):
        if on in raw:
            assert raw.rfind(off) > raw.rfind(on), f"mode {on} is left on"


def test_quit(tui):
    t = tui("demo")
    t.wait(FIRST)
    assert t.modes() != t.modes_before, "it does set the terminal up"
    t.send("q")
    t.pump(0.2)
    if not t.ended():
        t.send("y")
    assert t.wait_exit() == 0
    is_restored(t)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGABRT,
                                    signal.SIGSEGV], ids=lambda n: n.name)
def test_ended_by_a_signal(number, tui):
    if number == signal.SIGSEGV and os.environ.get("EVENTSCOPE_SANITIZER"):
        pytest.skip("the sanitizer owns SIGSEGV")
    t = tui("demo")
    t.wait(FIRST)
    t.kill(number)
    t.wait_exit()
    is_restored(t)


def test_stopped_and_continued(evs, tui):
    """Ctrl-Z under a real shell: the shell's terminal is usable, `fg` brings the screen back."""
    t = tui(shell=True)
    t.send("PS1='ready> '\r").wait(re.compile(r"^ready>$", re.M))
    t.send(" ".join(evs.argv()) + " demo\r").wait("orders")
    t.send("^z").wait("Stopped")
    assert t.raw.rfind(LEAVE_SCREEN) > t.raw.rfind(b"\x1b[?1049h")
    t.send("echo still $((40+2))\r").wait("still 42")
    t.send("fg\r").wait("orders")
    assert FIRST.search(t.text)
    t.send("?").wait(re.compile("(?i)help"))
    t.send("esc", "q").wait(re.compile(r"ready>$"))


def test_a_storm_of_resizes(tui, rng):
    t = tui("demo")
    t.wait(FIRST)
    for _ in range(200):
        t.resize(rng.randrange(1, 61), rng.randrange(1, 201))
        t.pump(0.002)
    t.resize(30, 100)
    t.wait(FIRST)
    t.send("q")
    assert t.wait_exit() == 0
    is_restored(t)


@pytest.mark.parametrize("rows,cols", [(1, 1), (2, 5), (3, 10), (5, 20), (24, 80), (60, 200)])
def test_starts_at_any_size(rows, cols, tui):
    t = tui("demo", rows=rows, cols=cols)
    t.wait(lambda t: b"\x1b[?1049h" in t.raw)
    t.pump(0.5)
    for key in ("down", "enter", "down", "enter", "?", "esc", "esc"):
        t.send(key)
        t.pump(0.05)
    assert not t.ended()
    t.kill(signal.SIGTERM)
    t.wait_exit()
    is_restored(t)


def test_the_terminal_goes_away(tui):
    """A closed connection ends the program instead of leaving it spinning."""
    t = tui("demo")
    t.wait(FIRST)
    os.close(t.slave)
    os.close(t.master)
    end = time.monotonic() + 10
    while not t.ended() and time.monotonic() < end:
        time.sleep(0.02)
    ended = t.ended()
    t.master, t.slave = os.openpty()     # for close()
    assert ended


def test_a_terminal_without_a_cursor(tui):
    t = tui("demo", env={"TERM": "dumb"})
    assert t.wait_exit() == 2
    t.wait("TERM=dumb: this terminal cannot be drawn on").wait("headless: eventscope topics")
    assert t.modes() == t.modes_before


def test_no_terminal(evs):
    evs("demo").failed(2, "terminal")
