/* global_order.c - an order that takes more than a partition keeps: one partition for all entities,
 * or keys whose events take turns on several partitions, so that a consumer must merge these. A
 * key that moved once, when partitions were added, has an order: all here, then all there. */
#include <string.h>

#include "core/map.h"
#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "kafka/configs.h"
#include "kafka/meta.h"
#include "lint/rules.h"

enum {
    ORDERED_MESSAGES = 5000, /* a topic that is used */
    ORDERED_RATE = 50,       /* a second */
    ENTITIES = 20,
    MERGED_KEYS = 5,
    TEXT_CAP = 400
};

/* The first two partitions where a key was seen. */
struct places {
    struct place {
        int64_t count, first_ts, last_ts, first_offset;
        int32_t partition;
    } at[2];
};

static void *open_keys(const struct evs_lint_topic *t, void *shared)
{
    (void)t;
    (void)shared;
    return evs_xcalloc(1, sizeof(struct evs_map));
}

static void close_keys(void *state)
{
    evs_map_done(state, evs_free);
    evs_free(state);
}

static void see_key(void *state, const struct evs_lint_event *e)
{
    struct evs_map *keys = state;
    const struct evs_event *ev = e->ev;
    if (!ev->key || !ev->key_len || ev->ts_ms < 0)
        return;
    struct places *p = evs_map_get(keys, ev->key, ev->key_len);
    if (!p) {
        if (keys->n >= EVS_LINT_MAP_CAP)
            return;
        p = *evs_map_put(keys, ev->key, ev->key_len) = evs_xcalloc(1, sizeof(*p));
    }
    struct place *at = &p->at[0];
    if (at->count && at->partition != ev->partition)
        at = &p->at[1];
    if (!at->count)
        *at = (struct place){0, ev->ts_ms, ev->ts_ms, ev->offset, ev->partition};
    if (at->partition != ev->partition)
        return;
    at->count++;
    at->first_ts = ev->ts_ms < at->first_ts ? ev->ts_ms : at->first_ts;
    at->last_ts = ev->ts_ms > at->last_ts ? ev->ts_ms : at->last_ts;
}

static bool takes_turns(const struct places *p)
{
    const struct place *a = &p->at[0], *b = &p->at[1];
    return a->count > 1 && b->count > 1 && a->first_ts < b->last_ts && b->first_ts < a->last_ts;
}

static void judge_merge(const struct evs_map *keys, const struct evs_lint_topic *t,
                        struct evs_lint_out *out)
{
    const struct evs_map_item *example = NULL;
    int64_t split = 0, turns = 0;
    for (size_t i = 0; i < keys->n; i++) {
        const struct places *p = keys->items[i].value;
        split += p->at[1].count > 0;
        if (!takes_turns(p))
            continue;
        if (!turns++)
            example = &keys->items[i];
    }
    if (turns < MERGED_KEYS || turns * 4 < split)
        return;
    const struct places *p = example->value;
    EVS_AUTO(evs_buf) struct evs_buf key = EVS_BUF_INIT(TEXT_CAP);
    evs_text_fit(&key, example->key, example->key_len, 60, EVS_CUT_END);
    char n[EVS_NUM_LEN];
    struct evs_jsonw *w = evs_lint_add(out, EVS_SEV_WARN, -1,
                                       "%s keys have events that take turns on several "
                                       "partitions (%s on p%d and p%d): who wants "
                                       "the order of an entity must merge partitions.",
                                       evs_num_commas(n, turns), evs_buf_str(&key),
                                       (int)p->at[0].partition, (int)p->at[1].partition);
    evs_jsonw_i64(w, "keys_on_several_partitions", split);
    evs_jsonw_i64(w, "keys_taking_turns", turns);
    evs_jsonw_bytes(w, "key", example->key, example->key_len);
    evs_lint_place(w, "example", p->at[0].partition, p->at[0].first_offset);
    evs_lint_place(w, "and", p->at[1].partition, p->at[1].first_offset);
    evs_jsonw_i64(w, "messages_seen", t->seen);
    evs_lint_close(out,
                   "Send all events of an entity under one key by one partitioner, so that one "
                   "partition keeps its order. Until then sort by a sequence number in the "
                   "payload, not by arrival.");
}

static void judge_one(const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    double entities = t->keys ? t->keys->distinct : 0;
    bool compacted =
        t->config && t->config->cleanup_policy && strstr(t->config->cleanup_policy, "compact");
    bool busy = t->messages >= ORDERED_MESSAGES || t->rate >= ORDERED_RATE;
    if (compacted || !busy || entities < ENTITIES)
        return;
    char messages[EVS_NUM_LEN], rate[EVS_NUM_LEN];
    evs_num_commas(messages, t->messages);
    evs_num_human(rate, t->rate);
    struct evs_jsonw *w =
        t->rate >= ORDERED_RATE
            ? evs_lint_add(
                  out, EVS_SEV_WARN, 0,
                  "One partition carries all %s messages, %s a second now, of %.0f or more "
                  "entities: no parallel consumers.",
                  messages, rate, entities)
            : evs_lint_add(
                  out, EVS_SEV_WARN, 0,
                  "One partition carries all %s messages of %.0f or more entities: one global "
                  "order, no parallel consumers.",
                  messages, entities);
    evs_jsonw_i64(w, "messages", t->messages);
    evs_jsonw_double(w, "rate", t->rate);
    evs_jsonw_i64(w, "entities", (int64_t)entities);
    evs_lint_close(out,
                   "Order per key is enough for most: key by the entity and give the topic more "
                   "partitions. A new topic keeps the old order readable.");
}

static void judge(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    if (t->self->n_partitions == 1)
        judge_one(t, out);
    else
        judge_merge(state, t, out);
}

const struct evs_lint_rule evs_lint_global_order = {
    .name = "global-order",
    .help = "one partition for many entities, or keys whose order takes a merge of partitions",
    .records = true,
    .open = open_keys,
    .event = see_key,
    .judge = judge,
    .close = close_keys,
};
