/* schema_drift.c - JSON whose fields change type, or vanish, over time; compared per kind of
 * event. */
#include <stdio.h>
#include <string.h>

#include "core/map.h"
#include "core/text.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "lint/rules.h"

enum { PATHS_CAP = 4096, PATH_CAP = 200, DEPTH = 4, MIN_OTHER = 3, MIN_RECORDS = 50, TYPES = 5 };

/* Types that a reader tells apart: string, number, boolean, array, object. Null fits all. */
struct path {
    int64_t of[TYPES], old_count, new_count;
    int32_t partition[TYPES];
    int64_t offset[TYPES]; /* where each type was first seen */
};
struct kind {
    int64_t old_count, new_count, not_json;
};

struct state {
    struct evs_map paths; /* "kind\0path": struct path */
    struct evs_map kinds;
    struct evs_buf name;
};

static const char *const type_names[TYPES] = {"string", "number", "boolean", "array", "object"};

static int type_of(int json)
{
    switch (json) {
    case EVS_JSON_STRING: return 0;
    case EVS_JSON_NUMBER: return 1;
    case EVS_JSON_TRUE:
    case EVS_JSON_FALSE: return 2;
    case EVS_JSON_ARRAY: return 3;
    case EVS_JSON_OBJECT: return 4;
    default: return -1;
    }
}

static void *open_state(const struct evs_lint_topic *t, void *shared)
{
    struct state *s = evs_xcalloc(1, sizeof(*s));
    (void)t;
    (void)shared;
    s->name = (struct evs_buf)EVS_BUF_INIT(8192);
    return s;
}

static void close_state(void *state)
{
    struct state *s = state;
    evs_map_done(&s->paths, evs_free);
    evs_map_done(&s->kinds, evs_free);
    evs_buf_done(&s->name);
    evs_free(s);
}

static void see(struct state *s, const struct evs_lint_event *e, const struct evs_json_node *node)
{
    struct path *p = evs_map_get(&s->paths, s->name.data, s->name.len);
    if (!p) {
        if (s->paths.n >= PATHS_CAP || s->name.len > PATH_CAP)
            return;
        *evs_map_put(&s->paths, s->name.data, s->name.len) = p = evs_xcalloc(1, sizeof(*p));
    }
    *(e->older ? &p->old_count : &p->new_count) += 1;
    int type = type_of(node->type);
    if (type >= 0 && !p->of[type]++) {
        p->partition[type] = e->ev->partition;
        p->offset[type] = e->ev->offset;
    }
}

/* Members of objects; elements of arrays share the path "name[]". */
static void walk(struct state *s, const struct evs_lint_event *e,
                 const struct evs_json_node *parent)
{
    const struct evs_json_tree *t = e->json;
    size_t at = s->name.len;
    if (!parent->size || parent->depth >= DEPTH || s->name.len > PATH_CAP)
        return;
    for (uint32_t i = (uint32_t)(parent - t->nodes) + 1; i; i = t->nodes[i].next) {
        const struct evs_json_node *node = &t->nodes[i];
        if (node->name_len) {
            evs_buf_addc(&s->name, '.');
            evs_buf_add(&s->name, t->text + node->name + 1, node->name_len - 2);
        } else {
            evs_buf_adds(&s->name, "[]");
        }
        see(s, e, node);
        walk(s, e, node);
        s->name.len = at;
        s->name.data[at] = '\0';
    }
}

static void on_event(void *state, const struct evs_lint_event *e)
{
    struct state *s = state;
    if (!e->json || e->json->nodes[0].type != EVS_JSON_OBJECT)
        return;
    struct kind *k = evs_map_gets(&s->kinds, e->kind);
    if (!k && s->kinds.n >= PATHS_CAP)
        return;
    if (!k)
        *evs_map_puts(&s->kinds, e->kind) = k = evs_xcalloc(1, sizeof(*k));
    *(e->older ? &k->old_count : &k->new_count) += 1;
    evs_buf_reset(&s->name);
    evs_buf_adds(&s->name, e->kind);
    evs_buf_addc(&s->name, '\0');
    walk(s, e, e->json->nodes);
}

