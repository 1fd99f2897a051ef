/* kafka.c - a Kafka topic: rows, offsets and the job's state in one transaction.
 *
 * latest writes the new value of a key (null for a tombstone), count and sum the new total, log the
 * record as it was. A header "eventscope.source" says which event it is, so that a start can read
 * the topic back and never let an older one follow a newer one. The checkpoint is the committed
 * offsets of the group eventscope-ID, with the counters in their metadata: of the source's own
 * partitions on the same cluster; packed into the target's partitions on another one, which knows
 * no source topic.
 *
 * Threads  one.   Errors  producer.h.   Cost  a start reads the target; a transaction a batch.
 */
#include "sinks/kafka.h"

#include <stdio.h>
#include <string.h>

#include "core/xalloc.h"
#include "kafka/producer.h"
#include "sinks/all.h"
#include "sinks/decimal.h"

enum { METADATA_MAX = 4000 };

static void close_topic(struct evs_sink *sink)
{
    struct evs_topic *s = (struct evs_topic *)sink;
    evs_producer_close(s->p);
    evs_topic_index_done(s);
    evs_ckpt_done(&s->ckpt);
    char *texts[] = {s->topic, s->group, s->id, s->plan_hash};
    for (size_t i = 0; i < EVS_COUNT(texts); i++)
        evs_free(texts[i]);
    evs_free(s);
}

/* Of the topic that is read: a log keeps its partitions where the target has as many. */
static enum evs_rc count_source(struct evs_topic *s, const struct evs_sink_spec *spec,
                                struct evs_err *err)
{
    struct evs_producer *source = NULL;
    if (!s->other)
        return evs_producer_partitions(s->p, s->view.topic, &s->source_partitions, err);
    if (!spec->cluster || !spec->write || s->view.mode != EVS_VIEW_LOG)
        return EVS_OK;
    enum evs_rc rc =
        evs_producer_open(spec->cluster, NULL, NULL, NULL, spec->timeout_ms, &source, err);
    if (!rc)
        rc = evs_producer_partitions(source, s->view.topic, &s->source_partitions, err);
    evs_producer_close(source);
    return rc;
}

static enum evs_rc open_topic(const struct evs_sink_spec *spec, struct evs_sink **ret_s,
                              struct evs_err *err)
{
    const char *rest = evs_sink_rest(spec->url);
    char *brokers = NULL;
    if (!strncmp(rest, "//", 2)) {
        const char *slash = strchr(rest + 2, '/');
        brokers = evs_xstrndup(rest + 2, slash ? (size_t)(slash - rest - 2) : strlen(rest + 2));
        rest = slash ? slash + 1 : "";
    }
    enum evs_rc rc = evs_sink_check_name("the topic of the sink", rest, 249, err);
    if (!rc && !brokers && !strcmp(rest, spec->view->topic))
        rc = evs_fail(err, EVS_INVALID, "%s cannot be replayed into itself", rest);
    if (rc || (!spec->cluster && !brokers)) {
        evs_free(brokers);
        return rc ? rc : evs_fail(err, EVS_INVALID, "which cluster? kafka://brokers/TOPIC");
    }
    struct evs_topic *s = evs_xcalloc(1, sizeof(*s));
    s->base.ops = &evs_sink_kafka;
    s->view = *spec->view;
    s->topic = evs_xstrdup(rest);
    s->id = evs_xstrdup(spec->id);
    s->plan_hash = evs_xstrdup(spec->plan_hash);
    s->group = evs_xprintf("eventscope-%s", spec->id);
    s->other = brokers != NULL;
    rc = evs_producer_open(spec->cluster, brokers, spec->write ? s->group : NULL,
                           spec->write ? s->topic : NULL, spec->timeout_ms, &s->p, err);
    if (!rc)
        rc = evs_producer_partitions(s->p, s->topic, &s->partitions, err);
    if (!rc)
        rc = count_source(s, spec, err);
    evs_free(brokers);
    if (rc) {
        close_topic(&s->base);
        return err->code = rc == EVS_RETRY ? EVS_FATAL : rc;
    }
    *ret_s = &s->base;
    return EVS_OK;
}

static enum evs_rc info(struct evs_sink *sink, struct evs_sink_info *ret_i, struct evs_err *err)
{
    const struct evs_topic *s = (const struct evs_topic *)sink;
    *ret_i = (struct evs_sink_info){.exists = true, .rows = -1};
    snprintf(ret_i->text, sizeof(ret_i->text), "topic %.100s, %d partitions", s->topic,
             (int)s->partitions);
    (void)err;
    return EVS_OK;
}

