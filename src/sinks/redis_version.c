#include "sinks/redis_version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "core/map.h"
#include "core/xalloc.h"
#include "sinks/redis.h"

enum {
    HEAD = 24,
    KEYS_PER_BUCKET = 128,
    EVENTS_PER_BUCKET = 1024, /* expected: a key has several */
    BUCKETS_MIN = 16,
    BUCKETS_FIRST_MAX = 1 << 16,
    BUCKETS_MAX = 1 << 24,
    READ_AT_ONCE = 256,
    MET_BITS = 25,
    MET_PROBES = 4
};

enum { BUCKETS, SEED, KEYS, ROWS, TURN, NUMBERS };
static const char *const number_names[NUMBERS] = {"buckets", "seed", "keys", "rows", "turn"};

struct evs_redis_bucket {
    uint32_t at, first; /* its number; its first row + 1 */
    bool read, rewrite;
    redisReply *owner; /* of the reply that holds body */
    const redisReply *body;
};

struct entry {
    const char *start, *key;
    size_t key_len, size, order;
    uint64_t hash;
    struct evs_redis_seen seen;
};

/* --- entries --------------------------------------------------------------------------------- */
static void put_int(char *to, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (char)(v >> 8 * i & 0xff);
}

static uint64_t get_int(const char *p, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint64_t)(uint8_t)p[i] << 8 * i;
    return v;
}

static void put_entry(struct evs_buf *out, const struct evs_row *r)
{
    char head[HEAD];
    put_int(head, r->key_len, 4);
    put_int(head + 4, (uint32_t)r->partition | (r->deleted ? 1u << 31 : 0), 4);
    put_int(head + 8, (uint64_t)r->offset, 8);
    put_int(head + 16, (uint64_t)r->ts_ms, 8);
    evs_buf_add(out, head, sizeof(head));
    evs_buf_add(out, r->key, r->key_len);
}

static bool get_entry(const char **at, const char *end, struct entry *e)
{
    const char *p = *at;
    if (end - p < HEAD || get_int(p, 4) > (uint64_t)(end - p - HEAD))
        return false;
    uint32_t partition = (uint32_t)get_int(p + 4, 4);
    e->start = p;
    e->key = p + HEAD;
    e->key_len = (size_t)get_int(p, 4);
    e->size = HEAD + e->key_len;
    e->seen = (struct evs_redis_seen){.known = true,
                                      .deleted = partition >> 31,
                                      .partition = (int32_t)(partition & INT32_MAX),
                                      .offset = (int64_t)get_int(p + 8, 8),
                                      .ts_ms = (int64_t)get_int(p + 16, 8)};
    *at = p + e->size;
    return true;
}

static bool body_of(const redisReply *body, const char **ret_at, const char **ret_end)
{
    if (!body || body->type != REDIS_REPLY_STRING)
        return false;
    *ret_at = body->str;
    *ret_end = body->str + body->len;
    return true;
}

/* --- which bucket ---------------------------------------------------------------------------- */
static uint64_t hash_of(const struct evs_redis_versions *v, const void *key, size_t len)
{
    return XXH3_64bits_withSeed(key, len, v->seed);
}

/* The largest power of two that is not above n. */
static uint32_t level_of(uint32_t n)
{
    uint32_t level = 1;
    while (level <= n / 2)
        level *= 2;
    return level;
}

static uint32_t bucket_of(uint64_t hash, uint32_t n)
{
    uint32_t level = level_of(n);
    uint32_t at = (uint32_t)hash & (2 * level - 1);
    return at < n ? at : at & (level - 1);
}

/* How many there are to be once `more` keys are in: at most one split of each. */
static uint32_t grown(const struct evs_redis_versions *v, size_t more)
{
    int64_t want = (v->keys + (int64_t)more) / KEYS_PER_BUCKET;
    uint32_t most = 2 * level_of(v->buckets);
    if (want <= v->buckets || v->buckets >= BUCKETS_MAX)
        return v->buckets;
    return want < most ? (uint32_t)want : most;
}

/* --- the keys this run has written ----------------------------------------------------------- */
static bool met(const struct evs_redis_versions *v, uint64_t hash)
{
    uint64_t step = hash >> 32 | 1;
    for (int i = 0; i < MET_PROBES; i++, hash += step) {
        uint64_t bit = hash & ((1u << MET_BITS) - 1);
        if (!(v->met[bit / 64] >> bit % 64 & 1))
            return false;
    }
    return true;
}

