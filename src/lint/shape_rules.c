/* shape_rules.c - records too large, tombstones where nothing is compacted, too few replicas. */
#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "kafka/configs.h"
#include "kafka/meta.h"
#include "lint/rules.h"

enum {
    OVERSIZED = 1000000 /* just below what brokers and clients take by default */
};

struct seen {
    int64_t records, large, tombstones;
    double bytes;
    size_t largest;
    int32_t partition;
    int64_t offset;
};

static void *open_seen(const struct evs_lint_topic *t, void *shared)
{
    (void)t;
    (void)shared;
    return evs_xcalloc(1, sizeof(struct seen));
}

/* --- oversized-record --- */

static void see_size(void *state, const struct evs_lint_event *e)
{
    struct seen *s = state;
    size_t size = e->ev->key_len + e->ev->value_len;
    s->records++;
    s->bytes += (double)size;
    s->large += size >= OVERSIZED;
    if (size > s->largest) {
        s->largest = size;
        s->partition = e->ev->partition;
        s->offset = e->ev->offset;
    }
}

static void judge_size(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    struct seen *s = state;
    char size[EVS_NUM_LEN], mean[EVS_NUM_LEN], n[EVS_NUM_LEN], all[EVS_NUM_LEN];
    if (!s->large)
        return;
    double of = s->bytes / (double)s->records;
    struct evs_jsonw *w = evs_lint_add(
        out, EVS_SEV_WARN, s->partition,
        "%s of %s records seen %s larger than 1 MB; the largest has %s against a mean of %s.",
        evs_num_commas(n, s->large), evs_num_commas(all, s->records), s->large == 1 ? "is" : "are",
        evs_num_bytes(size, (double)s->largest), evs_num_bytes(mean, of));
    evs_jsonw_i64(w, "oversized", s->large);
    evs_jsonw_i64(w, "largest_bytes", (int64_t)s->largest);
    evs_jsonw_double(w, "mean_bytes", of);
    evs_lint_place(w, "example", s->partition, s->offset);
    evs_jsonw_i64(w, "messages_seen", t->seen);
    evs_lint_close(out, "Put the large part into object storage and send its address, or split the "
                        "record.");
}

const struct evs_lint_rule evs_lint_oversized = {
    .name = "oversized-record",
    .help = "records beyond 1 MB, which clients and brokers refuse by default",
    .records = true,
    .open = open_seen,
    .event = see_size,
    .judge = judge_size,
    .close = evs_free,
};

/* --- tombstone-not-compacted --- */

static void see_tombstone(void *state, const struct evs_lint_event *e)
{
    struct seen *s = state;
    if (e->ev->value || !e->ev->key)
        return;
    if (!s->tombstones++) {
        s->partition = e->ev->partition;
        s->offset = e->ev->offset;
    }
}

static void judge_tombstone(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    struct seen *s = state;
    const char *policy = t->config ? t->config->cleanup_policy : NULL;
    char n[EVS_NUM_LEN];
    if (!s->tombstones || !policy || strstr(policy, "compact"))
        return;
    struct evs_jsonw *w =
        evs_lint_add(out, EVS_SEV_WARN, s->partition,
                     "%s tombstones in a topic that is not compacted (cleanup.policy = %s): they "
                     "delete nothing "
                     "here, and the records they mean stay until retention takes them.",
                     evs_num_commas(n, s->tombstones), policy);
    evs_jsonw_i64(w, "tombstones", s->tombstones);
    evs_jsonw_str(w, "cleanup_policy", policy);
    evs_lint_place(w, "example", s->partition, s->offset);
    evs_jsonw_i64(w, "messages_seen", t->seen);
    evs_lint_close(out, "Set cleanup.policy=compact if the topic holds state. If it holds events, "
                        "send an event that says what was removed.");
}

const struct evs_lint_rule evs_lint_tombstone = {
    .name = "tombstone-not-compacted",
    .help = "null values on a topic that is not compacted",
    .records = true,
    .settings = true,
    .open = open_seen,
    .event = see_tombstone,
    .judge = judge_tombstone,
    .close = evs_free,
};

/* --- replication-risk --- */

static void judge_replication(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    (void)state;
    int brokers = t->meta->n_brokers, least = 0;
    for (int i = 0; i < t->self->n_partitions; i++)
        if (!i || t->self->partitions[i].n_replicas < least)
            least = t->self->partitions[i].n_replicas;
    int64_t isr = t->config ? t->config->min_isr : INT64_MIN;
    struct evs_jsonw *w = NULL;
    const char *advice = "Give it 3 replicas and min.insync.replicas=2.";
    if (!t->self->n_partitions)
        return;
    if (least == 1)
        w = evs_lint_add(out, brokers > 1 ? EVS_SEV_WARN : EVS_SEV_INFO, -1,
                         "One replica%s: when its broker is lost, so are its records.",
                         brokers > 1 ? "" : ", as the cluster has one broker");
    else if (isr == 1)
        w = evs_lint_add(
            out, EVS_SEV_WARN, -1,
            "%d replicas but min.insync.replicas = 1: a record acknowledged by one broker "
            "may be lost with it.",
            least);
    else if (isr >= least) {
        w = evs_lint_add(
            out, EVS_SEV_WARN, -1,
            "min.insync.replicas = %lld with %d replicas: writes stop when one broker is "
            "down.",
            (long long)isr, least);
        advice = "Set min.insync.replicas one below the replicas.";
    }
    if (!w)
        return;
    evs_jsonw_i64(w, "replicas", least);
    if (isr == INT64_MIN)
        evs_jsonw_null(w, "min_insync_replicas");
    else
        evs_jsonw_i64(w, "min_insync_replicas", isr);
    evs_jsonw_i64(w, "brokers", brokers);
    evs_lint_close(out, "%s", advice);
}

const struct evs_lint_rule evs_lint_replication = {
    .name = "replication-risk",
    .help = "replicas and in-sync settings that risk loss or a stop",
    .settings = true,
    .judge = judge_replication,
};
