"""What a topic holds, counted plainly: the oracle of the key tests."""
import base64
import collections
import math
import subprocess


def murmur2(data):
    m, mask = 0x5bd1e995, 0xffffffff
    h = 0x9747b28c ^ len(data)
    for i in range(0, len(data) & ~3, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    tail = data[len(data) & ~3:]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return (h ^ h >> 15) & mask


def by_murmur2(key, partitions):
    return (murmur2(key) & 0x7fffffff) % partitions


class Dump:
    """What a topic holds, counted plainly from kcat's output (key bytes in hex)."""

    def __init__(self, bootstrap, topic):
        out = subprocess.run(
            ["kcat", "-C", "-b", bootstrap, "-t", topic, "-e", "-q", "-o", "beginning", "-f",
             "%p %o %T %K %S %k\\x1e"], stdout=subprocess.PIPE, check=True, timeout=120).stdout
        self.count, self.bytes = collections.Counter(), collections.Counter()
        self.on = collections.defaultdict(lambda: collections.defaultdict(list))
        self.part, self.part_bytes = collections.Counter(), collections.Counter()
        self.nulls = self.tombstones = self.total = 0
        self.keys_of = collections.defaultdict(set)
        self.ts = []
        for line in out.split(b"\x1e")[:-1]:
            p, o, ts, klen, vlen, key = line.split(b" ", 5)
            p, o, klen, vlen = int(p), int(o), int(klen), int(vlen)
            size = max(klen, 0) + max(vlen, 0)
            self.total += 1
            self.part[p] += 1
            self.part_bytes[p] += size
            self.tombstones += vlen < 0
            self.ts.append(int(ts))
            if klen < 0:
                self.nulls += 1
                continue
            assert len(key) == klen
            self.count[key] += 1
            self.bytes[key] += size
            self.on[key][p].append(o)
            self.keys_of[p].add(key)


def key_of(row):
    return base64.b64decode(row["key_base64"]) if "key_base64" in row else row["key"].encode()


def near(a, b):
    assert math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9), (a, b)
