/* Consumers - group members that a test starts, slows down, stops or abandons.
 *
 * Each runs a thread: poll, count, commit when told or automatically. `rate` limits records a
 * second (-1 no limit, 0 stands still but goes on polling); `abandon` ends the process side without
 * a LeaveGroup, as a crash does.
 */
import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

final class Consumers extends Thread {
    static final Map<String, Consumers> all = new ConcurrentHashMap<>();

    final KafkaConsumer<byte[], byte[]> consumer;
    final Collection<String> topics;
    volatile double rate;
    volatile boolean commitEach;
    volatile boolean stop, abandon, commitNow;
    volatile long records, seekTo = -1;
    volatile String error;
    volatile Set<String> assigned = Set.of();

    Consumers(Properties p, Collection<String> topics, double rate, boolean commitEach) {
        this.consumer = new KafkaConsumer<>(p, new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
        this.topics = topics;
        this.rate = rate;
        this.commitEach = commitEach;
        setDaemon(true);
    }

    @Override
    public void run() {
        try {
            consumer.subscribe(topics);
            long start = System.nanoTime();
            long before = 0;
            double pace = rate;
            while (!stop) {
                if (pace != rate) {
                    pace = rate;
                    start = System.nanoTime();
                    before = records;
                }
                double seconds = (System.nanoTime() - start) / 1e9;
                boolean may = pace < 0 || records - before < pace * seconds;
                if (may) {
                    consumer.resume(consumer.paused());
                } else {
                    consumer.pause(consumer.assignment());
                }
                int got = consumer.poll(Duration.ofMillis(20)).count();
                records += got;
                assigned = names(consumer.assignment());
                if (seekTo >= 0) {
                    for (TopicPartition p : consumer.assignment()) {
                        consumer.seek(p, seekTo);
                    }
                }
                if (commitNow || (commitEach && got > 0)) {
                    consumer.commitSync();
                    commitNow = false;
                    seekTo = -1;
                }
            }
        } catch (Throwable e) {
            error = e.toString();
        } finally {
            if (!abandon) {
                consumer.close(CloseOptions.timeout(Duration.ofSeconds(5)));
            }
        }
    }

    static Set<String> names(Set<TopicPartition> of) {
        Set<String> out = new TreeSet<>();
        of.forEach(p -> out.add(p.toString()));
        return out;
    }

    /* {name, group, topics, protocol: classic|consumer, instance, rate, commit: each|auto|none,
     *  config, wait: true} waits for an assignment unless wait is false */
    static Object start(JsonNode q) throws Exception {
        Properties p = Admin.config(q);
        p.put("group.id", q.get("group").asText());
        p.put("group.protocol", q.path("protocol").asText("classic"));
        p.put("client.id", q.path("client").asText(q.get("name").asText()));
        p.putIfAbsent("auto.offset.reset", "earliest");
        p.put("enable.auto.commit", "" + q.path("commit").asText("each").equals("auto"));
        p.putIfAbsent("max.poll.records", q.path("rate").asDouble(-1) < 0 ? "500" : "10");
        if (p.get("group.protocol").equals("classic")) {
            p.putIfAbsent("session.timeout.ms", "6000");
            p.putIfAbsent("heartbeat.interval.ms", "500");
        }
        if (q.has("instance")) {
            p.put("group.instance.id", q.get("instance").asText());
        }
        Consumers c = new Consumers(p, Admin.strings(q.get("topics")),
            q.path("rate").asDouble(-1), q.path("commit").asText("each").equals("each"));
        all.put(q.get("name").asText(), c);
        c.start();
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (q.path("wait").asBoolean(true) && c.assigned.isEmpty() && c.error == null
               && System.nanoTime() < until) {
            Thread.sleep(10);
        }
        return status(q);
    }

    static Consumers find(JsonNode q) {
        Consumers c = all.get(q.get("name").asText());
        if (c == null) {
            throw new IllegalArgumentException("no consumer " + q.get("name"));
        }
        return c;
    }

    static Object status(JsonNode q) {
        Consumers c = find(q);
        Map<String, Object> out = new HashMap<>();
        out.put("records", c.records);
        out.put("assigned", c.assigned);
        out.put("error", c.error);
        out.put("alive", c.isAlive());
        return out;
    }

    static Object set(JsonNode q) {
        Consumers c = find(q);
        c.rate = q.path("rate").asDouble(c.rate);
        c.commitEach = q.path("commit_each").asBoolean(c.commitEach);
        return null;
    }

    static Object commit(JsonNode q) throws Exception {
        Consumers c = find(q);
        c.commitNow = true;
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (c.commitNow && c.isAlive() && System.nanoTime() < until) {
            Thread.sleep(5);
        }
        return !c.commitNow;
    }

    /* {name, offset}: goes to an offset in all its partitions and commits there */
    static Object seek(JsonNode q) throws Exception {
        find(q).seekTo = q.get("offset").asLong();
        return commit(q);
    }

    static Object stop(JsonNode q) throws Exception {
        Consumers c = find(q);
        all.remove(q.get("name").asText());
        c.abandon = q.path("abandon").asBoolean();
        c.stop = true;
        c.join(20000);
        return c.records;
    }
}
