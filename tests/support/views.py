"""The oracle of a replay: kcat's dump of a topic, folded here, and what the sinks hold.

An event is (partition, offset, ts, key, value), keys and values bytes or None. A fold answers:
latest: key -> (value, partition, offset, ts); log: (partition, offset) -> (key, value, ts).
"""
import base64
import collections
import decimal
import json
import socket
import sqlite3
import struct
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from . import stores

Event = collections.namedtuple("Event", "partition offset ts key value")


def dump(bootstrap, topic, *options):
    """Everything in the topic, byte for byte: lengths before bytes, whatever the bytes are."""
    raw = subprocess.run(
        ["kcat", "-C", "-b", bootstrap, "-t", topic, "-o", "beginning", "-e", "-q",
         "-X", "fetch.message.max.bytes=10485760", *options,
         "-f", "%p %o %T %K %S\n%k%s\n"], stdout=subprocess.PIPE, check=True, timeout=240).stdout
    events, at = [], 0
    while at < len(raw):
        end = raw.index(b"\n", at)
        p, o, ts, k, s = map(int, raw[at:end].split())
        at = end + 1
        key = None if k < 0 else raw[at:at + k]
        at += max(k, 0)
        value = None if s < 0 else raw[at:at + s]
        at += max(s, 0) + 1
        events.append(Event(p, o, ts, key, value))
    return events


def latest_events(events):
    """key -> its newest event: in a partition by offset; of several by (ts, partition)."""
    last = {}
    for e in events:
        if e.key is not None:
            by = last.setdefault(e.key, {})
            if e.partition not in by or by[e.partition].offset < e.offset:
                by[e.partition] = e
    return {k: max(by.values(), key=lambda e: (e.ts, e.partition)) for k, by in last.items()}


def fold_latest(events):
    return {k: (e.value, e.partition, e.offset, e.ts) for k, e in latest_events(events).items()
            if e.value is not None}


def fold_log(events):
    return {(e.partition, e.offset): (e.key, e.value, e.ts) for e in events}


def fold_count(events, group=lambda e: e.key):
    return dict(collections.Counter(group(e) for e in events if group(e) is not None))


# --- hostile data ------------------------------------------------------------------------------
TEXTS = [
    b"", b" ", b"'", b'"', b"''", b'""', b"\\", b"\\x", b"\\.", b"\\N", b"\t", b"\r\n", b"\n",
    b"'; DROP TABLE v; --", b'"; DROP TABLE "v"; --', b"$1", b"?1", b"%s%n", b"{}", b"[]", b"null",
    b"NULL", b"*3\r\n$3\r\nSET\r\n", b"\r\nFLUSHALL\r\n", b'{"a":1}', b'{"index":{"_id":"1"}}\n',
    b"..", b"../x", b"a/b", b"a,b", b"a|b", b"{hash}tag", b"_id", b"\x1b[31mred\x1b[0m",
    "überörder".encode(), "\U0001f4a9".encode(), "\u202ertl".encode(), "\ufeffbom".encode(),
    b"k" * 300, b"0", b"-0", b"00", b"1e5", b"9007199254740993", b"true",
]
BINARY = [b"\x00", b"a\x00b", b"\x00\x00\x00\x01", b"\xff\xfe", b"\x80", b"\xc0\xaf",
          b"\xed\xa0\x80",
          bytes(range(256)), b"\x00" * 16, b"k\x00", b"k"]
VALUES = [
    b"", b"null", b"0", b"9007199254740993", b"-9223372036854775808", b"18446744073709551615",
    b"184.90", b"1e400", b'"\\u0041\\ud83d\\ude00"', b'{"a":1,"a":2}', b'{"n":9007199254740993}',
    b'{"v":184.90,"s":"\\u00e9\\n"}', b"{", b"[1,2", b"plain text", b"'\"\\", b"\\N", b"\t\r\n",
    "\u2028\u2029".encode(), b"x" * 5000,
]


def b64(x):
    return None if x is None else base64.b64encode(x).decode()


def hostile(rng, n, binary, partitions, fits=lambda key: True):
    """n records for admin("produce"): hostile keys, values, tombstones, null and split keys."""
    keys = [k for k in TEXTS + (BINARY if binary else []) if fits(k)]
    values = VALUES + (BINARY if binary else [])
    records, ts = [], int(time.time() * 1000) - 3_600_000   # younger than any retention
    for i in range(n):
        key = rng.choice(keys)
        value = rng.choice(values)
        if rng.random() < 0.15:
            value = None
        if rng.random() < 0.05:
            key = None
        ts += rng.randrange(0, 3)
        split = rng.random() < 0.3
        spot = rng.randrange(partitions) if split else (len(key or b"") % partitions)
        records.append({"partition": spot, "timestamp": ts, "key_base64": b64(key),
                        "value_base64": b64(value), "headers": [["h", "v"]] if i % 7 == 0 else []})
    return records