static void meet(struct evs_redis_versions *v, uint64_t hash)
{
    uint64_t step = hash >> 32 | 1;
    for (int i = 0; i < MET_PROBES; i++, hash += step) {
        uint64_t bit = hash & ((1u << MET_BITS) - 1);
        v->met[bit / 64] |= (uint64_t)1 << bit % 64;
    }
}

/* --- the target's ---------------------------------------------------------------------------- */
static void begin(struct evs_redis_versions *v)
{
    int64_t n = v->expected / EVENTS_PER_BUCKET;
    n = n < BUCKETS_MIN ? BUCKETS_MIN : n > BUCKETS_FIRST_MAX ? BUCKETS_FIRST_MAX : n;
    v->buckets = (uint32_t)n;
    v->seed = evs_map_hash("", 0) >> 1; /* it differs from process to process */
    v->keys = v->rows = v->turn = 0;
    v->alone = true;
    evs_free(v->met);
    v->met = evs_xcalloc((size_t)1 << (MET_BITS - 6), sizeof(*v->met));
}

enum evs_rc evs_redis_versions_ask(struct evs_redis *s, struct evs_err *err)
{
    evs_redis_begin(s, "HMGET");
    evs_redis_adds(s, s->version_key);
    for (size_t i = 0; i < NUMBERS; i++)
        evs_redis_adds(s, number_names[i]);
    return evs_redis_send(s, err);
}

void evs_redis_versions_read(struct evs_redis *s, const redisReply *fields)
{
    struct evs_redis_versions *v = &s->versions;
    long long n[NUMBERS] = {0};
    for (size_t i = 0; i < EVS_COUNT(n) && i < fields->elements; i++)
        if (fields->element[i]->type == REDIS_REPLY_STRING)
            sscanf(fields->element[i]->str, "%lld", &n[i]);
    if (n[BUCKETS] <= 0 || n[BUCKETS] > BUCKETS_MAX) {
        begin(v);
        return;
    }
    if (n[TURN] != v->turn)
        v->alone = false;
    v->buckets = (uint32_t)n[BUCKETS];
    v->seed = (uint64_t)n[SEED];
    v->keys = n[KEYS];
    v->rows = n[ROWS];
    v->turn = n[TURN];
}

void evs_redis_versions_done(struct evs_redis *s)
{
    evs_free(s->versions.met);
}

/* --- a look ---------------------------------------------------------------------------------- */
static struct evs_redis_bucket *touch(struct evs_redis_look *l, uint32_t at)
{
    if (!l->place[at]) {
        l->buckets[l->n_buckets] = (struct evs_redis_bucket){.at = at};
        l->place[at] = (uint32_t)++l->n_buckets;
    }
    return &l->buckets[l->place[at] - 1];
}

/* The rows dealt to their buckets, and which of these must be read. */
static void deal(struct evs_redis *s, struct evs_redis_look *l, bool write)
{
    const struct evs_redis_versions *v = &s->versions;
    uint32_t splits = l->after - v->buckets, level = level_of(v->buckets);
    l->place = evs_xcalloc(v->buckets, sizeof(*l->place));
    l->next = evs_xcalloc(l->n + 1, sizeof(*l->next));
    l->buckets = evs_xcalloc(l->n + splits + 1, sizeof(*l->buckets));
    for (size_t i = 0; i < l->n; i++) {
        uint64_t hash = hash_of(v, l->rows[i].key, l->rows[i].key_len);
        struct evs_redis_bucket *b = touch(l, bucket_of(hash, v->buckets));
        l->next[i] = b->first;
        b->first = (uint32_t)i + 1;
        b->read = b->read || !write || !v->alone || met(v, hash);
    }
    for (uint32_t i = 0; i < splits; i++) {
        struct evs_redis_bucket *b = touch(l, v->buckets + i - level);
        b->read = b->rewrite = true;
    }
}

static void add_bucket_name(struct evs_redis *s, struct evs_buf *names, size_t *ret_at, uint32_t at)
{
    *ret_at = names->len;
    evs_buf_printf(names, "eventscope_version.%lu:%s", (unsigned long)at, s->target);
}

