/* mutable_key.c - keys that change while the entity stays: by their looks, or caught in the act. */
#include <string.h>

#include "core/map.h"
#include "core/text.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "lint/rules.h"

enum { CHANGES_MIN = 3, TEXT_CAP = 4096 };

/* The last key seen for an id; ids are "field\0value". */
struct last {
    char *key;
    size_t len;
};

struct state {
    struct evs_map ids;
    int64_t keyed_by_attribute, changes;
    char *field, *attribute, *id, *before, *after; /* the first change, escaped */
    int32_t partition;
    int64_t offset;
};

static void *open_state(const struct evs_lint_topic *t, void *shared)
{
    (void)t;
    (void)shared;
    return evs_xcalloc(1, sizeof(struct state));
}

static void free_last(void *p)
{
    struct last *l = p;
    evs_free(l->key);
    evs_free(l);
}

static void close_state(void *state)
{
    struct state *s = state;
    evs_map_done(&s->ids, free_last);
    evs_free(s->field);
    evs_free(s->attribute);
    evs_free(s->id);
    evs_free(s->before);
    evs_free(s->after);
    evs_free(s);
}

static char *escaped(const void *p, size_t n)
{
    struct evs_buf b = EVS_BUF_INIT(TEXT_CAP);
    evs_text_fit(&b, p, n, 60, EVS_CUT_END);
    return evs_buf_steal(&b);
}

/* The top-level member whose value is the record's key, when it is an attribute and no id. */
static const struct evs_json_node *key_member(const struct evs_json_tree *t,
                                              const struct evs_event *ev)
{
    if (t->nodes[0].type != EVS_JSON_OBJECT || !t->nodes[0].size)
        return NULL;
    for (uint32_t k = 1; k; k = t->nodes[k].next) {
        const struct evs_json_node *m = &t->nodes[k];
        if (m->type != EVS_JSON_STRING || m->end - m->start != ev->key_len + 2 ||
            memcmp(t->text + m->start + 1, ev->key, ev->key_len) != 0)
            continue;
        const struct evs_json_node *id;
        bool is_id = false;
        for (size_t i = 0; (id = evs_lint_id(t, i)); i++)
            is_id |= id == m;
        if (!is_id)
            return m;
    }
    return NULL;
}

static void note_change(struct state *s, const struct evs_lint_event *e, const struct last *l,
                        const struct evs_json_node *id, const struct evs_json_node *member)
{
    const char *text = e->json->text;
    if (s->changes++)
        return;
    s->field = escaped(text + id->name + 1, id->name_len - 2);
    s->id = escaped(text + id->start, id->end - id->start);
    s->attribute = escaped(text + member->name + 1, member->name_len - 2);
    s->before = escaped(l->key, l->len);
    s->after = escaped(e->ev->key, e->ev->key_len);
    s->partition = e->ev->partition;
    s->offset = e->ev->offset;
}

static void on_event(void *state, const struct evs_lint_event *e)
{
    struct state *s = state;
    const struct evs_event *ev = e->ev;
    if (!e->json || !ev->key || !ev->key_len)
        return;
    const struct evs_json_node *member = key_member(e->json, ev), *id;
    if (!member)
        return;
    s->keyed_by_attribute++;
    for (size_t i = 0; (id = evs_lint_id(e->json, i)) && s->ids.n < EVS_LINT_MAP_CAP; i++) {
        /* name and value lie apart; a text of both with a NUL between is the map's key */
        size_t value_len = id->end - id->start, len = id->name_len + 1 + value_len;
        char *name = evs_xmalloc(len);
        memcpy(name, e->json->text + id->name, id->name_len);
        name[id->name_len] = '\0';
        memcpy(name + id->name_len + 1, e->json->text + id->start, value_len);
        void **place = evs_map_put(&s->ids, name, len);
        evs_free(name);
        struct last *l = *place;
        if (l && (l->len != ev->key_len || memcmp(l->key, ev->key, l->len) != 0))
            note_change(s, e, l, id, member);
        if (!l)
            *place = l = evs_xcalloc(1, sizeof(*l));
        evs_free(l->key);
        l->key = evs_xmemdup(ev->key, ev->key_len);
        l->len = ev->key_len;
    }
}

static void judge(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    struct state *s = state;
    size_t before = out->n;
    if (s->changes >= CHANGES_MIN) {
        char n[EVS_NUM_LEN];
        struct evs_jsonw *w = evs_lint_add(
            out, EVS_SEV_WARN, -1,
            "Keys change while the entity stays: %s %s was keyed %s, then %s (%s changes seen).",
            s->field, s->id, s->before, s->after, evs_num_commas(n, s->changes));
        evs_jsonw_str(w, "id_field", s->field);
        evs_jsonw_str(w, "key_field", s->attribute);
        evs_jsonw_str(w, "before", s->before);
        evs_jsonw_str(w, "after", s->after);
        evs_jsonw_i64(w, "changes", s->changes);
        evs_lint_place(w, "example", s->partition, s->offset);
        evs_jsonw_i64(w, "messages_seen", t->seen);
        evs_lint_close(out, "Key by %s, which stays. Keep %s in the value only.", s->field,
                       s->attribute);
    }
    if (out->n == before)
        evs_lint_from_report(out, "mutable-key");
}

const struct evs_lint_rule evs_lint_mutable_key = {
    .name = "mutable-key",
    .help = "e-mail addresses, phone numbers or names as keys; keys that change",
    .records = true,
    .open = open_state,
    .event = on_event,
    .judge = judge,
    .close = close_state,
};