# --- what the sinks hold -----------------------------------------------------------------------
def remove(path):
    """A file and those beside it that begin with its name."""
    for p in path.parent.glob(path.name + "*"):
        p.unlink()


def raw(x):
    return x.encode() if isinstance(x, str) else x


class Sqlite:
    name = "sqlite"

    def __init__(self, folder):
        self.path = folder / "view.db"
        self.url = f"sqlite:{self.path}"

    def clear(self):
        remove(self.path)

    def query(self, sql, *args):
        db = sqlite3.connect(self.path)
        try:
            return db.execute(sql, args).fetchall()
        finally:
            db.close()

    def latest(self, target):
        rows = self.query(f'SELECT key, value, partition, "offset", ts FROM "{target}"')
        found = {raw(k): (raw(v), p, o, ts) for k, v, p, o, ts in rows}
        assert len(found) == len(rows)
        return found

    def log(self, target):
        rows = self.query(f'SELECT partition, "offset", key, value, ts FROM "{target}"')
        found = {(p, o): (raw(k), raw(v), ts) for p, o, k, v, ts in rows}
        assert len(found) == len(rows)
        return found

    def totals(self, target, column):
        return {raw(k): v for k, v in self.query(f'SELECT key, "{column}" FROM "{target}"')}


class Jsonl:
    name = "jsonl"

    def __init__(self, folder):
        self.path = folder / "view.jsonl"
        self.url = f"jsonl:{self.path}"

    def clear(self):
        remove(self.path)

    def lines(self):
        return [json.loads(line, parse_float=decimal.Decimal)
                for line in self.path.read_bytes().split(b"\n")[:-1]]

    @staticmethod
    def member(row, name):
        if name + "_base64" in row:
            return base64.b64decode(row[name + "_base64"])
        return None if row[name] is None else row[name].encode("utf-8")

    def latest(self, _target):
        rows = self.lines()
        found = {self.member(r, "key"): (self.member(r, "value"), r["partition"], r["offset"],
                                         r["ts"]) for r in rows}
        assert len(found) == len(rows)
        return found

    def log(self, _target):
        rows = self.lines()
        found = {(r["partition"], r["offset"]): (self.member(r, "key"), self.member(r, "payload"),
                                                 r["ts"]) for r in rows}
        assert len(found) == len(rows)
        return found

    def totals(self, _target, column):
        return {self.member(r, "key"): r[column] for r in self.lines()}


class Postgres:
    name = "postgresql"

    def __init__(self, url, binary=True):
        self.url = url
        self.options = ["--key-type", "bytea", "--value-type", "bytea"] if binary else []

    def query(self, sql):
        rows = stores.psql(self.url, sql)
        return [r for r in rows if r != ""]

    @staticmethod
    def bytes(x):
        return bytes.fromhex(x[1:]) if x.startswith("x") else None

    def columns(self, target, *names):
        """Rows with keys and values as 'x' and hex digits, whatever their type."""
        kinds = dict(r.split("|") for r in self.query(
            "SELECT column_name || '|' || data_type FROM information_schema.columns"
            f" WHERE table_name = '{target}'"))

        def shown(n):
            if n not in ("key", "value"):
                return f'"{n}"::text'
            raw_value = f'"{n}"' if kinds[n] == "bytea" else f"convert_to(\"{n}\"::text, 'UTF8')"
            return f"coalesce('x' || encode({raw_value}, 'hex'), 'null')"
        fields = " || '|' || ".join(shown(n) for n in names)
        return [r.split("|") for r in self.query(f'SELECT {fields} FROM "{target}"')]

    def latest(self, target):
        rows = self.columns(target, "key", "value", "partition", "offset", "ts")
        found = {self.bytes(k): (self.bytes(v), int(p), int(o), int(ts)) for k, v, p, o, ts in rows}
        assert len(found) == len(rows)
        return found

    def log(self, target):
        rows = self.columns(target, "partition", "offset", "key", "value", "ts")
        found = {(int(p), int(o)): (self.bytes(k), self.bytes(v), int(ts))
                 for p, o, k, v, ts in rows}
        assert len(found) == len(rows)
        return found

    def totals(self, target, column):
        number = int if column == "count" else decimal.Decimal
        return {self.bytes(k): number(v) for k, v in self.columns(target, "key", column)}

    def clear(self):
        self.query("SET client_min_messages = error; DROP SCHEMA public CASCADE;"
                   " CREATE SCHEMA public")