static enum evs_rc check(struct evs_sink *sink, const struct evs_row *row, struct evs_err *err)
{
    const struct evs_topic *s = (const struct evs_topic *)sink;
    if (row->key || !evs_producer_compacted(s->p))
        return EVS_OK;
    return evs_fail(err, EVS_POISON, "kafka: %s is compacted and takes no record without a key",
                    s->topic);
}

/* --- checkpoint: "1 HASH STATE EPOCH; PARTITION numbers...;" ---------------------------------- */
static void read_one(struct evs_ckpt *c, const char *text)
{
    int partition = -1, used = 0;
    if (sscanf(text, "%d%n", &partition, &used) != 1)
        return;
    struct evs_ckpt_part *p = evs_ckpt_part(c, partition);
    for (int f = 0; f < EVS_CKPT_FIELDS; f++) {
        long long v = 0;
        text += used;
        if (sscanf(text, "%lld%n", &v, &used) != 1)
            return;
        p->n[f] = v;
    }
}

static void read_metadata(struct evs_ckpt *c, const char *text)
{
    char hash[80], state[20];
    long long epoch;
    if (sscanf(text, "1 %79s %19s %lld;", hash, state, &epoch) != 3)
        return;
    evs_ckpt_text(&c->plan_hash, hash, strlen(hash));
    evs_ckpt_text(&c->state, state, strlen(state));
    c->epoch = epoch;
    for (const char *at = strchr(text, ';'); at && at[1]; at = strchr(at + 1, ';'))
        read_one(c, at + 1);
}

static size_t n_places(const struct evs_topic *s)
{
    return (size_t)(s->other ? s->partitions : s->source_partitions);
}

static enum evs_rc load_as(struct evs_topic *s, bool stable, struct evs_ckpt *ret_c,
                           struct evs_err *err)
{
    size_t n = n_places(s);
    struct evs_commit *places = evs_xcalloc(n, sizeof(*places));
    memset(ret_c, 0, sizeof(*ret_c));
    for (size_t i = 0; i < n; i++)
        places[i] = (struct evs_commit){.topic = s->other ? s->topic : s->view.topic,
                                        .partition = (int32_t)i};
    enum evs_rc rc = evs_producer_committed(s->p, s->group, stable, places, n, err);
    for (size_t i = 0; i < n; i++) {
        if (!rc && places[i].metadata)
            read_metadata(ret_c, places[i].metadata);
        evs_free(places[i].metadata);
    }
    evs_free(places);
    evs_ckpt_text(&ret_c->id, s->id, strlen(s->id));
    evs_ckpt_text(&ret_c->topic, s->view.topic, strlen(s->view.topic));
    return rc;
}

/* Before the claim a killed process's transaction may stand open for a minute: what was committed
 * before it is the answer then. The claim aborts it, and after that nothing may be pending. */
static enum evs_rc load(struct evs_sink *sink, struct evs_ckpt *ret_c, struct evs_err *err)
{
    struct evs_topic *s = (struct evs_topic *)sink;
    return load_as(s, s->claimed, ret_c, err);
}

/* The whole checkpoint with the transaction under way. */
static enum evs_rc commit(struct evs_topic *s, const struct evs_ckpt *c, struct evs_err *err)
{
    size_t n = n_places(s), used = 0;
    struct evs_commit *places = evs_xcalloc(n, sizeof(*places));
    struct evs_buf *texts = evs_xcalloc(n, sizeof(*texts));
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; i < c->n; i++) {
        size_t at = (size_t)c->parts[i].partition % n;
        struct evs_buf *b = &texts[at];
        if (!b->len) {
            *b = (struct evs_buf)EVS_BUF_INIT(METADATA_MAX);
            evs_buf_printf(b, "1 %s %s %lld", s->plan_hash, c->state ? c->state : "running",
                           (long long)s->epoch);
        }
        evs_buf_printf(b, ";%d", c->parts[i].partition);
        for (int f = 0; f < EVS_CKPT_FIELDS; f++)
            evs_buf_printf(b, " %lld", (long long)c->parts[i].n[f]);
        if (b->over)
            rc = evs_fail(err, EVS_FATAL, "%s has too few partitions to keep the checkpoint of %zu",
                          s->topic, c->n);
        places[at].offset = c->parts[i].n[EVS_CKPT_NEXT];
    }
    for (size_t i = 0; i < n; i++)
        if (texts[i].len)
            places[used++] = (struct evs_commit){.topic = s->other ? s->topic : s->view.topic,
                                                 .partition = (int32_t)i,
                                                 .offset = places[i].offset,
                                                 .metadata = texts[i].data};
    if (!rc)
        rc = evs_producer_commit(s->p, s->group, places, used, err);
    for (size_t i = 0; i < n; i++)
        evs_buf_done(&texts[i]);
    evs_free(texts);
    evs_free(places);
    return rc;
}

