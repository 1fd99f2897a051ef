/* plan_json.c - the plan file: one table of fields drives reading, writing and the messages. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "core/jsonw.h"
#include "core/opt.h"
#include "core/xalloc.h"
#include "replay/plan.h"

enum field_kind { FIELD_TEXT, FIELD_LIST, FIELD_BOOL };

struct field {
    const char *section, *name;
    enum field_kind kind;
    size_t offset;
};

static const struct field fields[] = {
    {"", "id", FIELD_TEXT, offsetof(struct evs_plan, id)},
    {"source", "topic", FIELD_TEXT, offsetof(struct evs_plan, topic)},
    {"source", "partitions", FIELD_TEXT, offsetof(struct evs_plan, partitions)},
    {"source", "from", FIELD_TEXT, offsetof(struct evs_plan, from)},
    {"source", "to", FIELD_TEXT, offsetof(struct evs_plan, to)},
    {"source", "since", FIELD_TEXT, offsetof(struct evs_plan, since)},
    {"source", "until", FIELD_TEXT, offsetof(struct evs_plan, until)},
    {"source", "isolation", FIELD_TEXT, offsetof(struct evs_plan, isolation)},
    {"source", "count", FIELD_TEXT, offsetof(struct evs_plan, count)},
    {"keep", "key", FIELD_LIST, offsetof(struct evs_plan, keys)},
    {"keep", "grep", FIELD_LIST, offsetof(struct evs_plan, greps)},
    {"keep", "header", FIELD_LIST, offsetof(struct evs_plan, headers)},
    {"keep", "jq", FIELD_LIST, offsetof(struct evs_plan, jqs)},
    {"keep", "not_key", FIELD_LIST, offsetof(struct evs_plan, not_keys)},
    {"keep", "not_grep", FIELD_LIST, offsetof(struct evs_plan, not_greps)},
    {"keep", "not_header", FIELD_LIST, offsetof(struct evs_plan, not_headers)},
    {"keep", "not_jq", FIELD_LIST, offsetof(struct evs_plan, not_jqs)},
    {"keep", "ignore_case", FIELD_BOOL, offsetof(struct evs_plan, ignore_case)},
    {"view", "mode", FIELD_TEXT, offsetof(struct evs_plan, mode_text)},
    {"view", "columns", FIELD_LIST, offsetof(struct evs_plan, column_texts)},
    {"view", "group_by", FIELD_TEXT, offsetof(struct evs_plan, group_by)},
    {"view", "value", FIELD_TEXT, offsetof(struct evs_plan, value)},
    {"sink", "url", FIELD_TEXT, offsetof(struct evs_plan, sink)},
    {"sink", "target", FIELD_TEXT, offsetof(struct evs_plan, target)},
    {"sink", "key_type", FIELD_TEXT, offsetof(struct evs_plan, key_type)},
    {"sink", "value_type", FIELD_TEXT, offsetof(struct evs_plan, value_type)},
    {"sink", "swap", FIELD_BOOL, offsetof(struct evs_plan, swap)},
    {"run", "batch", FIELD_TEXT, offsetof(struct evs_plan, batch)},
    {"run", "rate", FIELD_TEXT, offsetof(struct evs_plan, rate)},
    {"run", "on_error", FIELD_TEXT, offsetof(struct evs_plan, on_error_text)},
    {"run", "follow", FIELD_BOOL, offsetof(struct evs_plan, follow)},
};

static const char *const sections[] = {"", "source", "keep", "view", "sink", "run"};

static size_t line_of(const char *text, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n';
    return line;
}

static char *text_of(const struct evs_json_tree *t, const struct evs_json_node *n)
{
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(EVS_PLAN_CAP);
    if (n->type == EVS_JSON_STRING)
        evs_json_unquote(&b, t->text + n->start, n->end - n->start);
    else
        evs_buf_add(&b, t->text + n->start, n->end - n->start);
    return evs_buf_steal(&b);
}

static enum evs_rc wrong(const struct evs_json_tree *t, const struct evs_json_node *n,
                         const struct field *f, const char *wants, struct evs_err *err)
{
    return evs_fail(err, EVS_INVALID, "line %zu: %s%s%s: must be %s", line_of(t->text, n->start),
                    f->section, *f->section ? "." : "", f->name, wants);
}

static enum evs_rc read_list(const struct evs_json_tree *t, const struct evs_json_node *n,
                             const struct field *f, struct evs_plan_list *list, struct evs_err *err)
{
    if (n->type != EVS_JSON_ARRAY)
        return wrong(t, n, f, "a list of texts", err);
    size_t at = n->size ? (size_t)(n - t->nodes) + 1 : 0;
    for (; at; at = t->nodes[at].next) {
        if (t->nodes[at].type != EVS_JSON_STRING)
            return wrong(t, &t->nodes[at], f, "a list of texts", err);
        char *text = text_of(t, &t->nodes[at]);
        evs_plan_add(list, text);
        evs_free(text);
    }
    return EVS_OK;
}

static enum evs_rc read_field(struct evs_plan *p, const struct evs_json_tree *t,
                              const struct evs_json_node *n, const struct field *f,
                              struct evs_err *err)
{
    char *base = (char *)p + f->offset;
    if (n->type == EVS_JSON_NULL)
        return EVS_OK;
    if (f->kind == FIELD_LIST)
        return read_list(t, n, f, (struct evs_plan_list *)(void *)base, err);
    if (f->kind == FIELD_BOOL) {
        if (n->type != EVS_JSON_TRUE && n->type != EVS_JSON_FALSE)
            return wrong(t, n, f, "true or false", err);
        *(bool *)(void *)base = n->type == EVS_JSON_TRUE;
        return EVS_OK;
    }
    if (n->type != EVS_JSON_STRING && n->type != EVS_JSON_NUMBER)
        return wrong(t, n, f, "a text", err);
    char **to = (char **)(void *)base;
    evs_free(*to);
    *to = text_of(t, n);
    if (strlen(*to) >= EVS_PLAN_CAP)
        return wrong(t, n, f, "shorter", err);
    return EVS_OK;
}

static const char *nth_field(const void *ctx, size_t i)
{
    const char *section = ctx;
    for (size_t k = 0; k < EVS_COUNT(fields); k++)
        if (!strcmp(fields[k].section, section) && i-- == 0)
            return fields[k].name;
    return NULL;
}

static enum evs_rc unknown(const struct evs_json_tree *t, const struct evs_json_node *n,
                           const char *section, const char *name, struct evs_err *err)
{
    evs_fail(err, EVS_INVALID, "line %zu: unknown field %s%s%s", line_of(t->text, n->name), section,
             *section ? "." : "", name);
    const char *near = evs_suggest(name, nth_field, section);
    return near ? evs_hint(err, "did you mean %s?", near) : err->code;
}

static enum evs_rc read_section(struct evs_plan *p, const struct evs_json_tree *t,
                                const struct evs_json_node *obj, const char *section,
                                struct evs_err *err);

static bool is_section(const char *name)
{
    for (size_t i = 1; i < EVS_COUNT(sections); i++)
        if (!strcmp(sections[i], name))
            return true;
    return false;
}

static enum evs_rc check_version(const struct evs_json_tree *t, const struct evs_json_node *n,
                                 struct evs_err *err)
{
    if (n->type == EVS_JSON_NUMBER && n->end - n->start == 1 && t->text[n->start] == '1')
        return EVS_OK;
    return evs_fail(err, EVS_INVALID, "line %zu: eventscope_plan: must be 1, which this program"
                                      " writes",
                    line_of(t->text, n->start));
}

static void look_at_hash(struct evs_plan *p, const struct evs_json_tree *t)
{
    const struct evs_json_node *n = evs_json_path(t, "hash");
    char *said = n ? text_of(t, n) : NULL;
    p->edited = said && strcmp(said, p->hash);
    evs_free(said);
}

static enum evs_rc read_member(struct evs_plan *p, const struct evs_json_tree *t,
                               const struct evs_json_node *n, const char *section,
                               struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(200);
    evs_json_unquote(&name, t->text + n->name, n->name_len);
    const char *word = evs_buf_str(&name);
    if (!*section && !strcmp(word, "eventscope_plan"))
        return check_version(t, n, err);
    if (!*section && !strcmp(word, "hash"))
        return EVS_OK; /* looked at when the rest is known */
    if (!*section && is_section(word)) {
        if (n->type != EVS_JSON_OBJECT)
            return evs_fail(err, EVS_INVALID, "line %zu: %s must be an object",
                            line_of(t->text, n->start), word);
        return read_section(p, t, n, word, err);
    }
    for (size_t i = 0; i < EVS_COUNT(fields); i++)
        if (!strcmp(fields[i].section, section) && !strcmp(fields[i].name, word))
            return read_field(p, t, n, &fields[i], err);
    return unknown(t, n, section, word, err);
}

