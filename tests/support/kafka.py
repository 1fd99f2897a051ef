"""A real Apache Kafka: one or several KRaft nodes, started, stopped, killed and restarted on the
same ports and data. The plain listener always exists; others come from `listeners`.

    with KafkaBroker(listeners={"SASL": "SASL_PLAINTEXT"}, scram={"alice": "secret"},
                     properties={"authorizer.class.name": AUTHORIZER}) as k:
        k.bootstrap            # plain; principal User:ANONYMOUS, which is a super user
        k.address("SASL")
"""
import base64
import shutil
import signal
import subprocess
import uuid

from . import java, proc

AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"

DEFAULTS = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAIN",
    "auto.create.topics.enable": "false",
    "delete.topic.enable": "true",
    "num.partitions": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    "group.coordinator.rebalance.protocols": "classic,consumer",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.session.timeout.ms": "6000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.heartbeat.interval.ms": "500",
    "group.consumer.min.heartbeat.interval.ms": "200",
    "message.max.bytes": "10485760",
    "replica.fetch.max.bytes": "10485760",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "log.cleaner.backoff.ms": "500",
    "log.segment.delete.delay.ms": "1000",
    "log.initial.task.delay.ms": "500",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
    "super.users": "User:ANONYMOUS",
}


class KafkaBroker:
    """nodes=1 is one broker and controller; nodes=3 has replication 3 and min.isr 2 inside.
    lasting: it will serve long enough for the JVM's second compiler to pay (half of a start)."""

    def __init__(self, properties=None, nodes=1, listeners=None, scram=None, heap=None,
                 advertise=None, lasting=False):
        self.nodes = list(range(1, nodes + 1))
        self.properties = dict(properties or {})
        self.listeners = {"PLAIN": "PLAINTEXT", **(listeners or {})}
        self.scram = dict(scram or {})
        self.advertise = dict(advertise or {})   # listener -> host:port that clients are told
        self.jit = [] if lasting else ["-XX:TieredStopAtLevel=1"]
        self.heap = heap or ("768m" if nodes == 1 else "512m")
        # the first bit clear: an id that starts with "-" would be taken for an option
        some = uuid.uuid4().bytes
        self.cluster_id = base64.urlsafe_b64encode(
            bytes([some[0] & 0x7f]) + some[1:]).decode().rstrip("=")
        self.ports = {(n, name): proc.free_port()
                      for n in self.nodes for name in ("CONTROLLER", *self.listeners)}
        self.dir = proc.scratch("kafka" if nodes == 1 else f"kafka{nodes}")
        self.daemons = {}
        for n in self.nodes:
            self._write_config(n)

    def address(self, listener="PLAIN", node=None):
        return ",".join(f"127.0.0.1:{self.ports[n, listener]}"
                        for n in ([node] if node else self.nodes))

    @property
    def bootstrap(self):
        return self.address()

    def _write_config(self, n):
        copies = min(3, len(self.nodes))
        protocols = {**self.listeners, "CONTROLLER": "PLAINTEXT"}
        config = {
            **DEFAULTS, "node.id": n, "log.dirs": self.dir / f"data{n}",
            "listeners": ",".join(f"{name}://127.0.0.1:{self.ports[n, name]}"
                                  for name in protocols),
            "advertised.listeners": ",".join(
                f"{name}://{self.advertise.get(name, '127.0.0.1:%d' % self.ports[n, name])}"
                for name in self.listeners),
            "listener.security.protocol.map": ",".join(f"{a}:{b}" for a, b in protocols.items()),
            "controller.quorum.voters": ",".join(
                f"{m}@127.0.0.1:{self.ports[m, 'CONTROLLER']}" for m in self.nodes),
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": min(2, copies),
            "default.replication.factor": copies,
            **self.properties}
        text = "".join(f"{k}={v}\n" for k, v in config.items())
        (self.dir / f"node{n}.properties").write_text(text)

    def log(self, node=1):
        return self.dir / f"node{node}.log"

    def launch(self, *nodes):
        """Start nodes without waiting for them."""
        for n in nodes or self.nodes:
            scram = [a for user, password in self.scram.items() for kind in (256, 512)
                     for a in ("--add-scram", f"SCRAM-SHA-{kind}=[name={user},"
                                              f"password={password}]")]
            argv = java.command("Broker", self.dir / f"node{n}.properties",
                                "-t", self.cluster_id, *scram, heap=self.heap,
                                options=["-Xms128m", "-XX:MaxGCPauseMillis=20", *self.jit])
            self.daemons[n] = proc.Daemon.start(argv, self.log(n), cwd=self.dir)

    def start(self, *nodes, timeout=60):
        """Start (or restart) nodes, all by default, and wait until the live ones serve."""
        self.launch(*nodes)
        self.wait(timeout)
        return self

    def wait(self, timeout=60):
        up = [n for n in self.nodes if n in self.daemons and self.daemons[n].alive()]

        def ready():
            for n in up:
                if not self.daemons[n].alive():
                    raise proc.Ended(f"node {n} ended:\n{proc.tail(self.log(n))}")
            return all(proc.listens(self.ports[n, "PLAIN"]) for n in up) and \
                all(self._serves(n, len(up)) for n in up)
        proc.wait_until(ready, f"Kafka at {self.bootstrap}", timeout, 0.1)

    def _serves(self, n, brokers):
        got = subprocess.run(
            ["kcat", "-b", self.address(node=n), "-L", "-m", "2", "-X", "log_level=0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        return got.returncode == 0 and f" {brokers} brokers:" in got.stdout

    def stop(self, *nodes, number=signal.SIGTERM):
        for n in nodes or list(self.daemons):
            self.daemons[n].send(number)
        for n in nodes or list(self.daemons):
            self.daemons[n].stop(number)

    def kill(self, *nodes):
        """kill -9: no goodbye to the controller, no flush."""
        self.stop(*nodes, number=signal.SIGKILL)

    def freeze(self, *nodes):
        """SIGSTOP: connections stay open and nothing answers."""
        for n in nodes or self.nodes:
            self.daemons[n].send(signal.SIGSTOP)

    def thaw(self, *nodes):
        for n in nodes or self.nodes:
            self.daemons[n].send(signal.SIGCONT)

    def remove(self):
        self.thaw(*self.daemons)
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.remove()
            raise

    def __exit__(self, *_):
        self.remove()