/* A topic cannot be emptied: a tombstone for every key that it has. */
static enum evs_rc bury(struct evs_topic *s, struct evs_err *err)
{
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; !rc && i < s->index.n; i++) {
        struct evs_event ev = {.key = s->index.items[i].key, .key_len = s->index.items[i].key_len};
        rc = evs_producer_send(s->p, s->topic,
                               evs_producer_place(ev.key, ev.key_len, s->partitions), &ev, 0, err);
    }
    evs_topic_index_done(s);
    return rc;
}

static enum evs_rc claim(struct evs_sink *sink, enum evs_claim how, struct evs_ckpt *c,
                         struct evs_err *err)
{
    struct evs_topic *s = (struct evs_topic *)sink;
    struct evs_ckpt now = {0};
    enum evs_rc rc = s->claimed ? EVS_OK : evs_producer_init(s->p, err); /* see producer.h */
    s->claimed = !rc;
    if (!rc)
        rc = load(sink, &now, err);
    s->epoch = now.epoch + 1;
    if (!rc && how == EVS_CLAIM_RESUME && now.n) {
        evs_ckpt_add(&now, c);
        evs_ckpt_done(c);
        evs_ckpt_copy(c, &now);
    }
    evs_ckpt_done(&now);
    bool totals = s->view.mode == EVS_VIEW_COUNT || s->view.mode == EVS_VIEW_SUM;
    c->epoch = s->epoch;
    evs_ckpt_done(&s->ckpt);
    evs_ckpt_copy(&s->ckpt, c);
    evs_ckpt_text(&s->ckpt.state, "running", 7);
    if (!rc)
        rc = evs_topic_index(s, err);
    if (!rc)
        rc = evs_producer_begin(s->p, err);
    if (!rc && how == EVS_CLAIM_RESTART && totals)
        rc = bury(s, err);
    return rc ? rc : commit(s, &s->ckpt, err);
}

/* --- a batch --------------------------------------------------------------------------------- */
static enum evs_rc total_of(const struct evs_topic *s, const struct evs_row *r, struct evs_buf *out,
                            struct evs_err *err)
{
    const struct evs_topic_entry *e = evs_map_get(&s->index, r->key, r->key_len);
    struct evs_decimal sum, have;
    evs_buf_reset(out);
    if (r->sum)
        evs_buf_adds(out, r->sum);
    else
        evs_buf_i64(out, r->count);
    if (!evs_decimal_read(&sum, evs_buf_str(out), out->len) ||
        (e && e->value &&
         (!evs_decimal_read(&have, e->value, e->value_len) || !evs_decimal_add(&sum, &have))))
        return evs_fail(err, EVS_POISON, "the total in %s is no number, or too long", s->topic);
    evs_buf_reset(out);
    evs_decimal_print(&sum, out);
    return EVS_OK;
}

static enum evs_rc send_row(struct evs_topic *s, const struct evs_row *r, size_t at,
                            struct evs_sink_done *d, struct evs_err *err)
{
    char source[80];
    EVS_AUTO(evs_buf) struct evs_buf total = EVS_BUF_INIT(2 * EVS_DECIMAL_DIGITS);
    struct evs_event ev = {.key = r->key,
                           .key_len = r->key_len,
                           .value = r->value,
                           .value_len = r->value_len,
                           .ts_ms = r->ts_ms,
                           .headers = r->headers,
                           .n_headers = r->n_headers};
    int32_t to = r->key ? evs_producer_place(r->key, r->key_len, s->partitions) : -1;
    enum evs_rc rc = EVS_OK;
    const struct evs_topic_entry *e =
        s->view.mode == EVS_VIEW_LOG ? NULL : evs_map_get(&s->index, r->key, r->key_len);
    snprintf(source, sizeof(source), "%d %lld %lld", r->partition, (long long)r->offset,
             (long long)r->ts_ms);
    struct evs_header header = {"eventscope.source", 17, source, strlen(source)};
    if (s->view.mode == EVS_VIEW_LOG) {
        to = s->partitions == s->source_partitions ? r->partition : to;
    } else {
        ev.headers = &header;
        ev.n_headers = 1;
    }
    if (s->view.mode == EVS_VIEW_LATEST && e &&
        !evs_row_newer(r->partition, r->offset, r->ts_ms, e->partition, e->offset, e->ts_ms)) {
        d->left++;
        return EVS_OK;
    }
    if (s->view.mode == EVS_VIEW_COUNT || s->view.mode == EVS_VIEW_SUM) {
        rc = total_of(s, r, &total, err);
        ev.value = evs_buf_str(&total);
        ev.value_len = total.len;
    }
    d->deleted += r->deleted && e && !e->deleted;
    d->written += !r->deleted;
    return rc ? rc : evs_producer_send(s->p, s->topic, to, &ev, at, err);
}

