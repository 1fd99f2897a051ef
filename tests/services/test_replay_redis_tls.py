"""rediss:// - Redis behind TLS: whom it trusts, what it says, what it survives."""
import signal
import socket
import subprocess
import threading

import pytest

from support import proc, stores, views
from support.tls import Authority


class TlsRedis(stores.Redis):
    """On port TLS only; .plain is a port without. clients: whether it asks for certificates."""

    def __init__(self, ca, clients="no", plain=None, **issue):
        self.pem, self.ca, self.clients = ca.issue("redis", **issue), ca, clients
        self.plain = plain or proc.free_port()
        super().__init__()

    def argv(self):
        return ["redis-server", "--port", self.plain, "--tls-port", self.port, "--bind",
                "127.0.0.1", "--tls-cert-file", self.pem, "--tls-key-file", self.pem,
                "--tls-ca-cert-file", self.ca.cert, "--tls-auth-clients", self.clients,
                "--dir", self.dir, "--appendonly", "yes", "--save", "", "--daemonize", "no"]

    def ready(self):
        with socket.create_connection(("127.0.0.1", self.plain), 2) as s:
            s.sendall(b"PING\r\n")
            return s.recv(16).startswith(b"+PONG")

    @property
    def view(self):
        return views.Redis(f"redis://127.0.0.1:{self.plain}/0")

    def to(self, host="localhost", **query):
        return (f"rediss://{host}:{self.port}/0"
                + "".join(f"{'&' if i else '?'}{k}={v}" for i, (k, v) in enumerate(query.items())))


@pytest.fixture
def ca(tmp_path):
    return Authority(tmp_path)


def argv(topic, url, *options):
    return ("replay", topic, "--sink", url, "--target", "v", "--json", "--yes", *options)


def test_the_view_is_that_of_a_plain_one(kevs, kafka, admin, topic, rng, ca):
    """Every view, hostile bytes, a value larger than every buffer on the way; and read back."""
    name = topic(partitions=2, max_message_bytes=8_000_000)
    admin("produce", topic=name, records=views.hostile(rng, 1500, True, 2) + [
        {"partition": 0, "key": "large", "value": "x" * 3_000_000}])
    events = views.dump(kafka, name)
    with TlsRedis(ca) as store:
        url = store.to(cacert=ca.cert)
        kevs(*argv(name, url)).ok()
        assert store.view.latest("v") == views.fold_latest(events)
        kevs(*argv(name, url, "--verify")).ok()
        kevs(*argv(name, url, "--mode", "log", "--target", "l", "--batch", "100")).ok()
        assert store.view.log("l") == views.fold_log(events)
        kevs(*argv(name, url, "--mode", "count", "--target", "n")).ok()
        assert store.view.totals("n", "count") == views.fold_count(events)


def test_whom_it_trusts(kevs, topic, produce, ca, tmp_path):
    name = topic()
    produce(name, [("a", "1")])
    with TlsRedis(ca, hosts=["localhost", "cache.example"]) as store:
        wrong = {"": "not trusted", f"?cacert={Authority(tmp_path, 'other').cert}": "not trusted",
                 "?cacert=/no/such.pem": "No such file", "?verify=none": "unknown option"}
        for query, words in wrong.items():
            got = kevs(*argv(name, store.to() + query))
            got.failed(2 if "verify" in query else 1, words)
        by_address = store.to("127.0.0.1", cacert=ca.cert)
        kevs(*argv(name, by_address)).failed(1, str(store.port), "for another name", "sni=")
        assert store.view.keys("v") == []
        kevs(*argv(name, by_address + "&sni=cache.example")).ok()
        kevs(*argv(name, store.to("127.0.0.1", insecure=1), "--restart")).ok()
        assert [*store.view.latest("v")] == [b"a"]
    with TlsRedis(ca, begins=-9, ends=-2) as store:
        kevs(*argv(name, store.to(cacert=ca.cert))).failed(1, "expired")