/* One MGET for some of the buckets that are to be read, from `from` on; `to` is behind them. */
static enum evs_rc ask_some(struct evs_redis *s, const struct evs_redis_look *l, size_t from,
                            size_t *ret_to, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf names = EVS_BUF_INIT((size_t)1 << 31);
    size_t at[READ_AT_ONCE + 1], n = 0, i = from;
    for (; i < l->n_buckets && n < READ_AT_ONCE; i++)
        if (l->buckets[i].read)
            add_bucket_name(s, &names, &at[n++], l->buckets[i].at);
    *ret_to = i;
    if (!n)
        return EVS_OK;
    at[n] = names.len;
    evs_redis_begin(s, "MGET");
    for (size_t k = 0; k < n; k++)
        evs_redis_add(s, names.data + at[k], at[k + 1] - at[k]);
    return evs_redis_send(s, err);
}

static enum evs_rc take_some(struct evs_redis *s, struct evs_redis_look *l, size_t *from,
                             struct evs_err *err)
{
    redisReply *r = NULL;
    enum evs_rc rc = evs_redis_reply(s, &r, err);
    if (rc)
        return rc;
    struct evs_redis_bucket *last = NULL;
    for (size_t n = 0; *from < l->n_buckets && n < r->elements; ++*from) {
        struct evs_redis_bucket *b = &l->buckets[*from];
        if (!b->read)
            continue;
        b->body = r->element[n++];
        last = b;
    }
    if (last)
        last->owner = r;
    else
        freeReplyObject(r);
    return EVS_OK;
}

/* The last entry of a key counts. More entries than twice the usual: outdated ones are in it. */
static void find_rows(const struct evs_redis_versions *v, struct evs_redis_look *l,
                      struct evs_redis_bucket *b)
{
    const char *at, *end;
    struct entry e;
    int64_t n = 0;
    if (!body_of(b->body, &at, &end))
        return;
    for (; get_entry(&at, end, &e); n++)
        for (uint32_t i = b->first; i; i = l->next[i - 1]) {
            const struct evs_row *r = &l->rows[i - 1];
            if (r->key_len == e.key_len && !memcmp(r->key, e.key, e.key_len))
                l->seen[i - 1] = e.seen;
        }
    b->rewrite = b->rewrite || n > 2 * (v->keys / v->buckets) + KEYS_PER_BUCKET;
}

enum evs_rc evs_redis_look(struct evs_redis *s, const struct evs_row *rows, size_t n, bool write,
                           struct evs_redis_look *ret_l, struct evs_err *err)
{
    struct evs_redis_look l = {.rows = rows, .n = n};
    l.after = write ? grown(&s->versions, n) : s->versions.buckets;
    l.seen = evs_xcalloc(n + 1, sizeof(*l.seen));
    deal(s, &l, write);
    enum evs_rc rc = EVS_OK;
    size_t pending = s->pending;
    for (size_t at = 0; !rc && at < l.n_buckets;)
        rc = ask_some(s, &l, at, &at, err);
    for (size_t at = 0; !rc && s->pending > pending;)
        rc = take_some(s, &l, &at, err);
    for (size_t i = 0; !rc && i < l.n_buckets; i++)
        find_rows(&s->versions, &l, &l.buckets[i]);
    if (rc)
        evs_redis_look_done(&l);
    *ret_l = l;
    return rc;
}

void evs_redis_look_done(struct evs_redis_look *l)
{
    for (size_t i = 0; i < l->n_buckets; i++)
        if (l->buckets[i].owner)
            freeReplyObject(l->buckets[i].owner);
    evs_free(l->buckets);
    evs_free(l->place);
    evs_free(l->next);
    evs_free(l->seen);
    memset(l, 0, sizeof(*l));
}

/* --- writing --------------------------------------------------------------------------------- */
static int by_key(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->key_len != y->key_len)
        return x->key_len < y->key_len ? -1 : 1;
    int order = memcmp(x->key, y->key, x->key_len);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* Each key's last entry, to where it will belong: low stays, high goes into the new bucket. */
