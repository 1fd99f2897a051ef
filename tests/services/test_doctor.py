"""`eventscope doctor` against faults of real brokers: the failing step is named, and its fix."""
import socket
import threading
import time

from support import kcat
from support.kafka import AUTHORIZER
from support.tls import Authority

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


def secured(*users, **more):
    """Broker options: a listener SASL where these users log in with the password `right`."""
    known = " ".join(f'user_{u}="right"' for u in users)
    return {"listeners": {"SASL": "SASL_PLAINTEXT"}, "properties": {
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl.plain.sasl.jaas.config": f"{PLAIN} {known};", **more}}


def login(user, password="right"):
    return [x for p in ("security.protocol=sasl_plaintext", "sasl.mechanism=PLAIN",
                        f"sasl.username={user}", f"sasl.password={password}") for x in ("-X", p)]


def steps(result):
    """Steps by name (the failed one where a name comes twice); the exit code agrees."""
    said = {}
    for s in result.json["steps"]:
        if s["step"] not in said or s["state"] == "failed":
            said[s["step"]] = s
    failed = [s for s in result.json["steps"] if s["state"] == "failed"]
    assert result.code == (4 if failed else 0) and result.json["failed"] == len(failed), str(result)
    return said


def fails(result, name, *words):
    said = steps(result)
    assert said[name]["state"] == "failed", said
    text = said[name]["text"] + " | " + (said[name]["fix"] or "")
    for word in words:
        assert word in text, said[name]
    return said


def test_a_healthy_broker(kevs, topic, produce):
    t = topic()
    produce(t, [("k", "v")])
    said = steps(kevs("doctor", "--json", "--topic", t).ok())
    for name in ("name", "reach", "speaks", "topics", "advertised", "clock", "read", "configs"):
        assert said[name]["ok"] is True, said[name]
    assert said["write"]["ok"] is None
    assert "librdkafka" in said["library"]["text"]


def test_the_clock_is_measured_on_what_arrives(broker, any_admin, evs):
    """By a broker's stamp within its error; by a producer's only as that; without records not."""
    k = broker()
    admin = any_admin.at(k.bootstrap)
    admin("create-topic", topic="own", partitions=1)
    admin("create-topic", topic="stamped", partitions=1,
          topic_config={"message.timestamp.type": "LogAppendTime"})

    def clock():
        return steps(evs("doctor", "--json", "-b", k.bootstrap).ok())["clock"]
    assert "cannot be told" in clock()["text"]
    admin("produce", topic="own", records=[{"key": "k", "value": "v"}])
    assert "nothing was written meanwhile" in clock()["text"]
    feed = kcat.Feed(k.bootstrap, "own", 200)
    try:
        said = clock()
        assert said["state"] == "ok" and "a producer's clock" in said["text"]
        feed2 = kcat.Feed(k.bootstrap, "stamped", 200)
        try:
            said = clock()
            assert said["state"] == "ok", said
            assert "a broker's clock agrees with this machine's within" in said["text"]
        finally:
            feed2.close()
    finally:
        feed.close()
    admin("produce", topic="own", records=[
        {"key": "k", "value": "v", "timestamp": int(time.time() * 1000) + 600000}])
    fails(evs("doctor", "--json", "-b", k.bootstrap), "clock", "ahead of this machine's clock")


def test_no_listener_and_no_name(evs):
    fails(evs("doctor", "--json", "-b", "127.0.0.1:1"), "reach", "refused", "check the port")
    said = fails(evs("doctor", "--json", "-b", "no-such-host.invalid:9092"), "name", "not resolve")
    assert said["topics"]["state"] == "not-tried"
    fails(evs("doctor", "--json", "-b", "host:port"), "name", "HOST:PORT")
    evs("doctor").failed(2, "no brokers")


def test_wrong_port_with_a_web_server(evs):
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer():
            peer, _ = server.accept()       # reach
            peer.close()
            peer, _ = server.accept()
            peer.recv(100)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            peer.close()
        threading.Thread(target=answer, daemon=True).start()
        got = evs("doctor", "--json", "-b", f"127.0.0.1:{server.getsockname()[1]}")
    fails(got, "speaks", "web server")


def test_tls_spoken_plain_expired_and_wrong_authority(evs, broker, tmp_path):
    ca, other = Authority(tmp_path), Authority(tmp_path, "other")
    props = {**ca.broker_properties("TLS"), **ca.broker_properties("OLD", begins=-9, ends=-1),
             **ca.broker_properties("NAME", hosts=("kafka.example",))}
    k = broker(listeners={"TLS": "SSL", "OLD": "SSL", "NAME": "SSL"}, properties=props)

    def doctor(listener, *options, trust=ca):
        return evs("doctor", "--json", "-b", k.address(listener), "--timeout", "5s",
                   "-X", "security.protocol=ssl", "-X", f"ssl.ca.location={trust.cert}", *options)
    good = steps(doctor("TLS").ok())["TLS"]
    assert good["state"] == "note" and "chain and name ok, but valid only to" in good["text"]
    fails(evs("doctor", "--json", "-b", k.address("TLS"), "--timeout", "5s"), "speaks",
          "security.protocol")
    fails(doctor("PLAIN"), "TLS", "plaintext")
    fails(doctor("OLD"), "TLS", "expired", "new certificate")
    fails(doctor("TLS", trust=other), "TLS", "ssl.ca.location")
    fails(doctor("NAME"), "TLS", "127.0.0.1", "subjectAltName")


def test_wrong_password(evs, broker):
    k = broker(**secured("alice"))
    at = ["doctor", "--json", "-b", k.address("SASL"), "--timeout", "6s"]
    assert steps(evs(*at, *login("alice")))["login"]["text"] == "PLAIN as alice"
    got = evs(*at, *login("alice", "wrong-secret"))
    fails(got, "login", "sasl.password")
    assert "wrong-secret" not in got.out + got.err


def test_scram_is_the_password_wrong_or_the_library_old(evs, broker, tmp_path):
    """librdkafka before 2.6.1 fails on Kafka 4 with any password: doctor says which it is."""
    ca = Authority(tmp_path)
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    props = {f"listener.name.{name}.{x}": y for name in ("sasl", "both")
             for x, y in (("sasl.enabled.mechanisms", "SCRAM-SHA-256,SCRAM-SHA-512"),
                          ("scram-sha-256.sasl.jaas.config", scram),
                          ("scram-sha-512.sasl.jaas.config", scram))}
    k = broker(listeners={"SASL": "SASL_PLAINTEXT", "BOTH": "SASL_SSL"},
               scram={"alice": "s3cret-9"}, properties={**props, **ca.broker_properties("BOTH")})

    def doctor(password, mechanism="SCRAM-SHA-256", listener="SASL", protocol="sasl_plaintext"):
        given = (f"security.protocol={protocol}", f"sasl.mechanism={mechanism}",
                 "sasl.username=alice", f"sasl.password={password}", f"ssl.ca.location={ca.cert}")
        got = evs("doctor", "--json", "-b", k.address(listener), "--timeout", "5s",
                  *[x for p in given for x in ("-X", p)])
        assert password not in got.out + got.err
        return got
    for how in ({}, {"mechanism": "SCRAM-SHA-512"}, {"listener": "BOTH", "protocol": "sasl_ssl"}):
        wrong = steps(doctor("not-that-one", **how))["login"]
        right = steps(doctor("s3cret-9", **how))["login"]
        assert wrong["state"] == "failed" and "sasl.password" in wrong["fix"], wrong
        if right["state"] == "ok":
            continue            # a newer librdkafka
        assert "the broker takes the same login" in right["text"], right
        assert "user and password are right" in right["fix"] and "2.6.1" in right["fix"]
        assert "user or password is wrong" in wrong["text"], wrong


def test_advertised_listener_out_of_reach(evs, broker):
    k = broker(listeners={"OUT": "PLAINTEXT"}, advertise={"OUT": "127.0.0.1:1"})
    got = evs("doctor", "--json", "-b", k.address("OUT"), "--timeout", "5s")
    fails(got, "advertised", "127.0.0.1:1", "advertised.listeners")


def test_missing_permissions(evs, broker, any_admin):
    """Each operation denied: the step that needs it fails with the ACL that would allow it."""
    k = broker(**secured("bob", **{"authorizer.class.name": AUTHORIZER}))
    admin = any_admin.at(k.bootstrap)
    admin("create-topic", topic="orders", partitions=1)
    admin("produce", topic="orders", records=[{"key": "k", "value": "v"}])
    admin("set-group-offsets", group="billing", topic="orders", offsets={"0": 1})

    def doctor():
        return evs("doctor", "--json", "-b", k.address("SASL"), "--timeout", "8s",
                   "--topic", "orders", "--group", "billing", *login("bob"))
    add = "kafka-acls.sh --add --allow-principal User:bob --operation "
    fails(doctor(), "read", "orders", add + "Read --topic orders")
    admin("acl", resource="TOPIC", name="orders", principal="User:bob", operation="DESCRIBE")
    fails(doctor(), "read", "orders", add + "Read --topic orders")
    admin("acl", resource="TOPIC", name="orders", principal="User:bob", operation="READ")
    said = fails(doctor(), "lag", "billing", add + "Describe --group billing")
    assert said["read"]["ok"] is True
    assert said["configs"]["fix"] == add + "DescribeConfigs --topic orders"
    got = evs("lint", "orders", "--json", "-b", k.address("SASL"), *login("bob"))
    assert not got.json["complete"]     # two rules could not judge: that is no clean bill
    why = {s["what"]: s["why"] for s in got.json["skipped"]}
    about = "settings of orders, for tombstone-not-compacted and replication-risk"
    assert "uthoriz" in why[about], why
    admin("acl", resource="GROUP", name="billing", principal="User:bob", operation="DESCRIBE")
    admin("acl", resource="TOPIC", name="orders", principal="User:bob",
          operation="DESCRIBE_CONFIGS")
    said = steps(doctor())
    assert said["lag"]["ok"] is True and said["configs"]["state"] == "ok"
