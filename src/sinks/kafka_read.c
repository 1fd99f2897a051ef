/* kafka_read.c - what a target topic holds: read once, kept as an index by key. */
#include "sinks/kafka.h"

#include <stdio.h>
#include <string.h>

#include "core/xalloc.h"
#include "kafka/producer.h"

static void free_entry(void *v)
{
    evs_free(((struct evs_topic_entry *)v)->value);
    evs_free(v);
}

void evs_topic_index_done(struct evs_topic *s)
{
    evs_map_done(&s->index, free_entry);
    s->index = (struct evs_map)EVS_MAP_INIT;
}

/* --- what the target holds ------------------------------------------------------------------- */
static bool index_event(void *ctx, struct evs_event *ev)
{
    struct evs_topic *s = ctx;
    if (!ev->key)
        return true;
    void **place = evs_map_put(&s->index, ev->key, ev->key_len);
    struct evs_topic_entry *e = *place ? *place : (*place = evs_xcalloc(1, sizeof(*e)));
    e->partition = -1;
    e->offset = e->ts_ms = -1;
    for (int i = 0, n = evs_event_headers(ev); i < n; i++) {
        const struct evs_header *h = &ev->headers[i];
        char text[80] = "";
        int partition;
        long long offset, ts;
        if (h->name_len != 17 || memcmp(h->name, "eventscope.source", 17) || !h->value)
            continue;
        memcpy(text, h->value, h->value_len < 79 ? h->value_len : 79);
        if (sscanf(text, "%d %lld %lld", &partition, &offset, &ts) == 3) {
            e->partition = partition;
            e->offset = offset;
            e->ts_ms = ts;
        }
    }
    e->deleted = !ev->value;
    evs_free(e->value);
    e->value = ev->value ? evs_xmemdup(ev->value, ev->value_len) : NULL;
    e->value_len = ev->value_len;
    return true;
}

enum evs_rc evs_topic_index(struct evs_topic *s, struct evs_err *err)
{
    evs_topic_index_done(s);
    if (s->view.mode == EVS_VIEW_LOG)
        return EVS_OK;
    return evs_producer_scan(s->p, s->topic, index_event, s, err);
}

/* --- reading back ---------------------------------------------------------------------------- */
static bool give(const struct evs_topic *s, const struct evs_map_item *item, evs_sink_found *found,
                 void *ctx)
{
    const struct evs_topic_entry *e = item->value;
    struct evs_row r = {.key = item->key,
                        .key_len = item->key_len,
                        .value = e->value,
                        .value_len = e->value_len,
                        .partition = e->partition,
                        .offset = e->offset,
                        .ts_ms = e->ts_ms,
                        .sum = e->value};
    long long count = 0;
    if (e->deleted)
        return true;
    if (s->view.mode == EVS_VIEW_COUNT && sscanf(e->value, "%lld", &count) == 1)
        r.count = count;
    return found(ctx, &r);
}

enum evs_rc evs_topic_scan(struct evs_sink *sink, evs_sink_found *found, void *ctx,
                           struct evs_err *err)
{
    struct evs_topic *s = (struct evs_topic *)sink;
    if (s->view.mode == EVS_VIEW_LOG)
        return evs_fail(err, EVS_INVALID, "kafka: a log in a topic is not compared");
    enum evs_rc rc = evs_topic_index(s, err);
    for (size_t i = 0; !rc && i < s->index.n && give(s, &s->index.items[i], found, ctx);)
        i++;
    return rc;
}

enum evs_rc evs_topic_get(struct evs_sink *sink, const struct evs_row *keys, size_t n,
                          evs_sink_found *found, void *ctx, struct evs_err *err)
{
    struct evs_topic *s = (struct evs_topic *)sink;
    enum evs_rc rc = s->index.n ? EVS_OK : evs_topic_index(s, err);
    for (size_t i = 0; !rc && i < n; i++) {
        struct evs_map_item item = {.key = (char *)(uintptr_t)keys[i].key,
                                    .key_len = keys[i].key_len};
        item.value = keys[i].key ? evs_map_get(&s->index, item.key, item.key_len) : NULL;
        if (item.value && !give(s, &item, found, ctx))
            break;
    }
    return rc;
}
