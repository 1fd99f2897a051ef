#include "lag/commits.h"

#include <string.h>

#include "core/clock.h"
#include "core/map.h"
#include "core/queue.h"
#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/range.h"
#include "kafka/reader.h"
#include "lag/state.h"

enum { FIRST_READ_MS = 60000, BATCH = 1024, QUEUE_BATCHES = 4096, QUEUE_BYTES = 64 << 20 };

/* --- one record --- */

struct cursor {
    const uint8_t *p;
    size_t left;
    bool bad;
};

static int64_t take_int(struct cursor *c, int bytes)
{
    uint64_t v = 0;
    if (c->left < (size_t)bytes) {
        c->bad = true;
        return 0;
    }
    for (int i = 0; i < bytes; i++)
        v = v << 8 | c->p[i];
    c->p += bytes;
    c->left -= (size_t)bytes;
    return bytes == 2 ? (int16_t)v : bytes == 4 ? (int32_t)v : (int64_t)v;
}

static uint64_t take_varint(struct cursor *c)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        if (!c->left)
            break;
        uint8_t b = *c->p++;
        c->left--;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
    c->bad = true;
    return 0;
}

static const char *take_text(struct cursor *c, bool compact, size_t *ret_len)
{
    int64_t n = compact ? (int64_t)take_varint(c) - 1 : take_int(c, 2);
    *ret_len = 0;
    if (c->bad || n < 0 || (uint64_t)n > c->left) {
        c->bad = true;
        return "";
    }
    const char *text = (const char *)c->p;
    c->p += n;
    c->left -= (size_t)n;
    *ret_len = (size_t)n;
    return text;
}

enum evs_commit_kind evs_commit_decode(const void *key, size_t key_len, const void *value,
                                       size_t value_len, struct evs_commit *ret_commit)
{
    enum { KEY_MAX = 1, VALUE_FLEXIBLE = 4, VALUE_MAX = 4, WITH_EPOCH = 3 };
    struct cursor k = {key, key_len, false};
    struct evs_commit c = {0};
    int64_t version = take_int(&k, 2);
    if (k.bad)
        return EVS_COMMIT_BAD;
    if (version < 0 || version > KEY_MAX)
        return EVS_COMMIT_OTHER;
    c.group = take_text(&k, false, &c.group_len);
    c.topic = take_text(&k, false, &c.topic_len);
    c.partition = (int32_t)take_int(&k, 4);
    if (k.bad || c.partition < 0)
        return EVS_COMMIT_BAD;
    if (value) {
        struct cursor v = {value, value_len, false};
        size_t meta_len;
        version = take_int(&v, 2);
        if (v.bad || version < 0 || version > VALUE_MAX)
            return EVS_COMMIT_BAD;
        c.offset = take_int(&v, 8);
        if (version >= WITH_EPOCH)
            (void)take_int(&v, 4);
        (void)take_text(&v, version >= VALUE_FLEXIBLE, &meta_len);
        c.ts_ms = take_int(&v, 8);
        if (v.bad)
            return EVS_COMMIT_BAD;
    }
    *ret_commit = c;
    return value ? EVS_COMMIT_OFFSET : EVS_COMMIT_REMOVED;
}

/* --- the tail --- */

struct news {
    char *group, *topic;
    int32_t partition;
    int64_t offset, ts_ms; /* offset EVS_LAG_NULL: removed */
};

struct batch {
    size_t n;
    bool caught_up; /* a partition reached its end for the first time */
    struct news news[BATCH];
};

struct evs_commits {
    struct evs_client *c;
    struct evs_reader *reader;
    struct evs_queue *queue;
    size_t partitions, behind; /* behind: not yet at their end */
    bool synced;
    struct evs_map known; /* group NUL topic NUL partition -> struct news, the latest */
    /* The reader's thread: */
    struct batch *filling;
    struct evs_map ended; /* partition -> itself, once at its end */
};

static void free_batch(void *item)
{
    struct batch *b = item;
    for (size_t i = 0; b && i < b->n; i++) {
        evs_free(b->news[i].group);
        evs_free(b->news[i].topic);
    }
    evs_free(b);
}