static enum evs_rc read_section(struct evs_plan *p, const struct evs_json_tree *t,
                                const struct evs_json_node *obj, const char *section,
                                struct evs_err *err)
{
    size_t at = obj->size ? (size_t)(obj - t->nodes) + 1 : 0;
    enum evs_rc rc = EVS_OK;
    for (; !rc && at; at = t->nodes[at].next)
        rc = read_member(p, t, &t->nodes[at], section, err);
    return rc;
}

/* "sink.url: unknown sink" gets the line of sink.url. */
static enum evs_rc add_line(const struct evs_json_tree *t, struct evs_err *err)
{
    for (size_t i = 0; i < EVS_COUNT(fields); i++) {
        char path[80];
        snprintf(path, sizeof(path), "%s%s%s", fields[i].section, *fields[i].section ? "." : "",
                 fields[i].name);
        size_t n = strlen(path);
        if (strncmp(err->msg, path, n) || err->msg[n] != ':')
            continue;
        const struct evs_json_node *at = evs_json_path(t, path);
        const struct evs_json_node *in =
            at || !*fields[i].section ? at : evs_json_path(t, fields[i].section);
        if (in)
            return evs_wrap(err, "line %zu", line_of(t->text, in->start));
    }
    return err->code;
}

enum evs_rc evs_plan_parse(struct evs_plan *p, const char *text, size_t n, struct evs_err *err)
{
    struct evs_json_tree t = {0};
    struct evs_json_fault fault;
    if (!evs_json_check(text, n, &fault))
        return evs_fail(err, EVS_INVALID, "line %zu: not JSON: %s", line_of(text, fault.at),
                        fault.why);
    enum evs_rc rc = evs_json_tree_read(&t, text, n, err);
    if (!rc && t.nodes[0].type != EVS_JSON_OBJECT)
        rc = evs_fail(err, EVS_INVALID, "line 1: a plan is a JSON object");
    if (!rc)
        rc = read_section(p, &t, &t.nodes[0], "", err);
    if (!rc && evs_plan_check(p, err))
        rc = add_line(&t, err);
    if (!rc)
        look_at_hash(p, &t);
    evs_json_tree_done(&t);
    return rc;
}

