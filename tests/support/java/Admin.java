/* Admin - what the tests ask of a cluster, in one JVM for the whole session.
 *
 * One JSON object a line on stdin: {"do": "create-topic", "bootstrap": "...", "config": {client
 * properties}, ...}; one JSON line back: {"ok": value} or {"error": "Class: message"}. Commands run
 * one after the other; consumers (Consumers.java) run in threads of their own. admin.py is the
 * other end and documents each command.
 */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.resource.*;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public final class Admin {
    interface Command {
        Object run(JsonNode q) throws Exception;
    }

    static final ObjectMapper json = new ObjectMapper();
    static final Map<String, org.apache.kafka.clients.admin.Admin> admins = new HashMap<>();
    static final Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();
    static final Map<String, Command> commands = new TreeMap<>();

    static {
        commands.put("create-topic", Admin::createTopic);
        commands.put("create-topics", Admin::createTopics);
        commands.put("delete-topic", q ->
            admin(q).deleteTopics(strings(q.get("topics"))).all().get());
        commands.put("topics", q -> admin(q).listTopics(
            new ListTopicsOptions().listInternal(q.path("internal").asBoolean())).names().get());
        commands.put("describe-topic", Admin::describeTopic);
        commands.put("add-partitions", q -> admin(q).createPartitions(Map.of(
            q.get("topic").asText(), NewPartitions.increaseTo(q.get("to").asInt()))).all().get());
        commands.put("delete-records", Admin::deleteRecords);
        commands.put("alter-config", Admin::alterConfig);
        commands.put("offsets", Admin::offsets);
        commands.put("groups", Admin::groups);
        commands.put("describe-group", Admin::describeGroup);
        commands.put("delete-group", q ->
            admin(q).deleteConsumerGroups(strings(q.get("groups"))).all().get());
        commands.put("group-offsets", Admin::groupOffsets);
        commands.put("set-group-offsets", Admin::setGroupOffsets);
        commands.put("elect", q -> admin(q).electLeaders(
            org.apache.kafka.common.ElectionType.PREFERRED, null).all().get());
        commands.put("reassign", Admin::reassign);
        commands.put("acl", Admin::acl);
        commands.put("delete-acls", q ->
            admin(q).deleteAcls(List.of(AclBindingFilter.ANY)).all().get().size());
        commands.put("cluster", q -> admin(q).describeCluster().clusterId().get());
        commands.put("produce", Admin::produce);
        commands.put("txn-begin", q -> begin(q));
        commands.put("txn-commit", q -> end(q, true));
        commands.put("txn-abort", q -> end(q, false));
        commands.put("producer-close", q -> close(q));
        commands.put("consumer-start", Consumers::start);
        commands.put("consumer-status", Consumers::status);
        commands.put("consumer-set", Consumers::set);
        commands.put("consumer-commit", Consumers::commit);
        commands.put("consumer-seek", Consumers::seek);
        commands.put("consumer-stop", Consumers::stop);
    }

    static Properties config(JsonNode q) {
        Properties p = new Properties();
        p.put("bootstrap.servers", q.get("bootstrap").asText());
        q.path("config").fields().forEachRemaining(e -> p.put(e.getKey(), e.getValue().asText()));
        return p;
    }

    static org.apache.kafka.clients.admin.Admin admin(JsonNode q) {
        return admins.computeIfAbsent(q.get("bootstrap") + "" + q.get("config"), k -> {
            Properties p = config(q);
            p.putIfAbsent("default.api.timeout.ms", "20000");
            p.putIfAbsent("request.timeout.ms", "10000");
            return org.apache.kafka.clients.admin.Admin.create(p);
        });
    }

    static List<String> strings(JsonNode list) {
        List<String> out = new ArrayList<>();
        list.forEach(n -> out.add(n.asText()));
        return out;
    }

    static Map<String, String> stringMap(JsonNode map) {
        Map<String, String> out = new LinkedHashMap<>();
        map.fields().forEachRemaining(e -> out.put(e.getKey(), e.getValue().asText()));
        return out;
    }

    /* {"0": 5, "3": 7} of q[name] as partitions of q.topic */
    static Map<TopicPartition, Long> partitions(JsonNode q, String name) {
        Map<TopicPartition, Long> out = new HashMap<>();
        q.get(name).fields().forEachRemaining(e -> out.put(new TopicPartition(
            q.get("topic").asText(), Integer.parseInt(e.getKey())), e.getValue().asLong()));
        return out;
    }

    /* Very many, of one partition each: not waited for. */
    static Object createTopics(JsonNode q) throws Exception {
        List<NewTopic> some = new ArrayList<>();
        for (String name : strings(q.get("topics"))) {
            some.add(new NewTopic(name, 1, (short) 1));
            if (some.size() == 500) {
                admin(q).createTopics(some).all().get();
                some.clear();
            }
        }
        admin(q).createTopics(some).all().get();
        return null;
    }

    static Object createTopic(JsonNode q) throws Exception {
        String name = q.get("topic").asText();
        NewTopic t;
        if (q.has("assignment")) {
            Map<Integer, List<Integer>> to = new HashMap<>();
            for (int p = 0; p < q.get("assignment").size(); p++) {
                List<Integer> nodes = new ArrayList<>();
                q.get("assignment").get(p).forEach(n -> nodes.add(n.asInt()));
                to.put(p, nodes);
            }
            t = new NewTopic(name, to);
        } else {
            t = new NewTopic(name, Optional.of(q.path("partitions").asInt(1)),
                q.has("replicas") ? Optional.of((short) q.get("replicas").asInt())
                                  : Optional.empty());
        }
        admin(q).createTopics(List.of(t.configs(stringMap(q.path("topic_config"))))).all().get();
        /* visible to everyone, with a leader in each partition, before we say done */
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (true) {
            try {
                TopicDescription d =
                    admin(q).describeTopics(List.of(name)).allTopicNames().get().get(name);
                if (d.partitions().stream().allMatch(p -> p.leader() != null)) {
                    return d.partitions().size();
                }
            } catch (ExecutionException e) {
                if (System.nanoTime() > until) {
                    throw e;
                }
            }
            Thread.sleep(10);
        }
    }

    static Object describeTopic(JsonNode q) throws Exception {
        List<Object> out = new ArrayList<>();
        String name = q.get("topic").asText();
        for (var p : admin(q).describeTopics(List.of(name)).allTopicNames().get().get(name)
                 .partitions()) {
            out.add(Map.of("partition", p.partition(), "leader",
                p.leader() == null ? -1 : p.leader().id(), "replicas",
                p.replicas().stream().map(n -> n.id()).toList(), "isr",
                p.isr().stream().map(n -> n.id()).toList()));
        }
        return out;
    }

    static Object deleteRecords(JsonNode q) throws Exception {
        Map<TopicPartition, RecordsToDelete> to = new HashMap<>();
        partitions(q, "before").forEach((p, o) -> to.put(p, RecordsToDelete.beforeOffset(o)));
        admin(q).deleteRecords(to).all().get();
        return null;
    }

    static Object alterConfig(JsonNode q) throws Exception {
        ConfigResource.Type type = switch (q.path("type").asText("topic")) {
            case "topic" -> ConfigResource.Type.TOPIC;
            case "broker" -> ConfigResource.Type.BROKER;
            case "logger" -> ConfigResource.Type.BROKER_LOGGER;
            default -> ConfigResource.Type.GROUP;
        };
        List<AlterConfigOp> ops = new ArrayList<>();
        stringMap(q.get("set")).forEach((k, v) -> ops.add(
            new AlterConfigOp(new ConfigEntry(k, v), AlterConfigOp.OpType.SET)));
        admin(q).incrementalAlterConfigs(
            Map.of(new ConfigResource(type, q.get("name").asText()), ops)).all().get();
        return null;
    }

    static Object offsets(JsonNode q) throws Exception {
        OffsetSpec spec = switch (q.path("at").asText("latest")) {
            case "latest" -> OffsetSpec.latest();
            case "earliest" -> OffsetSpec.earliest();
            case "max-timestamp" -> OffsetSpec.maxTimestamp();
            default -> OffsetSpec.forTimestamp(q.get("at").asLong());
        };
        IsolationLevel level = q.path("committed").asBoolean() ? IsolationLevel.READ_COMMITTED
                                                               : IsolationLevel.READ_UNCOMMITTED;
        String name = q.get("topic").asText();
        Map<TopicPartition, OffsetSpec> ask = new HashMap<>();
        for (var p : admin(q).describeTopics(List.of(name)).allTopicNames().get().get(name)
                 .partitions()) {
            ask.put(new TopicPartition(name, p.partition()), spec);
        }
        Map<Integer, Long> out = new TreeMap<>();
        admin(q).listOffsets(ask, new ListOffsetsOptions(level)).all().get()
            .forEach((p, o) -> out.put(p.partition(), o.offset()));
        return out;
    }

    static Object groups(JsonNode q) throws Exception {
        Map<String, Object> out = new TreeMap<>();
        for (var g : admin(q).listGroups().all().get()) {
            out.put(g.groupId(), Map.of("state", g.groupState().map(Object::toString).orElse(""),
                "type", g.type().map(Object::toString).orElse(""), "protocol", g.protocol()));
        }
        return out;
    }

    static Object describeGroup(JsonNode q) throws Exception {
        String id = q.get("group").asText();
        var g = admin(q).describeConsumerGroups(List.of(id)).all().get().get(id);
        List<Object> members = new ArrayList<>();
        for (var m : g.members()) {
            members.add(Map.of("id", m.consumerId(), "client", m.clientId(), "host", m.host(),
                "instance", m.groupInstanceId().orElse(""), "partitions",
                m.assignment().topicPartitions().stream().map(Object::toString).toList()));
        }
        return Map.of("state", g.groupState().toString(), "coordinator", g.coordinator().id(),
            "members", members);
    }

    static Object groupOffsets(JsonNode q) throws Exception {
        Map<String, Object> out = new TreeMap<>();
        admin(q).listConsumerGroupOffsets(q.get("group").asText())
            .partitionsToOffsetAndMetadata().get()
            .forEach((p, o) -> out.put(p.toString(), o == null ? null : o.offset()));
        return out;
    }

    /* group, or groups: the same offsets in each, some hundred requests at a time */
    static Object setGroupOffsets(JsonNode q) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> to = new HashMap<>();
        partitions(q, "offsets").forEach((p, o) -> to.put(p, new OffsetAndMetadata(o)));
        List<String> groups = q.has("groups") ? strings(q.get("groups"))
                                              : List.of(q.get("group").asText());
        Deque<org.apache.kafka.common.KafkaFuture<Void>> out = new ArrayDeque<>();
        for (String group : groups) {
            out.add(admin(q).alterConsumerGroupOffsets(group, to).all());
            if (out.size() > 200) {
                out.remove().get();
            }
        }
        for (var f : out) {
            f.get();
        }
        return null;
    }

    static Object reassign(JsonNode q) throws Exception {
        List<Integer> nodes = new ArrayList<>();
        q.get("replicas").forEach(n -> nodes.add(n.asInt()));
        admin(q).alterPartitionReassignments(Map.of(
            new TopicPartition(q.get("topic").asText(), q.get("partition").asInt()),
            Optional.of(new NewPartitionReassignment(nodes)))).all().get();
        return null;
    }

    static Object acl(JsonNode q) throws Exception {
        admin(q).createAcls(List.of(new AclBinding(
            new ResourcePattern(ResourceType.fromString(q.get("resource").asText()),
                q.get("name").asText(),
                q.path("prefixed").asBoolean() ? PatternType.PREFIXED : PatternType.LITERAL),
            new AccessControlEntry(q.get("principal").asText(), "*",
                AclOperation.fromString(q.get("operation").asText()),
                q.path("deny").asBoolean() ? AclPermissionType.DENY
                                           : AclPermissionType.ALLOW)))).all().get();
        return null;
    }

    static KafkaProducer<byte[], byte[]> producer(JsonNode q) {
        String txn = q.path("txn").asText("");
        String name = q.get("bootstrap") + "|" + q.get("config") + "|" + txn;
        return producers.computeIfAbsent(name, k -> {
            Properties p = config(q);
            p.putIfAbsent("linger.ms", "5");
            p.putIfAbsent("max.request.size", "10485760");
            if (!txn.isEmpty()) {
                p.put("transactional.id", txn);
            } else { // a topic just made can reset an idempotent producer's sequence for good
                p.putIfAbsent("enable.idempotence", "false");
                p.putIfAbsent("max.in.flight.requests.per.connection", "1");
            }
            var made = new KafkaProducer<>(p, new ByteArraySerializer(),
                new ByteArraySerializer());
            if (!txn.isEmpty()) {
                made.initTransactions();
            }
            return made;
        });
    }

    static byte[] bytes(JsonNode r, String name) throws Exception {
        if (r.hasNonNull(name + "_base64")) {
            return r.get(name + "_base64").binaryValue();
        }
        return r.hasNonNull(name) ? r.get(name).asText().getBytes(StandardCharsets.UTF_8) : null;
    }

    /* records: [{partition, key, value, timestamp, headers: [[name, value]...]}], each of key and
     * value as text or NAME_base64; absent is null. Answers [[partition, offset]...]. */
    static Object produce(JsonNode q) throws Exception {
        var to = producer(q);
        List<java.util.concurrent.Future<org.apache.kafka.clients.producer.RecordMetadata>> sent =
            new ArrayList<>();
        for (JsonNode r : q.get("records")) {
            var record = new ProducerRecord<>(q.get("topic").asText(),
                r.hasNonNull("partition") ? r.get("partition").asInt() : null,
                r.hasNonNull("timestamp") ? r.get("timestamp").asLong() : null,
                bytes(r, "key"), bytes(r, "value"));
            for (JsonNode h : r.path("headers")) {
                record.headers().add(h.get(0).asText(),
                    h.get(1).isNull() ? null : h.get(1).asText().getBytes(StandardCharsets.UTF_8));
            }
            sent.add(to.send(record));
        }
        to.flush();
        List<Object> out = new ArrayList<>();
        for (var s : sent) {
            out.add(List.of(s.get().partition(), s.get().offset()));
        }
        return out;
    }

    static Object begin(JsonNode q) {
        producer(q).beginTransaction();
        return null;
    }

    static Object end(JsonNode q, boolean commit) {
        if (commit) {
            producer(q).commitTransaction();
        } else {
            producer(q).abortTransaction();
        }
        return null;
    }

    static Object close(JsonNode q) {
        var p = producers.remove(q.get("bootstrap") + "|" + q.get("config") + "|"
            + q.path("txn").asText(""));
        if (p != null) {
            p.close(java.time.Duration.ZERO);
        }
        return p != null;
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Map<String, Object> answer = new HashMap<>();
            try {
                JsonNode q = json.readTree(line);
                Command c = commands.get(q.get("do").asText());
                if (c == null) {
                    throw new IllegalArgumentException("unknown command; known: "
                        + commands.keySet());
                }
                Object ok = c.run(q);
                answer.put("ok", ok == null || ok instanceof Void ? true : ok);
            } catch (Throwable e) {
                Throwable why = e instanceof ExecutionException ? e.getCause() : e;
                answer.put("error", why.getClass().getSimpleName() + ": " + why.getMessage());
            }
            out.println(json.writeValueAsString(answer));
        }
        Runtime.getRuntime().halt(0); /* open transactions and consumers stay as a crash would */
    }
}
