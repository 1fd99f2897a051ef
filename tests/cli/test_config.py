"""Configuration: layers, other clients' files, secrets, and one clear line for what is wrong."""
import json
import os

import pytest

OWN = """
# comment; not = a section
[defaults]
cluster = stage
theme = night
timeout = 3s

[cluster stage]
brokers = stage-1:9092,stage-2:9092

[cluster prod]
brokers = prod-1:9093
production = true
read-only = true
security.protocol = SASL_SSL
sasl.mechanism = SCRAM-SHA-512
sasl.username = ops-ro
sasl.password = ${env:OPS_PW}
groups = crm-import, audit-copy

[sink warehouse]
url = postgresql://etl@db1/shop
"""


@pytest.fixture
def conf(evs):
    def write(text, name="config/eventscope/eventscope.conf", mode=0o600):
        path = evs.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path
    return write


def values(result):
    return {v["name"]: (v["value"], v["origin"]) for v in result.ok().json["values"]}


def test_layers(evs, conf):
    conf(OWN)
    seen = values(evs("config", "show", "--json"))
    assert seen["cluster"] == ("stage", "eventscope.conf:4")
    assert seen["theme"] == ("night", "eventscope.conf:5")
    assert seen["timeout"] == ("3s", "eventscope.conf:6")
    assert seen["utc"] == ("false", "built in")
    assert seen["bootstrap.servers"] == ("stage-1:9092,stage-2:9092", "eventscope.conf:9")
    seen = values(evs("config", "show", "--json", "-C", "prod", "--timeout", "1s", "--theme", "x",
                      "-X", "client.id=me", env={"OPS_PW": "hush", "EVENTSCOPE_THEME": "light"}))
    assert seen["cluster"] == ("prod", "--cluster")
    assert seen["timeout"] == ("1s", "option")
    assert seen["theme"] == ("x", "option")
    assert seen["sasl.password"] == ("***", "eventscope.conf:18")
    assert seen["production"][0] == "true" and seen["read-only"][0] == "true"
    assert seen["client.id"] == ("me", "-X")
    seen = values(evs("config", "show", "--json", env={
        "EVENTSCOPE_CLUSTER": "prod", "OPS_PW": "x", "EVENTSCOPE_THEME": "light"}))
    assert seen["cluster"] == ("prod", "EVENTSCOPE_CLUSTER")
    assert seen["theme"] == ("light", "EVENTSCOPE_THEME")


def test_brokers_alone_take_no_profile(evs, conf):
    """A profile's password is not sent to a host that was only named with -b."""
    conf(OWN.replace("cluster = stage", "cluster = prod"))
    seen = values(evs.at("other:9092")("config", "show", "--json", env={"OPS_PW": "hush"}))
    assert seen["bootstrap.servers"] == ("other:9092", "--brokers")
    assert "sasl.password" not in seen and "cluster" not in seen


@pytest.mark.parametrize("broken, line, words", [
    ("brokes = x:1", 10, 'unknown key "brokes": did you mean "brokers"?'),
    ("production = maybe", 10, "maybe"),
    ("timeout = soon", 10, "soon"),
    ("just a word", 10, "neither [section] nor name = value"),
])
def test_a_broken_line_is_named(evs, conf, broken, line, words):
    conf(OWN.replace("[cluster prod]", broken + "\n[cluster prod]"))
    evs("topics").failed(2, f"eventscope.conf:{line + 1}: ", words)


def test_wrong_names(evs, conf):
    conf(OWN)
    evs("topics", "-C", "prd").failed(2, "no profile [cluster prd]", "did you mean prod?")
    evs("topics", "-C", "prod").failed(2, "eventscope.conf:18", "OPS_PW")
    evs("topics", "-F", "missing.conf").failed(2, "missing.conf")
    conf(OWN.replace("[sink warehouse]", "[sinc warehouse]"))
    evs("topics").failed(2, "eventscope.conf:22: unknown section [sinc warehouse]")
    conf("brokers = x:1\n[defaults]\n")
    evs("topics").failed(2, "eventscope.conf:1: ", "before any [section]")
    conf("[cluster a]\nbrokers = x:1\nssl.ca.locatoin = y\n")
    evs("topics").failed(2, "eventscope.conf:3: unknown property 'ssl.ca.locatoin'",
                         "did you mean 'ssl.ca.location'?")


def test_locked_profile_cannot_be_overridden(evs, conf):
    conf(OWN)
    evs("topics", "-C", "prod", "--allow-writes", env={"OPS_PW": "x"}).failed(
        2, "locked (eventscope.conf:14: read-only = true)")


def test_secrets_from_outside_and_masked(evs, conf):
    (evs.home / "pw").write_text("from-file\n")
    path = conf("[cluster a]\nbrokers = x:1\nsecurity.protocol = sasl_plaintext\n"
                "sasl.mechanism = PLAIN\nsasl.username = u\n"
                f"ssl.key.password = ${{file:{evs.home}/pw}}\n"
                f"password_command = echo run >> {evs.home}/ran; echo from-command\n")
    shown = evs("config", "show").ok()
    assert "from-" not in shown.out and shown.out.count("***") == 2
    assert not (evs.home / "ran").exists()          # showing runs nothing
    steps = evs("config", "check", "--json").ok().json["steps"]
    assert all(s["ok"] for s in steps) and (evs.home / "ran").exists()
    path.write_text("[cluster a]\nbrokers = x:1\npassword_command = exit 3\n")
    evs("topics").failed(2, "eventscope.conf:3", "status 3")