enum evs_rc evs_plan_read(struct evs_plan *p, const char *path, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(EVS_PLAN_CAP);
    enum evs_rc rc = evs_buf_read_file(&text, path, err);
    if (!rc && evs_plan_parse(p, evs_buf_str(&text), text.len, err))
        rc = evs_wrap(err, "plan %s", path);
    return rc;
}

static void print_field(struct evs_jsonw *w, const struct evs_plan *p, const struct field *f)
{
    const char *base = (const char *)p + f->offset;
    if (f->kind == FIELD_BOOL) {
        if (*(const bool *)(const void *)base)
            evs_jsonw_bool(w, f->name, true);
    } else if (f->kind == FIELD_TEXT) {
        const char *text = *(char *const *)(const void *)base;
        if (text)
            evs_jsonw_str(w, f->name, text);
    } else {
        const struct evs_plan_list *list = (const void *)base;
        if (!list->n)
            return;
        evs_jsonw_arr(w, f->name);
        for (size_t i = 0; i < list->n; i++)
            evs_jsonw_str(w, NULL, list->items[i]);
        evs_jsonw_end(w);
    }
}

void evs_plan_print(const struct evs_plan *p, struct evs_buf *out)
{
    EVS_AUTO(evs_buf) struct evs_buf compact = EVS_BUF_INIT(EVS_PLAN_CAP);
    struct evs_err ignored = EVS_ERR_INIT;
    struct evs_jsonw w;
    evs_jsonw_init(&w, &compact);
    evs_jsonw_obj(&w, NULL);
    evs_jsonw_i64(&w, "eventscope_plan", 1);
    for (size_t s = 0; s < EVS_COUNT(sections); s++) {
        if (*sections[s])
            evs_jsonw_obj(&w, sections[s]);
        for (size_t i = 0; i < EVS_COUNT(fields); i++)
            if (!strcmp(fields[i].section, sections[s]))
                print_field(&w, p, &fields[i]);
        if (*sections[s])
            evs_jsonw_end(&w);
    }
    evs_jsonw_str(&w, "hash", p->hash);
    evs_jsonw_end(&w);
    if (evs_json_pretty(out, evs_buf_str(&compact), compact.len, &ignored))
        evs_buf_adds(out, evs_buf_str(&compact)); /* never: it is our own JSON */
    evs_buf_addc(out, '\n');
}

enum evs_rc evs_plan_save(const struct evs_plan *p, const char *path, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(EVS_PLAN_CAP);
    evs_plan_print(p, &text);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600); /* URLs may hold secrets */
    if (fd < 0)
        return evs_fail_errno(err, errno, "%s", path);
    size_t at = 0;
    ssize_t put = 0;
    while (at < text.len && put >= 0) {
        put = write(fd, text.data + at, text.len - at);
        at += put > 0 ? (size_t)put : 0;
    }
    int saved = put < 0 ? errno : 0;
    if (close(fd) && !saved)
        saved = errno;
    return saved ? evs_fail_errno(err, saved, "%s", path) : EVS_OK;
}
