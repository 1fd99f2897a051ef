"""messages beside kcat: dump every key, find one key's records by their values."""
from support import paths

TUNED = "-X queued.min.messages=1000000 -X queued.max.messages.kbytes=262144"


def run(bench):
    topic, at = bench.topic(), bench.kafka
    kcat = f"kcat -C -b {at} -t {topic} -e -q"
    evs = f"{paths.EVENTSCOPE} messages {topic} -b {at} -q"
    bench.alternate("dump the keys of every record", [
        ("kcat, queued.min.messages=1000000, -f '%k\\n'", f"{kcat} {TUNED} -f '%k\\n'"),
        ("kcat, defaults", f"{kcat} -f '%k\\n'"),
        ("eventscope messages -f '%k\\n'", f"{evs} -f '%k\\n'"),
    ])
    needle = '"order":"order-0000999"'
    bench.alternate("find one key's records in their values", [
        ("kcat (tuned) | grep -c", f"{kcat} {TUNED} -f '%s\\n' | grep -c '{needle}'"),
        ("eventscope messages --grep", f"{evs} --grep '{needle}' -f '%s\\n'"),
    ])
