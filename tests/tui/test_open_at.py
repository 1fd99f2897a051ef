"""`COMMAND ... --tui` opens the interface at the place and with the words of the command line."""
import re

import pytest


@pytest.fixture
def numbers(topic, produce):
    t = topic(partitions=2)
    produce(t, [(f"k{i % 5}", f'{{"n": {i}}}') for i in range(100)])
    return t


@pytest.mark.parametrize("options,crumb,kept", [
    ([], "no filter", None),
    (["-k", "k3"], "key:k3", 20),
    (["--grep", ": 7}"], 'grep:": 7}"', 1),
    (["--jq", ".value.n < 10", "-k", "=k0"], "jq:(.value.n < 10)", 2),
    (["-p", "0,1", "-k", "k1"], "key:k1 p:0,1", 20),
    (["-k", "K1", "-i"], "key:K1 -i", 20),
    (["--not-key", "k1"], "!key:k1", 80),
    (["--grep", '"n": 7}'], r'grep:"\"n\": 7}"', 1),
])
def test_words(options, crumb, kept, numbers, kafka, tui):
    t = tui("messages", numbers, "-b", kafka, "--tui", "-o", "beginning", *options, cols=200)
    t.wait(re.compile(rf"\b{kept} kept of 100 read" if kept else r"exact +100 messages loaded"))
    assert crumb in t.lines[1]


@pytest.mark.parametrize("options,said", [
    (["-o", "12x"], "offset '12x': not understood"),
    (["-o", "beginning", "--jq", ".a |"], "jq"),
])
def test_wrong_words_are_said_on_the_screen(options, said, numbers, kafka, tui):
    t = tui("messages", numbers, "-b", kafka, "--tui", *options)
    t.wait(said)


def test_unknown_topic(kafka, tui):
    tui("messages", "no.such.topic", "-b", kafka, "--tui").wait("no.such.topic: does not exist")


def test_unknown_theme(tui):
    t = tui("demo", "--theme", "no-such-theme")
    assert t.wait_exit() == 2
    assert "no-such-theme" in t.text