static void put_path(struct evs_jsonw *w, const char *kind, const char *path, const struct path *p)
{
    evs_jsonw_str(w, "event", *kind ? kind : NULL);
    evs_jsonw_strn(w, "field", path, strlen(path));
    evs_jsonw_obj(w, "types");
    for (int i = 0; i < TYPES; i++)
        if (p->of[i])
            evs_jsonw_i64(w, type_names[i], p->of[i]);
    evs_jsonw_end(w);
}

static void judge_types(const struct evs_lint_topic *t, const char *kind, const char *path,
                        const char *shown, const struct path *p, struct evs_lint_out *out)
{
    int main = 0, other = -1;
    for (int i = 1; i < TYPES; i++)
        main = p->of[i] > p->of[main] ? i : main;
    for (int i = 0; i < TYPES; i++)
        if (i != main && p->of[i] && (other < 0 || p->of[i] > p->of[other]))
            other = i;
    if (other < 0 || p->of[other] < MIN_OTHER)
        return;
    char a[EVS_NUM_LEN], b[EVS_NUM_LEN];
    struct evs_jsonw *w =
        evs_lint_add(out, EVS_SEV_WARN, -1, "%s%s%s is a %s in %s records and a %s in %s.", kind,
                     *kind ? ": " : "", shown, type_names[main], evs_num_commas(a, p->of[main]),
                     type_names[other], evs_num_commas(b, p->of[other]));
    put_path(w, kind, path, p);
    evs_lint_place(w, "example", p->partition[other], p->offset[other]);
    evs_jsonw_i64(w, "messages_seen", t->seen);
    evs_lint_close(out, "Give the field one type and the new meaning a new name. A schema registry "
                        "refuses such a change before it is written.");
}

static void judge_presence(const struct evs_lint_topic *t, const char *kind, const char *path,
                           const char *shown, const struct path *p, const struct kind *k,
                           struct evs_lint_out *out)
{
    if (k->old_count < MIN_RECORDS || k->new_count < MIN_RECORDS)
        return;
    bool was = p->old_count * 20 >= k->old_count * 19, is = p->new_count * 20 >= k->new_count * 19;
    if (!((was && !p->new_count) || (is && !p->old_count)))
        return;
    bool gone = was && !p->new_count;
    char a[EVS_NUM_LEN], b[EVS_NUM_LEN], c[EVS_NUM_LEN];
    struct evs_jsonw *w = evs_lint_add(
        out, gone ? EVS_SEV_WARN : EVS_SEV_INFO, -1,
        gone ? "%s%s%s was in %s of the %s oldest records and is in none of the %s "
               "newest."
             : "%s%s%s is new: in none of the oldest records, in %s of the %s newest "
               "(of %s).",
        kind, *kind ? ": " : "", shown, evs_num_commas(a, gone ? p->old_count : p->new_count),
        evs_num_commas(b, gone ? k->old_count : k->new_count), evs_num_commas(c, k->new_count));
    put_path(w, kind, path, p);
    evs_jsonw_i64(w, "oldest", p->old_count);
    evs_jsonw_i64(w, "newest", p->new_count);
    evs_jsonw_i64(w, "messages_seen", t->seen);
    evs_lint_close(out, gone
                            ? "Readers of the field break, and a replay meets both shapes. Keep it "
                              "until no reader is left."
                            : "A replay meets records without it: readers need a default.");
}

static void judge(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    struct state *s = state;
    for (size_t i = 0; i < s->paths.n; i++) {
        const struct evs_map_item *item = &s->paths.items[i];
        const char *kind = item->key, *path = item->key + strlen(kind) + 1;
        const struct path *p = item->value;
        const struct kind *k = evs_map_gets(&s->kinds, kind);
        EVS_AUTO(evs_buf) struct evs_buf shown = EVS_BUF_INIT(2048);
        evs_text_fit(&shown, path + (*path == '.'), strlen(path) - (*path == '.'), 60, EVS_CUT_END);
        judge_types(t, kind, path, evs_buf_str(&shown), p, out);
        /* Only whole subtrees: a member of what is gone is gone with it. */
        if (!strchr(path + 1, '.') && !strchr(path, '['))
            judge_presence(t, kind, path, evs_buf_str(&shown), p, k, out);
    }
}

const struct evs_lint_rule evs_lint_schema_drift = {
    .name = "schema-drift",
    .help = "JSON fields that change type or vanish over time",
    .records = true,
    .open = open_state,
    .event = on_event,
    .judge = judge,
    .close = close_state,
};
