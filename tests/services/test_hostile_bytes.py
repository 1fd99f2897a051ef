"""Whatever producers wrote, no control byte of theirs reaches a terminal. The pty's raw bytes are
the evidence: each hostile byte stands between two marks, so it can be told from our own escapes."""
import base64
import re
import subprocess

import pytest

OPEN, CLOSE = b"Qq", b"qQ"
CONTROLS = [bytes([b]) for b in range(256) if b < 0x20 or b == 0x7f or b >= 0x80]
SEQUENCES = {
    "title": b"\x1b]0;owned\x07", "colour": b"\x1b[31m", "clear": b"\x1b[2J",
    "dcs": b"\x1bP$q\x1b\\",
    "clipboard": b"\x1b]52;c;b3duZWQ=\x07", "report": b"\x1b[6n", "c1-csi": b"\xc2\x9b31m",
    "raw-c1-csi": b"\x9b31m", "bidi-override": "\u202e".encode(), "bidi-isolate": "\u2066".encode(),
    "zero-width": "\u200b".encode(), "line-separator": "\u2028".encode(), "bom": "\ufeff".encode(),
    "surrogate": b"\xed\xa0\x80", "overlong": b"\xc0\xaf", "too-big": b"\xf4\x90\x80\x80",
    "cut": b"\xe2\x82", "newline": b"\n", "return": b"\r", "backspace": b"\x08\x08", "nul": b"\x00",
}
HOSTILE = CONTROLS + list(SEQUENCES.values())


def marked(b):
    return OPEN + b + CLOSE


def b64(b):
    return base64.b64encode(b).decode()


@pytest.fixture
def hostile_topic(topic, admin):
    """Each hostile string as key, value, header name (where it is UTF-8) and header value."""
    t = topic(suffix="hostile")
    records, json_records = [], []
    for b in HOSTILE:
        record = {"partition": 0, "key_base64": b64(marked(b)), "value_base64": b64(marked(b))}
        try:
            text = marked(b).decode()
            record["headers"] = [[text, text]]
        except UnicodeDecodeError:
            text = None
        records.append(record)
        if text and b >= b"\x7f":      # JSON may hold it raw, as a name and as a value
            json_records.append({"partition": 0, "key": "json", "value": f'{{"{text}":"{text}"}}'})
    everything = bytes(range(256))
    records.append({"partition": 0, "key_base64": b64(everything), "value_base64": b64(everything)})
    admin("produce", topic=t, records=records + json_records)
    return t


def leaks(raw):
    """The hostile strings that stand in raw as they were written."""
    found = [b for b in HOSTILE if marked(b) in raw]
    return found + [b"line feed"] * (re.search(rb"Qq\r?\nqQ", raw) is not None)


PRINTERS = {
    "text": ["messages", "TOPIC"],
    "json": ["messages", "TOPIC", "--json"],
    "decoded": ["messages", "TOPIC", "--json", "--decode"],
    "format": ["messages", "TOPIC", "-f", "%k %s %h\\n"],
    "keys": ["keys", "TOPIC", "-n", "1000"],
    "keys-json": ["keys", "TOPIC", "--json", "-n", "1000"],
    "lint": ["lint", "TOPIC"],
    "trace": ["trace", "TOPIC", marked(b"\x1b[31m").decode()],
}


@pytest.mark.parametrize("printer", PRINTERS)
def test_on_a_terminal(printer, hostile_topic, kafka, evs, tui):
    argv = [a.replace("TOPIC", hostile_topic) for a in PRINTERS[printer]]
    t = tui(*evs.at(kafka).argv(*argv)[1:], cols=200)
    t.wait_exit(60)
    assert not leaks(bytes(t.raw))
    if printer != "lint":
        assert printer == "lint" or (OPEN in t.raw and CLOSE in t.raw), "it printed the records"


@pytest.mark.parametrize("printer", ["text", "keys", "trace"])
def test_text_to_a_pipe(printer, hostile_topic, kevs):
    got = kevs(*[a.replace("TOPIC", hostile_topic) for a in PRINTERS[printer]])
    assert not leaks(got.raw)
    assert got.out.isprintable() or all(c.isprintable() or c in "\n\t" for c in got.out)


def test_json_is_one_valid_object_a_line(hostile_topic, kevs):
    lines = kevs("messages", hostile_topic, "--json").ok().lines
    assert len(lines) > len(HOSTILE)
    for line, b in zip(lines, HOSTILE):
        key = line["key"].encode() if "key" in line else base64.b64decode(line["key_base64"])
        assert key == marked(b)


def test_raw_refuses_a_terminal(hostile_topic, kafka, evs, tui):
    t = tui(*evs.at(kafka).argv("messages", hostile_topic, "--raw")[1:])
    assert t.wait_exit() == 2
    assert not leaks(bytes(t.raw)) and "--raw" in t.text


def test_groups_with_odd_names(admin, topic, kafka, evs, tui):
    t = topic()
    group = "Qq\x1b[31mqQ \u202e" + t
    admin("set-group-offsets", group=group, topic=t, offsets={"0": 0})
    try:
        shown = tui(*evs.at(kafka).argv("lag", "--group", group)[1:], cols=200)
        shown.wait_exit(60)
        assert b"\x1b[31mqQ" not in shown.raw and "\u202e".encode() not in shown.raw
        assert evs.at(kafka)("lag", "--group", group, "--json").ok().json["groups"][0]["group"] \
            == group
    finally:
        admin("delete-group", groups=[group])


def test_the_oracle_itself(hostile_topic, kafka):
    """kcat does leak them: the marks would show it."""
    raw = subprocess.run(["kcat", "-C", "-b", kafka, "-t", hostile_topic, "-e", "-q"],
                         stdout=subprocess.PIPE, check=True).stdout
    assert len(leaks(raw)) >= len(HOSTILE)


def test_on_screens(hostile_topic, kafka, evs, tui):
    """The list, the details in all three views, and the copy that `y` makes."""
    t = tui("messages", hostile_topic, "-b", kafka, "--tui", "-o", "beginning", rows=50, cols=160)
    t.wait("Qq", 60)
    for _ in range(len(HOSTILE) + 5):
        t.send("j")
        t.pump(0.01)
    t.send("v", "k", "k", "v", "k", "k", "enter", "w", "j", "j")
    t.pump(0.5)
    assert not leaks(bytes(t.raw)) and not t.ended()
    assert OPEN in t.raw
@pytest.mark.parametrize("rows,cols", [(40, 120), (10, 40)])
def test_screens(rows, cols, hostile_topic, kafka, tui):
    """Browse to the messages, walk down through all of them, open the detail of some."""
    t = tui("messages", hostile_topic, "-b", kafka, "--tui", "-o", "beginning", rows=rows,
            cols=cols)
    t.wait(re.compile("Qq|51 71"))       # narrow: the value alone, in hex
    for i in range(len(HOSTILE) + 20):
        t.send("down")
        t.pump(0.002)
        if i % 20 == 0:
            t.send("enter").pump(0.1)
            t.send("esc").pump(0.05)
    t.pump(0.2)
    assert not leaks(bytes(t.raw))
    t.send("q", "q", "q", "q")


