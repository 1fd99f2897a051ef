/* no_key.c - records without a key although they belong to entities. */
#include <string.h>

#include "core/map.h"
#include "core/text.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "lint/rules.h"

enum { MIN_NULL = 50, FIELDS_CAP = 64, NAME_CAP = 200 };

struct field {
    int64_t records;
    struct evs_map values; /* distinct ones */
};

struct state {
    int64_t records, nulls, json_nulls;
    struct evs_map fields; /* quoted name: struct field */
    int32_t partition;
    int64_t offset;
};

static void *open_state(const struct evs_lint_topic *t, void *shared)
{
    (void)t;
    (void)shared;
    return evs_xcalloc(1, sizeof(struct state));
}

static void free_field(void *p)
{
    struct field *f = p;
    evs_map_done(&f->values, NULL);
    evs_free(f);
}

static void close_state(void *state)
{
    struct state *s = state;
    evs_map_done(&s->fields, free_field);
    evs_free(s);
}

static void on_event(void *state, const struct evs_lint_event *e)
{
    struct state *s = state;
    const struct evs_json_node *id;
    s->records++;
    if (e->ev->key)
        return;
    if (!s->nulls++) {
        s->partition = e->ev->partition;
        s->offset = e->ev->offset;
    }
    if (!e->json)
        return;
    s->json_nulls++;
    for (size_t i = 0; (id = evs_lint_id(e->json, i)); i++) {
        const char *name = e->json->text + id->name;
        struct field *f = evs_map_get(&s->fields, name, id->name_len);
        if (!f && (s->fields.n >= FIELDS_CAP || id->name_len > NAME_CAP))
            continue;
        if (!f)
            *evs_map_put(&s->fields, name, id->name_len) = f = evs_xcalloc(1, sizeof(*f));
        f->records++;
        if (f->values.n < EVS_LINT_MAP_CAP)
            *evs_map_put(&f->values, e->json->text + id->start, id->end - id->start) = f;
    }
}

/* The field that most records have and whose values come again: an entity, not a record's number.
 * */
static const struct evs_map_item *entity(const struct state *s)
{
    const struct evs_map_item *best = NULL;
    for (size_t i = 0; i < s->fields.n; i++) {
        const struct field *f = s->fields.items[i].value;
        if (f->records * 2 < s->json_nulls || (double)f->values.n > 0.8 * (double)f->records)
            continue;
        if (!best || f->records > ((const struct field *)best->value)->records)
            best = &s->fields.items[i];
    }
    return best;
}

static void judge(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    struct state *s = state;
    const struct evs_map_item *item = entity(s);
    if (s->nulls < MIN_NULL || s->nulls * 20 < s->records || !item || s->json_nulls * 2 < s->nulls)
        return;
    const struct field *f = item->value;
    EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(1024);
    evs_text_fit(&name, item->key + 1, item->key_len - 2, 40, EVS_CUT_END);
    double share = (double)s->nulls / (double)s->records;
    char n[EVS_NUM_LEN], of[EVS_NUM_LEN];
    struct evs_jsonw *w =
        evs_lint_add(out, EVS_SEV_WARN, -1,
                     "%.0f %% of the messages have no key although they belong to entities: %s has "
                     "%s values in "
                     "%s of them, which are spread over all partitions.",
                     100 * share, evs_buf_str(&name), evs_num_commas(n, (int64_t)f->values.n),
                     evs_num_commas(of, f->records));
    evs_jsonw_double(w, "null_key_share", share);
    evs_jsonw_str(w, "entity_field", evs_buf_str(&name));
    evs_jsonw_i64(w, "entities", (int64_t)f->values.n);
    evs_jsonw_i64(w, "messages_seen", t->seen);
    evs_lint_place(w, "example", s->partition, s->offset);
    evs_lint_close(out, "Key by %s: events of one then stay in order on one partition.",
                   evs_buf_str(&name));
}

const struct evs_lint_rule evs_lint_no_key = {
    .name = "no-key",
    .help = "records without a key although their values name entities",
    .records = true,
    .open = open_state,
    .event = on_event,
    .judge = judge,
    .close = close_state,
};
