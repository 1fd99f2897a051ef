"""lag of 1,001 groups x 12 partitions beside Kafka's ConsumerGroupCommand."""
from support import paths
from support.admin import Admin

GROUPS = 1001


def run(bench):
    topic, at = bench.topic(), bench.kafka
    admin = Admin(at)
    missing = [f"bench-{i:04}" for i in range(GROUPS)]
    have = admin("groups")
    for g in [g for g in missing if g not in have]:
        admin("set-group-offsets", group=g, topic=topic,
              offsets={str(p): 1000 * p for p in range(12)})
    admin.close()
    bench.alternate(f"lag of {GROUPS} groups x 12 partitions", [
        ("ConsumerGroupCommand --describe --all-groups", bench.java(
            "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", at,
            "--describe", "--all-groups")),
        ("eventscope lag --json", [paths.EVENTSCOPE, "lag", "-b", at, "--json", "-q"]),
    ])