static void hand_over(struct evs_commits *c)
{
    if (!c->filling || (!c->filling->n && !c->filling->caught_up))
        return;
    if (evs_queue_push(c->queue, c->filling, sizeof(*c->filling), -1))
        free_batch(c->filling);
    c->filling = NULL;
}

static struct batch *batch(struct evs_commits *c)
{
    if (c->filling && c->filling->n == BATCH)
        hand_over(c);
    if (!c->filling) {
        c->filling = evs_xmalloc(sizeof(*c->filling));
        c->filling->n = 0;
        c->filling->caught_up = false;
    }
    return c->filling;
}

static bool on_event(void *ctx, int worker, struct evs_event *ev)
{
    struct evs_commits *c = ctx;
    struct evs_commit at;
    (void)worker;
    enum evs_commit_kind kind =
        evs_commit_decode(ev->key, ev->key_len, ev->value, ev->value_len, &at);
    if (kind != EVS_COMMIT_OFFSET && kind != EVS_COMMIT_REMOVED)
        return true;
    struct batch *b = batch(c);
    b->news[b->n++] =
        (struct news){evs_xstrndup(at.group, at.group_len), evs_xstrndup(at.topic, at.topic_len),
                      at.partition, kind == EVS_COMMIT_OFFSET ? at.offset : EVS_LAG_NULL,
                      kind == EVS_COMMIT_OFFSET ? at.ts_ms : ev->ts_ms};
    return true;
}

static void on_end(void *ctx, int worker, int32_t partition, int64_t next)
{
    struct evs_commits *c = ctx;
    (void)worker;
    (void)next;
    void **at = evs_map_put(&c->ended, &partition, sizeof(partition));
    if (*at)
        return;
    *at = c;
    batch(c)->caught_up = true;
    hand_over(c);
}

static void on_idle(void *ctx, int worker)
{
    (void)worker;
    hand_over(ctx);
}

enum evs_rc evs_commits_open(struct evs_client *client, struct evs_commits **ret_c,
                             struct evs_err *err)
{
    static const struct evs_reader_ops ops = {.event = on_event, .end = on_end, .idle = on_idle};
    static const struct evs_reader_opts opts = {.profile = EVS_READER_TAIL, .workers = 1};
    struct evs_range_spec spec = {
        .now_ms = evs_clock_wall_ms(), .isolation = EVS_READ_COMMITTED, .follow = true};
    struct evs_commits *c = evs_xcalloc(1, sizeof(*c));
    struct evs_ranges *ranges = NULL;
    c->c = client;
    c->queue = evs_queue_new(QUEUE_BATCHES, QUEUE_BYTES, free_batch);
    enum evs_rc rc = evs_range_resolve(client, "__consumer_offsets", &spec, &ranges, err);
    for (size_t i = 0; !rc && i < ranges->n; i++)
        if (ranges->parts[i].error)
            rc = evs_fail(err, EVS_FATAL, "partition %d: %s", (int)ranges->parts[i].partition,
                          ranges->parts[i].error);
    if (!rc) {
        c->partitions = c->behind = ranges->n;
        rc = evs_reader_start(client, ranges, &opts, &ops, c, &c->reader, err);
    }
    evs_ranges_free(ranges);
    if (rc) {
        evs_commits_close(c);
        return evs_wrap(err, "__consumer_offsets");
    }
    *ret_c = c;
    return EVS_OK;
}

static void free_news(void *v)
{
    struct news *n = v;
    evs_free(n->group);
    evs_free(n->topic);
    evs_free(n);
}

void evs_commits_close(struct evs_commits *c)
{
    if (!c)
        return;
    evs_queue_close(c->queue);
    evs_reader_free(c->reader);
    free_batch(c->filling);
    evs_queue_free(c->queue);
    evs_map_done(&c->known, free_news);
    evs_map_done(&c->ended, NULL);
    evs_free(c);
}

/* --- what the survey takes --- */

