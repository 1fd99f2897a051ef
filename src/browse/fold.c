#include "browse/fold.h"

#include <stdio.h>
#include <string.h>

#include "browse/envelope.h"
#include "core/jsonw.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "filter/jq.h"

enum { TEXT_CAP = 256 << 20 };

struct evs_fold {
    enum evs_fold_rule rule;
    struct evs_jq *jq;
    struct evs_json *state;
};

const char *evs_fold_rule_name(enum evs_fold_rule rule)
{
    static const char *const names[EVS_FOLD_RULES] = {"last", "merge", "map", "none"};
    return names[rule];
}

const char *evs_change_op_name(enum evs_change_op op)
{
    static const char *const names[] = {"add", "remove", "replace"};
    return names[op];
}

enum evs_rc evs_fold_new(enum evs_fold_rule rule, const char *map, struct evs_fold **ret_f,
                         struct evs_err *err)
{
    struct evs_jq *jq = NULL;
    if (rule == EVS_FOLD_MAP && evs_jq_new(map, &jq, err))
        return err->code;
    struct evs_fold *f = evs_xcalloc(1, sizeof(*f));
    f->rule = rule;
    f->jq = jq;
    *ret_f = f;
    return EVS_OK;
}

void evs_fold_free(struct evs_fold *f)
{
    if (!f)
        return;
    evs_jq_free(f->jq);
    evs_json_free(f->state);
    evs_free(f);
}

void evs_fold_reset(struct evs_fold *f, struct evs_json *state)
{
    evs_json_free(f->state);
    f->state = state;
}

const struct evs_json *evs_fold_state(const struct evs_fold *f)
{
    return f->state;
}

/* JSON as it is; other text as a string where the rule can take it. */
static enum evs_rc read_value(const struct evs_fold *f, const struct evs_event *ev,
                              struct evs_json **ret_j, struct evs_err *err)
{
    if (!evs_json_parse(ev->value, ev->value_len, ret_j, err))
        return EVS_OK;
    if (f->rule != EVS_FOLD_LAST || !evs_text_is_utf8(ev->value, ev->value_len)) {
        err->code = EVS_POISON;
        return EVS_POISON;
    }
    EVS_AUTO(evs_buf) struct evs_buf quoted = EVS_BUF_INIT(TEXT_CAP);
    evs_jsonw_quote(&quoted, ev->value, ev->value_len);
    if (!evs_json_parse(evs_buf_str(&quoted), quoted.len, ret_j, err))
        return EVS_OK;
    err->code = EVS_POISON;
    return EVS_POISON;
}

static enum evs_rc step_map(struct evs_fold *f, struct evs_event *ev, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf in = EVS_BUF_INIT(TEXT_CAP), out = EVS_BUF_INIT(TEXT_CAP);
    struct evs_jsonw w;
    evs_jsonw_init(&w, &in);
    evs_jsonw_obj(&w, NULL);
    if (f->state) {
        EVS_AUTO(evs_buf) struct evs_buf state = EVS_BUF_INIT(TEXT_CAP);
        evs_json_print(f->state, &state);
        evs_jsonw_raw(&w, "state", evs_buf_str(&state), state.len);
    } else {
        evs_jsonw_null(&w, "state");
    }
    evs_jsonw_obj(&w, "event");
    evs_envelope_members(&w, ev, true);
    evs_jsonw_end(&w);
    evs_jsonw_end(&w);
    enum evs_rc rc = evs_jq_eval_json(f->jq, in.data, in.len, &out, err);
    if (rc)
        return rc;
    struct evs_json *next = NULL;
    if (out.len && strcmp(out.data, "null") && evs_json_parse(out.data, out.len, &next, err))
        return err->code = EVS_POISON;
    evs_fold_reset(f, next);
    return EVS_OK;
}

enum evs_rc evs_fold_step(struct evs_fold *f, struct evs_event *ev, struct evs_err *err)
{
    struct evs_json *value = NULL;
    if (f->rule == EVS_FOLD_NONE)
        return EVS_OK;
    if (f->rule == EVS_FOLD_MAP)
        return step_map(f, ev, err);
    if (!ev->value) {
        evs_fold_reset(f, NULL);
        return EVS_OK;
    }
    if (read_value(f, ev, &value, err))
        return EVS_POISON;
    if (f->rule == EVS_FOLD_LAST) {
        evs_fold_reset(f, value);
        return EVS_OK;
    }
    f->state = evs_json_merge(f->state, value);
    evs_json_free(value);
    return EVS_OK;
}

/* --- differences ------------------------------------------------------------------------------ */

struct walk {
    struct evs_changes *to;
    struct evs_buf path;
};

static char *print(const struct evs_json *j)
{
    struct evs_buf text = EVS_BUF_INIT(TEXT_CAP);
    if (!j)
        return NULL;
    evs_json_print(j, &text);
    return evs_buf_steal(&text);
}