def test_a_certificate_of_ours(kevs, topic, produce, ca):
    name = topic()
    produce(name, [("a", "1")])
    mine = ca.issue("client")
    with TlsRedis(ca, clients="yes") as store:
        kevs(*argv(name, store.to(cacert=ca.cert))).failed(1, str(store.port))
        kevs(*argv(name, store.to(cacert=ca.cert, cert=mine))).failed(2, "belong together")
        kevs(*argv(name, store.to(cacert=ca.cert, cert=mine, key=mine))).ok()
        locked = mine.with_suffix(".locked")
        subprocess.run(["openssl", "pkey", "-in", mine, "-aes256", "-passout", "pass:x", "-out",
                        locked], check=True, stderr=subprocess.DEVNULL)
        kevs(*argv(name, store.to(cacert=ca.cert, cert=mine, key=locked))).failed(1, str(locked))


def test_the_wrong_kind_of_port(kevs, topic, produce, ca):
    name = topic()
    produce(name, [("a", "1")])
    with TlsRedis(ca) as store:
        kevs(*argv(name, f"redis://localhost:{store.port}")).failed(1, str(store.port), "rediss://")
        kevs(*argv(name, f"rediss://localhost:{store.plain}", "--timeout", "1s")).failed(
            1, str(store.plain), "redis://")
    kevs(*argv(name, f"rediss://localhost:{store.port}")).failed(1, "refused")
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]

    def answer():
        peer, _ = server.accept()
        peer.sendall(b"-ERR who are you\r\n")
        peer.recv(1000)
        peer.close()
    teller = threading.Thread(target=answer)
    teller.start()
    kevs(*argv(name, f"rediss://localhost:{port}")).failed(1, "does not speak TLS", "redis://")
    teller.join()
    server.close()


def test_a_server_killed_and_back(kevs, kafka, admin, topic, rng, ca):
    """The connection is made anew, and each batch is in once."""
    name = topic(partitions=2)
    admin("produce", topic=name, records=views.hostile(rng, 3000, False, 2))
    events = views.dump(kafka, name)
    with TlsRedis(ca) as store:
        child = kevs.start(*argv(name, store.to(cacert=ca.cert), "--mode", "count", "--batch",
                                 "40", "--rate", "1000"))
        for _ in range(3):
            seen = sum(map(int, store.view.totals("v", "count").values()))
            proc.wait_until(lambda: sum(map(int, store.view.totals("v", "count").values())) > seen,
                            "progress", 30)
            store.kill()
            store.start()
        _, err = child.communicate(timeout=60)
        assert child.returncode == 0, err
        assert store.view.totals("v", "count") == views.fold_count(events)


@pytest.mark.parametrize("tls", [True, False])
def test_a_stop_while_redis_does_not_answer(kevs, topic, produce, ca, tls):
    name = topic()
    produce(name, [("a", "1")])
    with TlsRedis(ca) as store:
        store.view.ask(["CLIENT", "PAUSE", "600000", "WRITE"])
        url = store.to(cacert=ca.cert) if tls else f"redis://127.0.0.1:{store.plain}"
        child = kevs.start(*argv(name, url))
        proc.wait_until(lambda: b"blocked_clients:1" in store.view.ask(["INFO", "clients"])[0],
                        "a run that waits", 20)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
        assert child.returncode == 3, (out, err)
        store.view.ask(["CLIENT", "UNPAUSE"])
        kevs(*argv(name, url)).ok()


@pytest.mark.parametrize("user, words", [
    ("+@all -info ~*", None),                           # what it may not ask it goes without
    ("+@all ~v:*", "eventscope_*")])
def test_a_user_of_few_rights(kevs, topic, produce, ca, user, words):
    name = topic()
    produce(name, [("a", "1")])
    with TlsRedis(ca) as store:
        store.view.ask(["ACL", "SETUSER", "etl", "on", ">p/w", *user.split()])
        url = store.to(cacert=ca.cert).replace("//", "//etl:p%2Fw@")
        got = kevs(*argv(name, url))
        if words:
            got.failed(1, "NOPERM", words)
        else:
            got.ok()