class Redis:
    """A RESP client that knows just enough."""

    name = "redis"

    def __init__(self, url):
        self.url = url
        host = urllib.parse.urlsplit(url)
        self.at = (host.hostname, host.port)

    def ask(self, *commands):
        """One pipeline; the replies."""
        text = b"".join(b"*%d\r\n" % len(c) + b"".join(
            b"$%d\r\n%s\r\n" % (len(raw(a)), raw(a)) for a in c) for c in commands)
        with socket.create_connection(self.at, 30) as s:
            s.sendall(text)
            f = s.makefile("rb")
            return [self.reply(f) for _ in commands]

    def reply(self, f):
        line = f.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            n = int(rest)
            return None if n < 0 else f.read(n + 2)[:-2]
        if kind == b"*":
            return [self.reply(f) for _ in range(int(rest))]
        assert kind != b"-", line
        return int(rest) if kind == b":" else rest

    def clear(self):
        self.ask(["FLUSHALL"])

    def keys(self, target):
        return [k for k in self.ask(["KEYS", "*"])[0] if k.startswith(raw(target) + b":")]

    def latest(self, target):
        keys = self.keys(target)
        values = self.ask(*(["GET", k] for k in keys)) if keys else []
        names = [k[len(target) + 1:] for k in keys]
        found = {}
        if not keys:
            return found
        versions = self.versions(target)
        for name, value in zip(names, values):
            found[name] = (value, *versions[name])
        return found

    def versions(self, target):
        """key -> (partition, offset, ts), a deleted key's too: of its entries the last."""
        names = self.ask(["KEYS", f"eventscope_version.*:{target}"])[0]
        found = {}
        for name in names:
            body = self.ask(["GET", name])[0]
            while body:
                size, p, o, ts = struct.unpack_from("<IIqq", body)
                found[body[24:24 + size]] = (p & 0x7fffffff, o, ts)
                body = body[24 + size:]
        return found

    def log(self, target):
        found = {}
        for key in self.keys(target):
            p = int(key.rpartition(b":")[2])
            for entry, fields in self.ask(["XRANGE", key, "-", "+"])[0]:
                row = dict(zip(fields[::2], fields[1::2]))
                place = (p, int(entry.split(b"-")[0]))
                assert place not in found
                found[place] = (row.get(b"key"), row.get(b"value"), int(row[b"ts"]))
        return found

    def totals(self, target, column):
        flat = self.ask(["ZRANGE", target, "0", "-1", "WITHSCORES"])[0]
        scores = dict(zip(flat[::2], flat[1::2]))
        if column == "count":
            return {k: int(v) for k, v in scores.items()}
        flat = self.ask(["HGETALL", "eventscope_sum:" + target])[0]
        exact = {k: decimal.Decimal(v.decode()) for k, v in zip(flat[::2], flat[1::2])}
        assert {k: float(v) for k, v in scores.items()} == {k: float(v) for k, v in exact.items()}
        return exact


class OpenSearch:
    name = "opensearch"
    guarantee = "effectively-once"

    @staticmethod
    def fits(key):
        """What may be an _id."""
        try:
            return 0 < len(key.decode()) <= 512 and b"\0" not in key
        except UnicodeDecodeError:
            return False

    def __init__(self, url):
        self.http, self.headers = url, {"Content-Type": "application/json"}
        if "@" in url:
            user, self.http = url.removeprefix("http://").split("@")
            self.http = "http://" + self.http
            self.headers["Authorization"] = "Basic " + b64(user.encode())
        self.url = "opensearch+" + url

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            self.http + path, method=method, headers=self.headers,
            data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=60) as r:
            return json.loads(r.read(), parse_float=decimal.Decimal)

    def clear(self):
        for name in self.ask("GET", "/_cat/indices?format=json&h=index"):
            if not name["index"].startswith("."):
                self.ask("DELETE", "/" + urllib.parse.quote(name["index"]))

    def docs(self, target):
        try:
            self.ask("POST", f"/{target}/_refresh")
        except urllib.error.HTTPError as e:
            if e.code == 404:           # no such index yet
                return []
            raise
        got = self.ask("POST", f"/{target}/_search?scroll=1m", {"size": 5000})
        found = []
        while got["hits"]["hits"]:
            found += got["hits"]["hits"]
            got = self.ask("POST", "/_search/scroll",
                           {"scroll": "1m", "scroll_id": got["_scroll_id"]})
        return found

    def latest(self, target):
        found = {}
        for doc in self.docs(target):
            r = doc["_source"]
            key = Jsonl.member(r, "key")
            assert key == doc["_id"].encode()
            found[key] = (Jsonl.member(r, "value"), r["partition"], r["offset"], r["ts"])
        return found

    def log(self, target):
        return {(r["partition"], r["offset"]): (Jsonl.member(r, "key"), Jsonl.member(r, "payload"),
                                                r["ts"])
                for r in (d["_source"] for d in self.docs(target))}

    def totals(self, target, column):
        return {d["_id"].encode(): d["_source"][column] for d in self.docs(target)}


