"""keys beside kcat printing keys, kcat | sort | uniq -c, and Kafka's ConsumerPerformance; the
counts are checked against what gen wrote."""
import json

from support import paths

TUNED = "-X queued.min.messages=1000000 -X queued.max.messages.kbytes=262144"


def check(bench, topic, argv):
    """Exact mode equals the generator, key for key, as far as the list of hot keys goes."""
    found = json.loads(bench.timed(argv, shell=True, capture=True).out)
    truth = dict(line.split("\t")[:2] for line in bench.truth(topic).read_text().splitlines())
    for hot in found["hot_keys"]:
        assert hot["error"] == 0 and int(truth[hot["key"]]) == hot["count"], hot
    print(f"checked: {len(found['hot_keys'])} hot keys equal the generator's counts")


def run(bench):
    topic, at = bench.topic(), bench.kafka
    kcat = f"kcat -C -b {at} -t {topic} -e -q {TUNED} -f '%k\\n'"
    evs = f"{paths.EVENTSCOPE} keys {topic} -b {at} --json -q"
    check(bench, topic, evs)
    bench.alternate("who are the hot keys of 5 million records", [
        ("kcat, queued.min.messages=1000000, -f '%k\\n'", kcat),
        ("eventscope keys --json", evs),
        ("eventscope keys --sample --json", evs + " --sample"),
        ("kcat (the same) | sort | uniq -c", f"{kcat} | LC_ALL=C sort | uniq -c"),
        ("ConsumerPerformance, whole process", bench.java(
            "org.apache.kafka.tools.ConsumerPerformance", "--bootstrap-server", at, "--topic",
            topic, "--messages", bench.records, "--timeout", "60000")),
    ])
    kept = json.loads(bench.timed([bench.tool("distinct"), "100000000"], capture=True).out)
    print(f"\n{kept['keys']:,} distinct keys without a broker: peak {kept['peak_mib']:.0f} MiB, "
          f"estimate {kept['estimate']:,.0f}, stated error {100 * kept['error']:.1f} %")
