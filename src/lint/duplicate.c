/* duplicate.c - the same event twice: one event id on two records, or key and payload repeated
 * soon. */
#include <string.h>
#include <strings.h>

#include "core/map.h"
#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "lint/rules.h"

enum { SOON_MS = 5 * 60000, MIN_SAME = 10, MIN_IDS = 3, MIN_BYTES = 16, ID_CAP = 200 };

struct sight {
    int64_t ts_ms, offset;
    int32_t partition;
};

struct found {
    int64_t count;
    struct sight before, after; /* the first pair */
    char *id;                   /* escaped */
};

struct state {
    int64_t records;
    struct evs_map bodies, ids; /* to struct sight */
    struct found same, twice;
};

static void *open_state(const struct evs_lint_topic *t, void *shared)
{
    (void)t;
    (void)shared;
    return evs_xcalloc(1, sizeof(struct state));
}

static void close_state(void *state)
{
    struct state *s = state;
    evs_map_done(&s->bodies, evs_free);
    evs_map_done(&s->ids, evs_free);
    evs_free(s->twice.id);
    evs_free(s);
}

/* true: this was here before, at *ret_before. */
static bool again(struct evs_map *m, const void *p, size_t n, const struct evs_event *ev,
                  struct sight *ret_before)
{
    if (m->n >= EVS_LINT_MAP_CAP)
        return false;
    void **place = evs_map_put(m, p, n);
    struct sight now = {ev->ts_ms, ev->offset, ev->partition};
    if (!*place) {
        *place = evs_xmemdup(&now, sizeof(now));
        return false;
    }
    struct sight *old = *place;
    if (old->partition == now.partition && old->offset == now.offset)
        return false; /* the two windows of a small partition touch */
    *ret_before = *old;
    *old = now;
    return true;
}

static void count(struct found *f, const struct sight *before, const struct evs_event *ev)
{
    if (!f->count++) {
        f->before = *before;
        f->after = (struct sight){ev->ts_ms, ev->offset, ev->partition};
    }
}

/* The record's own id, from headers or JSON, as bytes that only live now. */
static const char *own_id(const struct evs_lint_event *e, size_t *ret_len)
{
    static const char *const names[] = {"ce_id",      "event-id",   "event_id", "eventId",
                                        "message-id", "message_id", "messageId"};
    for (int i = 0; i < e->ev->n_headers; i++)
        for (size_t k = 0; k < EVS_COUNT(names); k++)
            if (e->ev->headers[i].name_len == strlen(names[k]) && e->ev->headers[i].value_len &&
                !strncasecmp(e->ev->headers[i].name, names[k], e->ev->headers[i].name_len)) {
                *ret_len = e->ev->headers[i].value_len;
                return e->ev->headers[i].value;
            }
    for (size_t k = 0; e->json && k < EVS_COUNT(names); k++) {
        const struct evs_json_node *id = evs_json_member(e->json, e->json->nodes, names[k]);
        if (id && (id->type == EVS_JSON_STRING || id->type == EVS_JSON_NUMBER)) {
            *ret_len = id->end - id->start;
            return e->json->text + id->start;
        }
    }
    return NULL;
}

static void on_event(void *state, const struct evs_lint_event *e)
{
    struct state *s = state;
    struct evs_event *ev = e->ev;
    struct sight before;
    size_t len;
    s->records++;
    evs_event_headers(ev);
    const char *id = own_id(e, &len);
    if (id && len <= ID_CAP) {
        if (again(&s->ids, id, len, ev, &before)) {
            if (!s->twice.count) {
                struct evs_buf text = EVS_BUF_INIT(1024);
                evs_text_fit(&text, id, len, 60, EVS_CUT_END);
                s->twice.id = evs_buf_steal(&text);
            }
            count(&s->twice, &before, ev);
        }
        return;
    }
    if (!ev->value || ev->value_len < MIN_BYTES)
        return;
    EVS_AUTO(evs_buf) struct evs_buf body = EVS_BUF_INIT((size_t)1 << 30);
    evs_buf_add(&body, &ev->key_len, sizeof(ev->key_len));
    if (ev->key)
        evs_buf_add(&body, ev->key, ev->key_len);
    /* Long payloads are told apart by their ends and length; what differs only within is rare. */
    size_t head = ev->value_len > 2048 ? 1024 : ev->value_len;
    evs_buf_add(&body, &ev->value_len, sizeof(ev->value_len));
    evs_buf_add(&body, ev->value, head);
    evs_buf_add(&body,
                (const char *)ev->value + ev->value_len - (ev->value_len - head > 1024 ? 1024 : 0),
                ev->value_len - head > 1024 ? 1024 : 0);
    if (again(&s->bodies, body.data, body.len, ev, &before) && before.ts_ms >= 0 &&
        ev->ts_ms - before.ts_ms <= SOON_MS && ev->ts_ms >= before.ts_ms)
        count(&s->same, &before, ev);
}

static void put(struct evs_jsonw *w, const struct evs_lint_topic *t, const struct found *f)
{
    evs_jsonw_i64(w, "duplicates", f->count);
    evs_lint_place(w, "first", f->before.partition, f->before.offset);
    evs_lint_place(w, "again", f->after.partition, f->after.offset);
    evs_jsonw_i64(w, "messages_seen", t->seen);
}

static void judge(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    struct state *s = state;
    char n[EVS_NUM_LEN], of[EVS_NUM_LEN];
    evs_num_commas(of, s->records);
    if (s->twice.count >= MIN_IDS) {
        struct evs_jsonw *w =
            evs_lint_add(out, EVS_SEV_WARN, -1,
                         "%s of %s records carry an event id that came before, such as %s.",
                         evs_num_commas(n, s->twice.count), of, s->twice.id);
        evs_jsonw_str(w, "event_id", s->twice.id);
        put(w, t, &s->twice);
        evs_lint_close(out,
                       "Turn on enable.idempotence in the producer. Consumers should remember the "
                       "ids that they have applied.");
    }
    if (s->same.count >= MIN_SAME && s->same.count * 200 >= s->records) {
        struct evs_jsonw *w = evs_lint_add(
            out, EVS_SEV_WARN, -1,
            "%s of %s records repeat key and payload of one at most five minutes earlier.",
            evs_num_commas(n, s->same.count), of);
        put(w, t, &s->same);
        evs_lint_close(out,
                       "If retries write them, turn on enable.idempotence. Else give each event an "
                       "id, so that consumers can tell a repetition from news.");
    }
}

const struct evs_lint_rule evs_lint_duplicate = {
    .name = "duplicate-event",
    .help = "the same event id, or the same key and payload, more than once",
    .records = true,
    .open = open_state,
    .event = on_event,
    .judge = judge,
    .close = close_state,
};