class Elasticsearch(OpenSearch):
    name = "elasticsearch"

    def __init__(self, url):
        super().__init__(url)
        self.url = "elasticsearch+" + url


class Topic:
    """A compacted idea of a topic: the last record of each key, as kcat reads it."""

    name = "kafka"
    where = "kafka:"

    def __init__(self, bootstrap, admin, topic):
        self.bootstrap, self.admin, self.topic = bootstrap, admin, topic
        self.url = f"kafka:{topic}"
        self.round = 0

    def clear(self):
        """Another topic, as new."""
        self.round += 1
        name = f"{self.topic}-{self.round}"
        self.admin("create-topic", topic=name, partitions=3, topic_config={})
        self.made = name
        self.url = self.where + name

    def records(self):
        """(key, value, source place) in order, headers by kcat's own format."""
        raw_text = subprocess.run(
            ["kcat", "-C", "-b", self.bootstrap, "-t", self.made, "-o", "beginning", "-e", "-q",
             "-X", "fetch.message.max.bytes=10485760",
             "-f", "%p %o %T %K %S %h\n%k%s\n"], stdout=subprocess.PIPE, check=True).stdout
        at, found = 0, []
        while at < len(raw_text):
            end = raw_text.index(b"\n", at)
            p, o, ts, k, v, *headers = raw_text[at:end].split(b" ", 5)
            at = end + 1
            key = None if int(k) < 0 else raw_text[at:at + int(k)]
            at += max(int(k), 0)
            value = None if int(v) < 0 else raw_text[at:at + int(v)]
            at += max(int(v), 0) + 1
            found.append((int(p), int(o), int(ts), key, value, b"".join(headers)))
        return found

    def latest(self, _target):
        found = {}
        for _p, _o, ts, key, value, headers in self.records():
            place = headers.partition(b"eventscope.source=")[2].split(b",")[0].split()
            assert int(place[2]) == ts
            found[key] = (value, int(place[0]), int(place[1]), ts)
        return {k: v for k, v in found.items() if v[0] is not None}

    def log(self, _target):
        """By place in the partition: transactions take offsets of their own."""
        found, count = {}, collections.Counter()
        for p, _o, ts, k, v, _h in self.records():
            found[p, count[p]] = (k, v, ts)
            count[p] += 1
        return found

    def totals(self, _target, column):
        number = int if column == "count" else lambda v: decimal.Decimal(v.decode())
        last = {k: v for _p, _o, _ts, k, v, _h in self.records()}
        return {k: number(v) for k, v in last.items() if v is not None}


class TopicElsewhere(Topic):
    """A topic of another cluster than the source's: the three-node Kafka."""

    def __init__(self, bootstrap, admin, topic):
        super().__init__(bootstrap, admin, topic)
        self.where = f"kafka://{bootstrap}/"


def make(kind, fixture, folder):
    """A sink of its own for one test; fixture is request.getfixturevalue."""
    if kind == "sqlite":
        return Sqlite(folder)
    if kind == "jsonl":
        return Jsonl(folder)
    made = {"postgresql": lambda: Postgres(fixture("postgres")),
            "redis": lambda: Redis(fixture("redis")),
            "opensearch": lambda: OpenSearch(fixture("opensearch")),
            "elasticsearch": lambda: Elasticsearch(fixture("elasticsearch")),
            "kafka-elsewhere": lambda: TopicElsewhere(
                fixture("kafka3"), fixture("any_admin").at(fixture("kafka3")),
                fixture("name")("view")),
            "kafka": lambda: Topic(fixture("kafka"), fixture("admin"), fixture("name")("view")),
            }[kind]()
    made.clear()
    return made