def test_an_exposed_secret_is_warned_of(evs, conf):
    text = ("[cluster a]\nbrokers = localhost:1\nsecurity.protocol = sasl_plaintext\n"
            "sasl.mechanism = PLAIN\nsasl.username = u\nsasl.password = literal-secret\n")
    conf(text, mode=0o644)
    steps = {s["step"]: s for s in evs("config", "check", "--json").json["steps"]}
    assert not steps["secrets"]["ok"] and "chmod" in steps["secrets"]["fix"]
    assert "others may read it" in evs("topics", "--timeout", "1s").err
    conf(text, mode=0o600)
    assert "others may read it" not in evs("topics", "--timeout", "1s").err
    assert "literal-secret" not in evs("config", "show").ok().out


def test_kcat_file(evs, conf):
    conf("# kcat\nmetadata.broker.list=k1:9092\nsecurity.protocol = ssl\n", "kcat.conf")
    seen = values(evs("config", "show", "--json", "-F", "kcat.conf"))
    assert seen["bootstrap.servers"] == ("k1:9092", "kcat.conf:2")
    assert seen["security.protocol"] == ("ssl", "kcat.conf:3")
    # Only when it is named:
    evs("topics", env={"KCAT_CONFIG": "kcat.conf"}).failed(2, "no brokers")


JAVA = """! Java
bootstrap.servers : j1:9093
security.protocol=SASL_SSL
sasl.mechanism=SCRAM-SHA-256
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\
    username="al\\\\"ice" \\
    password='s3 cr=et;';
ssl.truststore.type=PEM
ssl.truststore.location=/etc/ca.pem
ssl.endpoint.identification.algorithm=
key.deserializer=org.apache.kafka.common.serialization.StringDeserializer
"""


def test_java_file(evs, conf):
    conf(JAVA, "client.properties")
    seen = values(evs("config", "show", "--json", "-F", "client.properties"))
    assert seen["bootstrap.servers"] == ("j1:9093", "client.properties:2")
    assert seen["sasl.username"][0] == 'al"ice'
    assert seen["sasl.password"] == ("***", "client.properties:5")
    assert seen["ssl.ca.location"][0] == "/etc/ca.pem"
    assert seen["ssl.endpoint.identification.algorithm"][0] == "none"
    assert "key.deserializer" in evs("config", "show", "-F", "client.properties").ok().out


@pytest.mark.parametrize("line, words", [
    ("ssl.truststore.location=/x/trust.jks", ["is JKS", "keytool -list -rfc"]),
    ("ssl.keystore.location=/x/key.jks", ["is JKS", "keytool -importkeystore"]),
    ("sasl.jaas.config=com.example.OwnLoginModule required;", ["OwnLoginModule", "SCRAM"]),
    ("sasl.jaas.config=a.b.PlainLoginModule required username=x", ["does not end in ';'"]),
])
def test_java_what_cannot_be_taken(evs, conf, line, words):
    conf("key.deserializer=x\nbootstrap.servers=j:1\n" + line + "\n", "client.properties")
    evs("topics", "-F", "client.properties").failed(2, "client.properties:3", *words)


def test_starter_is_valid_and_complete(evs, conf):
    text = evs("config", "starter").ok().out
    conf(text)
    assert values(evs("config", "show", "--json"))["bootstrap.servers"][0] == "localhost:9092"
    live = "\n".join(x[1:] if x.startswith("#") and x[1] != " " else x for x in text.splitlines())
    conf(live.replace("cluster = NAME", "cluster = local"))
    steps = evs("config", "check", "--json", env={"KAFKA_PASSWORD": "x"}).json["steps"]
    assert [s for s in steps if s["step"] == "file"][0]["ok"], json.dumps(steps, indent=1)


def test_path(evs, conf):
    assert evs("config", "path", "--json").ok().json["exists"] is False
    path = conf(OWN)
    seen = evs("config", "path", "--json").ok().json
    assert seen == {"path": os.fspath(path), "from": "default", "exists": True}
    seen = evs("config", "path", "--json", env={"EVENTSCOPE_CONFIG": path}).ok().json
    assert seen["from"] == "EVENTSCOPE_CONFIG"


def test_a_property_whose_name_begins_with_topic(evs):
    """kcat's topic. is taken off, but not where it belongs to the name."""
    for name in ("topic.metadata.refresh.interval.ms", "topic.blacklist"):
        got = evs("config", "show", "-b", "h:1", "-X", f"{name}=1000", "--json").ok()
        assert name in got.out
    got = evs("config", "show", "-b", "h:1", "-X", "topic.acks=1", "--json").ok()
    assert "topic.acks" not in got.out and '"acks"' in got.out
