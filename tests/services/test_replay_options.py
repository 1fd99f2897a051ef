"""Options of a replay that meet: filters, plans and what contradicts each other."""
import json

import pytest

from support import views


@pytest.fixture
def sink(tmp_path):
    return views.Sqlite(tmp_path)


def argv(topic, sink, *options):
    return ("replay", topic, "--sink", sink.url, "--target", "v", "--json", "--yes", *options)


@pytest.fixture
def orders(topic, admin):
    name = topic()
    admin("produce", topic=name, records=[
        {"partition": 0, "key": "a", "value": '{"s":"open"}', "headers": [["src", "web"]]},
        {"partition": 0, "key": "b", "value": '{"s":"closed"}', "headers": []},
        {"partition": 0, "key": "c", "value": '{"s":"open"}', "headers": []}])
    return name


@pytest.mark.parametrize("option, left", [
    (("--not-key", "a*"), {b"b", b"c"}),
    (("--not-grep", "closed"), {b"a", b"c"}),
    (("--not-grep", "CLOSED", "-i"), {b"a", b"c"}),
    (("--not-header", "src=w*"), {b"b", b"c"}),
    (("--not-jq", '.value.s == "open"'), {b"b"}),
    (("--not-key", "a", "--jq", '.value.s == "open"'), {b"c"}),
])
def test_what_is_not_to_be_kept(kevs, sink, orders, tmp_path, option, left):
    """Of every filter option, and by way of a plan file."""
    kevs(*argv(orders, sink, *option)).ok()
    assert sink.latest("v").keys() == left
    plan = tmp_path / "p.plan"
    kevs("replay", orders, "--sink", "jsonl:-", "--save-plan", plan, *option).ok()
    lines = kevs("replay", "--plan", plan, "--yes").ok().out.splitlines()
    assert {json.loads(l)["key"].encode() for l in lines if l.startswith("{")} == left


def test_a_filter_that_is_wrong_is_named(kevs, sink, orders):
    kevs(*argv(orders, sink, "--not-jq", ".value.s ==")).failed(2, "keep", "jq")
    assert not sink.path.exists()


def test_options_override_the_plan(kevs, sink, orders, tmp_path):
    plan = tmp_path / "p.plan"
    kevs("replay", orders, "--sink", sink.url, "--target", "v", "-k", "a", "--columns",
         "x=.value.s", "--save-plan", plan).ok()
    kevs("replay", "--plan", plan, "-k", "b", "--columns", "y=.value.s", "--yes").ok()
    assert sink.query("SELECT key, y FROM v") == [("b", "closed")]


@pytest.mark.parametrize("how", [(), ("--diff",), ("--verify",)])
def test_a_table_of_another_view(kevs, sink, orders, how):
    kevs(*argv(orders, sink, "--columns", "x=.value.s")).ok()
    kevs(*argv(orders, sink, "--id", "other", *how)).failed(1, "table v of", '"topic"', "--target")
    kevs(*argv(orders, sink, "--columns", "y=.value.s", *how)).failed(1, '"y"')


@pytest.mark.parametrize("options", [
    ("--resume", "--restart"), ("--dry-run", "--verify"), ("--diff", "--verify"),
    ("--dry-run", "--diff")])
def test_none_of_two_that_contradict_wins(kevs, sink, orders, options):
    kevs(*argv(orders, sink, *options)).failed(2, *options, "not both")
    assert not sink.path.exists()
