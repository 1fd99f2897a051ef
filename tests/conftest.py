"""Fixtures of every Python suite; see support/ for what they hand out."""
import itertools
import os
import random
import re
import signal

import pytest

from support import kcat, paths, services, views
from support.admin import Admin
from support.kafka import KafkaBroker
from support.program import Evs
from support.tty import SAMPLE_READY, Tui

TEST_SECONDS = int(os.environ.get("EVENTSCOPE_TEST_SECONDS", "300"))


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also the tests that take very long")
    parser.addoption("--seed", type=int, default=None, help="seed of the random choices")


def pytest_configure(config):
    if config.option.seed is None:
        config.option.seed = random.SystemRandom().randrange(1 << 32)


def pytest_report_header(config):
    return f"eventscope: {paths.EVENTSCOPE}, seed: {config.option.seed} (--seed sets it)"


def pytest_collection_modifyitems(config, items):
    if not config.option.long:
        kept = [i for i in items if not i.get_closest_marker("long")]
        config.hook.pytest_deselected(items=[i for i in items if i.get_closest_marker("long")])
        items[:] = kept


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """A test that hangs fails instead, with the place where it hung."""
    def expired(*_):
        raise TimeoutError(f"the test took more than {TEST_SECONDS} s")
    if item.get_closest_marker("long"):
        yield
        return
    old = signal.signal(signal.SIGALRM, expired)
    signal.alarm(TEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, old)


@pytest.fixture
def rng(request):
    """Random choices of this test: the same for the same --seed."""
    return random.Random(f"{request.config.option.seed}/{request.node.nodeid}")


@pytest.fixture(scope="session")
def _services():
    started = []

    def ensure(name):
        env, mine = services.ensure(name)
        if mine:
            started.append(name)
        return env
    yield ensure
    for name in started:
        services.State(name).clear()


@pytest.fixture(scope="session")
def kafka(_services):
    """Bootstrap address of the one-node Kafka, shared by the whole session."""
    return _services("kafka")["KAFKA_BOOTSTRAP"]


@pytest.fixture(scope="session")
def kafka_log(_services):
    """The shared one-node Kafka's log file (see admin's alter-config type=logger)."""
    return _services("kafka")["KAFKA_LOG"]


@pytest.fixture(scope="session")
def kafka3(_services):
    """Bootstrap addresses of the three-node Kafka, shared: leave all its nodes running."""
    return _services("kafka3")["KAFKA3_BOOTSTRAP"]


@pytest.fixture(scope="session")
def postgres(_services):
    """URI of a PostgreSQL whose user eventscope may do anything."""
    return _services("postgres")["PGURL"]


@pytest.fixture
def pg(postgres):
    """That PostgreSQL as a sink with keys of text, emptied."""
    made = views.Postgres(postgres, binary=False)
    made.clear()
    return made


@pytest.fixture(scope="session")
def redis(_services):
    return _services("redis")["REDIS_URL"]


@pytest.fixture(scope="session")
def opensearch(_services):
    return _services("opensearch")["OPENSEARCH_URL"]


@pytest.fixture(scope="session")
def elasticsearch(_services):
    return _services("elasticsearch")["ELASTICSEARCH_URL"]


@pytest.fixture(scope="session")
def _jvm():
    admin = Admin(None)
    yield admin
    admin.close()


@pytest.fixture(scope="session")
def admin(_jvm, kafka):
    """support/admin.py on the shared Kafka; admin.at(address) for another."""
    return _jvm.at(kafka)


@pytest.fixture(scope="session")
def any_admin(_jvm):
    """The same without a cluster: any_admin.at(address)."""
    return _jvm


@pytest.fixture
def broker():
    """Make brokers of one's own: broker(properties=..., listeners=...) starts a KafkaBroker that
    ends with the test."""
    made = []

    def start(**options):
        k = KafkaBroker(**options)
        made.append(k)
        return k.start()
    yield start
    for k in made:
        k.remove()


_serial = itertools.count(1)


@pytest.fixture
def name(request):
    """Unique names: name() or name("orders") for topics, groups and tables of this test."""
    base = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40]

    def unique(suffix="x"):
        return f"{base}-{os.getpid()}-{next(_serial)}-{suffix}"
    return unique


@pytest.fixture
def topic(admin, name):
    """Make topics on the shared Kafka: topic(partitions=3, **topic_config) answers the name."""
    made = []

    def create(partitions=1, suffix="x", called=None, **config):
        new = called or name(suffix)
        admin("create-topic", topic=new, partitions=partitions,
              topic_config={k.replace("_", "."): str(v) for k, v in config.items()})
        made.append(new)
        return new
    yield create
    if made:
        admin("delete-topic", topics=made)


@pytest.fixture
def evs(tmp_path, request):
    """The program: evs("topics", "--json") runs it; evs.at(bootstrap) has its -b set."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    return Evs(home)


@pytest.fixture
def kevs(evs, kafka):
    """evs on the shared Kafka."""
    return evs.at(kafka)


@pytest.fixture
def tui(evs):
    """The program on a terminal: tui("demo") or tui("-b", kafka, rows=24, cols=80); with
    shell=True a bash in its place, to start, stop and continue the program as a person does."""
    made = []

    def start(*args, shell=False, **options):
        argv = ["/bin/bash", "--norc", "--noprofile", "-i"] if shell else [*evs.argv(), *args]
        t = Tui(argv, env=evs.env(**options.pop("env", {})), **options)
        made.append(t)
        return t
    yield start
    for t in made:
        t.close()


@pytest.fixture
def demo(tui):
    """The program on the sample cluster, its Topics judged."""
    def start(*args, **options):
        return tui("demo", *args, **options).wait(SAMPLE_READY, 60)
    return start


@pytest.fixture
def produce(kafka):
    """produce(topic, [(key, value), ...], partition=None, codec=None): by kcat, shared Kafka."""
    def send(to, records, **options):
        kcat.produce(kafka, to, records, **options)
    return send