static void add(struct walk *w, enum evs_change_op op, const struct evs_json *before,
                const struct evs_json *after)
{
    struct evs_changes *c = w->to;
    c->list = evs_xgrow(c->list, c->n + 1, sizeof(*c->list));
    c->list[c->n++] =
        (struct evs_change){op, evs_xstrdup(evs_buf_str(&w->path)), print(before), print(after)};
}

static size_t enter(struct walk *w, const char *name)
{
    size_t at = w->path.len;
    evs_buf_addc(&w->path, '/');
    for (; *name; name++)
        if (*name == '~' || *name == '/')
            evs_buf_adds(&w->path, *name == '~' ? "~0" : "~1");
        else
            evs_buf_addc(&w->path, *name);
    return at;
}

static void leave(struct walk *w, size_t at)
{
    w->path.len = at;
    if (w->path.data)
        w->path.data[at] = '\0';
}

static void compare(struct walk *w, const struct evs_json *a, const struct evs_json *b);

static void compare_objects(struct walk *w, const struct evs_json *a, const struct evs_json *b)
{
    for (const struct evs_json *m = evs_json_first(a); m; m = evs_json_after(m)) {
        size_t at = enter(w, evs_json_name(m));
        compare(w, m, evs_json_get(b, evs_json_name(m)));
        leave(w, at);
    }
    for (const struct evs_json *m = evs_json_first(b); m; m = evs_json_after(m)) {
        if (evs_json_get(a, evs_json_name(m)))
            continue;
        size_t at = enter(w, evs_json_name(m));
        compare(w, NULL, m);
        leave(w, at);
    }
}

static size_t count(const struct evs_json *j)
{
    size_t n = 0;
    for (const struct evs_json *m = evs_json_first(j); m; m = evs_json_after(m))
        n++;
    return n;
}

static void compare_arrays(struct walk *w, const struct evs_json *a, const struct evs_json *b)
{
    char index[24];
    int i = 0;
    const struct evs_json *y = evs_json_first(b);
    for (const struct evs_json *x = evs_json_first(a); x; x = evs_json_after(x)) {
        snprintf(index, sizeof(index), "%d", i++);
        size_t at = enter(w, index);
        compare(w, x, y);
        leave(w, at);
        y = evs_json_after(y);
    }
}

static void compare(struct walk *w, const struct evs_json *a, const struct evs_json *b)
{
    if (!a || !b) {
        if (a || b)
            add(w, a ? EVS_CHANGE_REMOVE : EVS_CHANGE_ADD, a, b);
        return;
    }
    enum evs_json_type type = evs_json_type(a);
    if (type != evs_json_type(b))
        add(w, EVS_CHANGE_REPLACE, a, b);
    else if (type == EVS_JSON_OBJECT)
        compare_objects(w, a, b);
    else if (type == EVS_JSON_ARRAY && count(a) == count(b))
        compare_arrays(w, a, b);
    else if (!evs_json_equal(a, b))
        add(w, EVS_CHANGE_REPLACE, a, b);
}

void evs_changes_of(const struct evs_json *before, const struct evs_json *after,
                    struct evs_changes *ret_changes)
{
    struct walk w = {.to = ret_changes, .path = EVS_BUF_INIT(TEXT_CAP)};
    *ret_changes = (struct evs_changes){NULL, 0};
    compare(&w, before, after);
    evs_buf_done(&w.path);
}

void evs_changes_done(struct evs_changes *c)
{
    for (size_t i = 0; i < c->n; i++) {
        evs_free(c->list[i].path);
        evs_free(c->list[i].before);
        evs_free(c->list[i].after);
    }
    evs_free(c->list);
    *c = (struct evs_changes){NULL, 0};
}

void evs_changes_word(const struct evs_changes *c, const struct evs_json *after, char *to, size_t n)
{
    static const char *const words[] = {"new", "del", "chg"};
    int of[3] = {0};
    for (size_t i = 0; i < c->n; i++)
        of[c->list[i].op]++;
    if (!c->n || (!after && c->n)) {
        snprintf(to, n, "%s", c->n ? "gone" : "same");
        return;
    }
    if (c->n == 1 && c->list[0].op == EVS_CHANGE_ADD && !*c->list[0].path) {
        snprintf(to, n, "first");
        return;
    }
    size_t at = 0;
    to[0] = '\0';
    static const enum evs_change_op order[] = {EVS_CHANGE_REPLACE, EVS_CHANGE_ADD,
                                               EVS_CHANGE_REMOVE};
    for (size_t i = 0; i < 3 && at < n; i++)
        if (of[order[i]])
            at += (size_t)snprintf(to + at, n - at, "%s%d %s", at ? " " : "", of[order[i]],
                                   words[order[i]]);
}