static void apply(struct evs_lag_state *st, struct evs_lag_group *g, const struct news *n)
{
    struct evs_lag_topic *t = evs_lag_state_topic(st, n->topic);
    struct evs_lag_entry *e = evs_lag_state_entry(g, t, n->partition);
    if (!e)
        return;
    e->committed = n->offset;
    e->commit_ms = n->ts_ms;
    e->native = 0;
}

static size_t key_of(const struct news *n, char *key, size_t size)
{
    size_t g = strlen(n->group) + 1, t = strlen(n->topic) + 1;
    if (g + t + 4 > size)
        return 0;
    memcpy(key, n->group, g);
    memcpy(key + g, n->topic, t);
    memcpy(key + g + t, &n->partition, 4);
    return g + t + 4;
}

/* Takes the texts of n. */
static void remember(struct evs_commits *c, struct evs_lag_state *st, struct news *n)
{
    char key[2048];
    size_t len = key_of(n, key, sizeof(key));
    void **at = len ? evs_map_put(&c->known, key, len) : NULL;
    if (at && *at) {
        struct news *old = *at;
        old->offset = n->offset;
        old->ts_ms = n->ts_ms;
        evs_free(n->group);
        evs_free(n->topic);
        n = old;
    } else if (at) {
        *at = evs_xmemdup(n, sizeof(*n));
        n = *at;
    } else {
        evs_free(n->group); /* longer than Kafka allows */
        evs_free(n->topic);
        return;
    }
    struct evs_lag_group *g = c->synced ? evs_map_gets(&st->groups, n->group) : NULL;
    if (g && g->from_topic)
        apply(st, g, n);
}

static void drain(struct evs_commits *c, struct evs_lag_state *st, int64_t wait_ms)
{
    void *item;
    while (!evs_queue_pop(c->queue, wait_ms, &item)) {
        struct batch *b = item;
        for (size_t i = 0; i < b->n; i++)
            remember(c, st, &b->news[i]);
        if (b->caught_up && c->behind)
            c->behind--;
        evs_free(b);
        wait_ms = 0;
    }
}

/* Groups that were not among the rows when their commits were read. */
static void catch_up(struct evs_commits *c, struct evs_lag_state *st)
{
    bool any = false;
    for (size_t i = 0; i < st->groups.n; i++) {
        struct evs_lag_group *g = st->groups.items[i].value;
        g->fresh = !g->from_topic;
        any |= g->fresh;
        for (size_t k = 0; k < g->n && g->fresh; k++)
            g->entries[k]->committed = EVS_LAG_NULL;
        g->from_topic = true;
    }
    for (size_t i = 0; i < c->known.n && any; i++) {
        const struct news *n = c->known.items[i].value;
        struct evs_lag_group *g = evs_map_gets(&st->groups, n->group);
        if (g && g->fresh)
            apply(st, g, n);
    }
}

enum evs_rc evs_commits_take(struct evs_commits *c, struct evs_lag_state *st, struct evs_stop *stop,
                             struct evs_err *err)
{
    int64_t until_us = evs_clock_mono_us() + (int64_t)FIRST_READ_MS * 1000;
    enum evs_rc rc = EVS_AGAIN;
    do {
        drain(c, st, c->synced || !c->behind ? 0 : 50);
        if (stop && evs_stop_raised(stop))
            return evs_fail(err, EVS_AGAIN, "stopped");
        rc = evs_reader_wait(c->reader, 0, err);
    } while (c->behind && rc == EVS_AGAIN && evs_clock_mono_us() < until_us);
    if (rc != EVS_AGAIN)
        return rc == EVS_EOF ? evs_fail(err, EVS_FATAL, "__consumer_offsets: ended") : rc;
    if (c->behind)
        return evs_fail(err, EVS_RETRY, "__consumer_offsets: not read to its end within 60 s");
    c->synced = true;
    catch_up(c, st);
    int64_t now_ms = evs_clock_wall_ms();
    for (size_t i = 0; i < st->groups.n; i++)
        ((struct evs_lag_group *)st->groups.items[i].value)->offsets_ms = now_ms;
    return EVS_OK;
}