/* After the commit: the index is what the topic now says. */
static enum evs_rc note_row(struct evs_topic *s, const struct evs_row *r, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf total = EVS_BUF_INIT(2 * EVS_DECIMAL_DIGITS);
    bool totals = s->view.mode >= EVS_VIEW_COUNT;
    enum evs_rc rc = totals ? total_of(s, r, &total, err) : EVS_OK;
    void **place = evs_map_put(&s->index, r->key, r->key_len);
    struct evs_topic_entry *e = *place;
    if (rc ||
        (e && !totals &&
         !evs_row_newer(r->partition, r->offset, r->ts_ms, e->partition, e->offset, e->ts_ms)))
        return rc;
    if (!e)
        e = *place = evs_xcalloc(1, sizeof(*e));
    e->partition = r->partition;
    e->offset = r->offset;
    e->ts_ms = r->ts_ms;
    e->deleted = r->deleted;
    if (totals) {
        evs_free(e->value);
        e->value = evs_xmemdup(evs_buf_str(&total), total.len);
        e->value_len = total.len;
    }
    return EVS_OK;
}

static enum evs_rc apply(struct evs_sink *sink, struct evs_sink_batch *b,
                         struct evs_sink_done *ret_d, struct evs_err *err)
{
    struct evs_topic *s = (struct evs_topic *)sink;
    struct evs_sink_done d = {0};
    struct evs_ckpt next;
    enum evs_rc rc = evs_producer_begin(s->p, err);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < b->n; i++) {
        rc = send_row(s, &b->rows[i], i, &d, err);
        err->row = i;
    }
    evs_sink_next(&s->ckpt, b, &d, &next);
    if (!rc)
        rc = commit(s, &next, err);
    if (rc) {
        evs_producer_abort(s->p);
        evs_ckpt_done(&next);
        return rc;
    }
    for (size_t i = 0; !rc && s->view.mode != EVS_VIEW_LOG && i < b->n; i++)
        rc = note_row(s, &b->rows[i], err);
    b->parts[0] = *evs_ckpt_part(&next, b->parts[0].partition);
    evs_ckpt_done(&s->ckpt);
    s->ckpt = next;
    *ret_d = d;
    return rc;
}

/* A newer process's transaction under way is not waited for; nor is the end of our own, whose epoch
 * the coordinator may not show yet. */
static enum evs_rc beat(struct evs_sink *sink, struct evs_err *err)
{
    struct evs_topic *s = (struct evs_topic *)sink;
    struct evs_ckpt now;
    enum evs_rc rc = load_as(s, false, &now, err);
    if (!rc && now.epoch > s->epoch)
        rc = evs_sink_fenced(err, s->id);
    evs_ckpt_done(&now);
    return rc;
}

static enum evs_rc finish(struct evs_sink *sink, const char *state, struct evs_err *err)
{
    struct evs_topic *s = (struct evs_topic *)sink;
    evs_producer_abort(s->p);
    evs_ckpt_text(&s->ckpt.state, state, strlen(state));
    enum evs_rc rc = evs_producer_begin(s->p, err);
    return rc ? rc : commit(s, &s->ckpt, err);
}

const struct evs_sink_ops evs_sink_kafka = {
    .name = "kafka",
    .help = "a topic of this or another cluster",
    .url = "kafka:TOPIC or kafka://brokers/TOPIC",
    .schemes = "kafka:",
    .caps = EVS_SINK_TXN | EVS_SINK_CKPT | EVS_SINK_READ,
    .shared = 1 << EVS_VIEW_LOG,
    .alone = "a process knows what the topic holds from its start on, not what others add",
    .rows_min = 140000, /* a transaction costs 0.1 s whatever it holds */
    .open = open_topic,
    .check = check,
    .info = info,
    .load = load,
    .claim = claim,
    .apply = apply,
    .beat = beat,
    .finish = finish,
    .get = evs_topic_get,
    .scan = evs_topic_scan,
    .close = close_topic,
};