static void live_entries(const struct evs_redis *s, const struct evs_redis_bucket *b,
                         uint32_t after, struct evs_buf *low, struct evs_buf *high)
{
    struct entry *entries = NULL, e;
    size_t n = 0, alloc = 0;
    const char *at, *end;
    if (!body_of(b->body, &at, &end))
        return;
    for (; get_entry(&at, end, &e); n++) {
        if (n == alloc) {
            alloc = alloc ? alloc * 2 : 512;
            entries = evs_xgrow(entries, alloc, sizeof(*entries));
        }
        e.hash = hash_of(&s->versions, e.key, e.key_len);
        e.order = n;
        entries[n] = e;
    }
    if (n)
        qsort(entries, n, sizeof(*entries), by_key);
    for (size_t i = 0; i < n; i++) {
        const struct entry *x = &entries[i], *y = x + 1;
        if (i + 1 < n && x->hash == y->hash && x->key_len == y->key_len &&
            !memcmp(x->key, y->key, x->key_len))
            continue;
        evs_buf_add(bucket_of(x->hash, after) == b->at ? low : high, x->start, x->size);
    }
    evs_free(entries);
}

static enum evs_rc put_bucket(struct evs_redis *s, const char *command, uint32_t at,
                              const struct evs_buf *entries, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT((size_t)1 << 31);
    size_t from;
    add_bucket_name(s, &name, &from, at);
    evs_redis_begin(s, command);
    evs_redis_add(s, name.data, name.len);
    evs_redis_add(s, evs_buf_str(entries), entries->len);
    return evs_redis_send(s, err);
}

static enum evs_rc put_numbers(struct evs_redis *s, const struct evs_redis_look *l,
                               const bool *keep, struct evs_err *err)
{
    struct evs_redis_versions *v = &s->versions;
    int64_t keys = v->keys, rows = v->rows;
    for (size_t i = 0; i < l->n; i++) {
        const struct evs_redis_seen *have = &l->seen[i];
        keys += keep[i] && !have->known;
        rows += keep[i] ? !l->rows[i].deleted - (have->known && !have->deleted) : 0;
    }
    char text[NUMBERS][32];
    const int64_t n[NUMBERS] = {l->after, (int64_t)v->seed, keys, rows, v->turn + 1};
    evs_redis_begin(s, "HSET");
    evs_redis_adds(s, s->version_key);
    for (size_t i = 0; i < NUMBERS; i++) {
        snprintf(text[i], sizeof(text[i]), "%lld", (long long)n[i]);
        evs_redis_adds(s, number_names[i]);
        evs_redis_adds(s, text[i]);
    }
    return evs_redis_send(s, err);
}

enum evs_rc evs_redis_look_put(struct evs_redis *s, const struct evs_redis_look *l,
                               const bool *keep, struct evs_err *err)
{
    const struct evs_redis_versions *v = &s->versions;
    EVS_AUTO(evs_buf) struct evs_buf low = EVS_BUF_INIT((size_t)1 << 31);
    EVS_AUTO(evs_buf) struct evs_buf high = EVS_BUF_INIT((size_t)1 << 31);
    enum evs_rc rc = EVS_OK;
    for (size_t k = 0; !rc && k < l->n_buckets; k++) {
        const struct evs_redis_bucket *b = &l->buckets[k];
        evs_buf_reset(&low);
        evs_buf_reset(&high);
        if (b->rewrite)
            live_entries(s, b, l->after, &low, &high);
        for (uint32_t i = b->first; i; i = l->next[i - 1]) {
            const struct evs_row *r = &l->rows[i - 1];
            uint64_t hash = b->rewrite ? hash_of(v, r->key, r->key_len) : 0;
            bool stays = !b->rewrite || bucket_of(hash, l->after) == b->at;
            if (keep[i - 1])
                put_entry(stays ? &low : &high, r);
        }
        if (low.len || b->body)
            rc = put_bucket(s, b->rewrite ? "SET" : "APPEND", b->at, &low, err);
        if (!rc && high.len)
            rc = put_bucket(s, "SET", b->at + level_of(v->buckets), &high, err);
    }
    return rc ? rc : put_numbers(s, l, keep, err);
}

void evs_redis_look_meet(struct evs_redis *s, const struct evs_redis_look *l)
{
    struct evs_redis_versions *v = &s->versions;
    for (size_t i = 0; v->alone && i < l->n; i++)
        meet(v, hash_of(v, l->rows[i].key, l->rows[i].key_len));
}
