"""kcat as the tests use it: to write records, and as the oracle for what a topic holds."""
import json
import subprocess
import threading

SEP, END = b"\x1f", b"\x1e"


def produce(bootstrap, topic, records, partition=None, codec=None, headers=(), options=()):
    """records: (key, value) pairs of bytes or text; neither may hold 0x1e or 0x1f, and an empty
    key or value becomes null (kcat -Z). For anything else: admin("produce", ...)."""
    def raw(x):
        return b"" if x is None else x.encode() if isinstance(x, str) else x
    argv = ["kcat", "-P", "-b", bootstrap, "-t", topic, "-K", "\\x1f", "-D", "\\x1e", "-Z",
            "-X", "message.max.bytes=10485760"]
    if partition is not None:
        argv += ["-p", str(partition)]
    if codec:
        argv += ["-z", codec]
    for h in headers:
        argv += ["-H", h]
    text = END.join(raw(k) + SEP + raw(v) for k, v in records)
    subprocess.run([*argv, *options], input=text, check=True, timeout=120)


def consume(bootstrap, topic, *options, offset="beginning", timeout=120):
    """Everything in the topic as kcat -J tells it, one dict a record."""
    out = subprocess.run(
        ["kcat", "-C", "-b", bootstrap, "-t", topic, "-o", offset, "-e", "-q", "-J", *options],
        stdout=subprocess.PIPE, check=True, timeout=timeout).stdout
    return [json.loads(line) for line in out.splitlines()]


def listing(bootstrap):
    """Cluster metadata, as kcat -L -J."""
    out = subprocess.run(["kcat", "-L", "-J", "-b", bootstrap], stdout=subprocess.PIPE,
                         check=True, timeout=60).stdout
    return json.loads(out)


class Feed:
    """Produces `rate` records a second, one by one as they come due, until closed."""

    def __init__(self, bootstrap, topic, rate, partition=0):
        self.child = subprocess.Popen(
            ["kcat", "-P", "-b", bootstrap, "-t", topic, "-p", str(partition), "-K", "\t",
             "-X", "linger.ms=5"], stdin=subprocess.PIPE)
        self.pause, self.stop = 20 / rate, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        n = 0
        while not self.stop.wait(self.pause):
            for _ in range(20):
                self.child.stdin.write(b'k%d\t{"n":%d}\n' % (n % 97, n))
                n += 1
            self.child.stdin.flush()

    def close(self):
        self.stop.set()
        self.thread.join()
        self.child.stdin.close()
        self.child.wait(30)
