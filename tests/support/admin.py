"""One long-lived JVM (java/Admin.java) that does what a test needs done to a cluster.

    admin = Admin(bootstrap)
    admin("create-topic", topic="t", partitions=3, topic_config={"cleanup.policy": "compact"})
    admin("produce", topic="t", records=[{"partition": 0, "key": "k", "value": "v"}])
    admin.at(other_bootstrap, **client_properties)("topics")

Commands, with their fields (all take `bootstrap` and `config`, filled in from the Admin):
    create-topic topic [partitions|assignment] [replicas] [topic_config]     delete-topic topics
    create-topics topics    (of one partition each, not waited for)
    topics [internal]       describe-topic topic        add-partitions topic to
    delete-records topic before={"0": 5}                alter-config type name set
    offsets topic at=earliest|latest|max-timestamp|MS [committed]
    groups                  describe-group group        delete-group groups
    group-offsets group     set-group-offsets group|groups topic offsets={"0": 5}
    elect                   reassign topic partition replicas
    acl resource name principal operation [prefixed] [deny]                  delete-acls
    cluster                 produce topic records [txn]
    txn-begin txn           txn-commit txn              txn-abort txn        producer-close [txn]
    consumer-start name group topics [protocol] [instance] [rate] [commit] [wait]
    consumer-status name    consumer-set name [rate]    consumer-commit name
    consumer-seek name offset                           consumer-stop name [abandon]
"""
import json
import subprocess
import tempfile

from . import java, proc


class AdminError(Exception):
    pass


class _Jvm:
    """The process; started at the first command, shared by every Admin of the session."""

    def __init__(self):
        self.child = None
        self.log = None

    def ask(self, request):
        if self.child is None or self.child.poll() is not None:
            self.log = tempfile.NamedTemporaryFile(prefix="eventscope-admin-", suffix=".log")
            self.child = subprocess.Popen(
                java.command("Admin", options=["-XX:TieredStopAtLevel=1"]),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
                encoding="utf-8")
        self.child.stdin.write(json.dumps(request) + "\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        if not line:
            raise AdminError(f"the admin process ended:\n{proc.tail(self.log.name)}")
        return json.loads(line)

    def close(self):
        if self.child is not None:
            self.child.stdin.close()
            self.child.wait(10)
            self.child.stdout.close()
            self.child = None


class Admin:
    def __init__(self, bootstrap, jvm=None, **config):
        self.bootstrap, self.config = bootstrap, config
        self.jvm = jvm or _Jvm()

    def at(self, bootstrap, **config):
        """The same process speaking to another cluster, or as another user."""
        return Admin(bootstrap, self.jvm, **config)

    def __call__(self, command, **fields):
        answer = self.jvm.ask({"do": command, "bootstrap": self.bootstrap, "config": self.config,
                               **fields})
        if "error" in answer:
            raise AdminError(f"{command}: {answer['error']}")
        return answer["ok"]

    def close(self):
        self.jvm.close()
