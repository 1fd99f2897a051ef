#include "replay/plan.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "replay/project.h"
#include "sinks/sink.h"

enum { KINDS = EVS_FILTER_JQ + 1 };

void evs_plan_set(char **member, const char *text)
{
    char *copy = evs_xstrdup(text);
    evs_free(*member);
    *member = copy;
}

void evs_plan_add(struct evs_plan_list *list, const char *text)
{
    list->items = evs_xgrow(list->items, list->n + 1, sizeof(*list->items));
    list->items[list->n++] = evs_xstrdup(text);
}

void evs_plan_clear(struct evs_plan_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        evs_free(list->items[i]);
    evs_free(list->items);
    *list = (struct evs_plan_list){NULL, 0};
}

static void columns_done(struct evs_plan *p)
{
    for (size_t i = 0; i < p->n_columns; i++) {
        evs_free(p->columns[i].name);
        evs_free(p->columns[i].type);
        evs_free(p->columns[i].expr);
    }
    evs_free(p->columns);
    p->columns = NULL;
    p->n_columns = 0;
}

void evs_plan_done(struct evs_plan *p)
{
    char **texts[] = {&p->id,    &p->topic, &p->partitions,    &p->from,      &p->to,
                      &p->since, &p->until, &p->isolation,     &p->mode_text, &p->group_by,
                      &p->value, &p->sink,  &p->target,        &p->key_type,  &p->value_type,
                      &p->batch, &p->rate,  &p->on_error_text, &p->count};
    for (size_t i = 0; i < EVS_COUNT(texts); i++)
        evs_free(*texts[i]);
    columns_done(p);
    evs_plan_clear(&p->keys);
    evs_plan_clear(&p->greps);
    evs_plan_clear(&p->headers);
    evs_plan_clear(&p->jqs);
    evs_plan_clear(&p->not_keys);
    evs_plan_clear(&p->not_greps);
    evs_plan_clear(&p->not_headers);
    evs_plan_clear(&p->not_jqs);
    evs_plan_clear(&p->column_texts);
    memset(p, 0, sizeof(*p));
}

/* --- columns: name[:type]=JQ,... ------------------------------------------------------------- */
/* Length up to the next comma outside of quotes and brackets. */
static size_t one_column(const char *s)
{
    int depth = 0;
    bool quoted = false;
    size_t i = 0;
    for (; s[i]; i++) {
        if (quoted) {
            if (s[i] == '\\' && s[i + 1])
                i++;
            else if (s[i] == '"')
                quoted = false;
        } else if (s[i] == '"') {
            quoted = true;
        } else if (strchr("([{", s[i])) {
            depth++;
        } else if (strchr(")]}", s[i])) {
            depth--;
        } else if (s[i] == ',' && depth == 0) {
            break;
        }
    }
    return i;
}

static char *trimmed(const char *s, size_t n)
{
    while (n && *s == ' ') {
        s++;
        n--;
    }
    while (n && s[n - 1] == ' ')
        n--;
    return evs_xstrndup(s, n);
}

static enum evs_rc add_column(struct evs_plan *p, const char *s, size_t n, struct evs_err *err)
{
    const char *eq = memchr(s, '=', n);
    if (!eq)
        return evs_fail(err, EVS_INVALID, "--columns: '%.*s' is not NAME[:TYPE]=JQ", (int)n, s);
    const char *colon = memchr(s, ':', (size_t)(eq - s));
    const char *name_end = colon ? colon : eq;
    p->columns = evs_xgrow(p->columns, p->n_columns + 1, sizeof(*p->columns));
    struct evs_plan_column *c = &p->columns[p->n_columns++];
    c->name = trimmed(s, (size_t)(name_end - s));
    c->type = colon ? trimmed(colon + 1, (size_t)(eq - colon - 1)) : NULL;
    c->expr = trimmed(eq + 1, n - (size_t)(eq + 1 - s));
    if (!*c->name || !*c->expr)
        return evs_fail(err, EVS_INVALID, "--columns: '%.*s' is not NAME[:TYPE]=JQ", (int)n, s);
    if (!strcmp(c->name, "key"))
        return evs_fail(err, EVS_INVALID, "--columns: 'key' is always the first column");
    for (size_t i = 0; i + 1 < p->n_columns; i++)
        if (!strcmp(p->columns[i].name, c->name))
            return evs_fail(err, EVS_INVALID, "--columns: '%s' is there twice", c->name);
    return c->type ? evs_sink_check_type(c->name, c->type, err) : EVS_OK;
}

static enum evs_rc parse_columns(struct evs_plan *p, struct evs_err *err)
{
    columns_done(p);
    enum evs_rc rc = EVS_OK;
    for (size_t i = 0; !rc && i < p->column_texts.n; i++) {
        const char *s = p->column_texts.items[i];
        while (!rc && *s) {
            size_t n = one_column(s);
            rc = add_column(p, s, n, err);
            s += n + (s[n] == ',');
        }
    }
    return rc;
}

/* --- the check ------------------------------------------------------------------------------- */
static enum evs_rc check_mode(struct evs_plan *p, struct evs_err *err)
{
    const char *mode = p->mode_text ? p->mode_text : "latest";
    int found = -1;
    for (int m = EVS_VIEW_LATEST; m <= EVS_VIEW_SUM; m++)
        if (!strcmp(mode, evs_view_mode_name(m)))
            found = m;
    if (found < 0)
        return evs_fail(err, EVS_INVALID, "view.mode: '%s' is not latest, log, count or sum", mode);
    p->mode = (enum evs_view_mode)found;
    bool totals = p->mode == EVS_VIEW_COUNT || p->mode == EVS_VIEW_SUM;
    if (p->mode == EVS_VIEW_SUM && !p->value)
        return evs_fail(err, EVS_INVALID, "view.value: sum needs --value, what to add up");
    if (p->group_by && !totals)
        return evs_fail(err, EVS_INVALID, "view.group_by: only count and sum have groups");
    if (p->value && p->mode != EVS_VIEW_SUM)
        return evs_fail(err, EVS_INVALID, "view.value: only sum adds up a value");
    if (p->n_columns && totals)
        return evs_fail(err, EVS_INVALID, "view.columns: %s has its own columns", mode);
    return EVS_OK;
}

static enum evs_rc check_run(struct evs_plan *p, struct evs_err *err)
{
    const char *e = p->on_error_text ? p->on_error_text : "stop";
    p->dead_letter = NULL;
    p->batch_events = p->count_events = 0;
    p->rate_events = p->speed = 0;
    if (!strcmp(e, "stop")) {
        p->on_error = EVS_ON_ERROR_STOP;
    } else if (!strcmp(e, "skip")) {
        p->on_error = EVS_ON_ERROR_SKIP;
    } else if (!strncmp(e, "dead-letter:", 12)) {
        const struct evs_sink_ops *ops;
        p->on_error = EVS_ON_ERROR_DEAD_LETTER;
        p->dead_letter = e + 12;
        if (evs_sink_find(p->dead_letter, &ops, err))
            return evs_wrap(err, "run.on_error");
    } else {
        return evs_fail(err, EVS_INVALID,
                        "run.on_error: '%s' is not stop, skip or "
                        "dead-letter:SINK-URL",
                        e);
    }
    if (p->batch && evs_num_i64(p->batch, 1, INT64_MAX, &p->batch_events, err))
        return evs_wrap(err, "run.batch");
    if (p->count && evs_num_i64(p->count, 1, INT64_MAX, &p->count_events, err))
        return evs_wrap(err, "source.count");
    if (p->rate) {
        size_t n = strlen(p->rate);
        bool times = n > 1 && p->rate[n - 1] == 'x';
        char *digits = evs_xstrndup(p->rate, times ? n - 1 : n);
        double v = 0;
        enum evs_rc rc = evs_num_double(digits, &v, err);
        evs_free(digits);
        if (rc || v <= 0 || (!times && v < 1))
            return evs_fail(err, EVS_INVALID, "run.rate: '%s' is not events a second, or 2x",
                            p->rate);
        *(times ? &p->speed : &p->rate_events) = v;
    }
    return EVS_OK;
}

static void put(struct evs_buf *b, const char *text)
{
    evs_buf_printf(b, "%d:%zu:", text != NULL, text ? strlen(text) : 0);
    evs_buf_adds(b, text ? text : "");
}

static void put_list(struct evs_buf *b, const struct evs_plan_list *list)
{
    evs_buf_printf(b, "[%zu]", list->n);
    for (size_t i = 0; i < list->n; i++)
        put(b, list->items[i]);
}

/* Nothing where there are none: plans of before such terms keep their hash. */
static void put_not(struct evs_buf *b, const struct evs_plan *p)
{
    const struct evs_plan_list *lists[] = {&p->not_keys, &p->not_greps, &p->not_headers,
                                           &p->not_jqs};
    for (size_t i = 0; i < EVS_COUNT(lists); i++)
        if (lists[i]->n) {
            evs_buf_printf(b, "not %zu", i);
            put_list(b, lists[i]);
        }
}

static void make_hash(struct evs_plan *p)
{
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(16u << 20);
    char *sink = evs_sink_plain(p->sink);
    const char *texts[] = {p->topic,    p->partitions, p->from,      p->to,
                           p->since,    p->until,      p->isolation, evs_view_mode_name(p->mode),
                           p->group_by, p->value,      sink,         p->target,
                           p->key_type, p->value_type, p->count};
    evs_buf_printf(&b, "eventscope plan 1 %d", p->ignore_case);
    for (size_t i = 0; i < EVS_COUNT(texts); i++)
        put(&b, texts[i]);
    put_list(&b, &p->keys);
    put_list(&b, &p->greps);
    put_list(&b, &p->headers);
    put_list(&b, &p->jqs);
    put_not(&b, p);
    for (size_t i = 0; i < p->n_columns; i++) {
        put(&b, p->columns[i].name);
        put(&b, p->columns[i].type);
        put(&b, p->columns[i].expr);
    }
    XXH128_hash_t h = XXH3_128bits(b.data, b.len);
    snprintf(p->hash, sizeof(p->hash), "%016llx%016llx", (unsigned long long)h.high64,
             (unsigned long long)h.low64);
    evs_free(sink);
}

/* orders_view-7c41: the target, or the file or topic that the URL names, and the hash. */
static void derive_id(struct evs_plan *p)
{
    const char *base = p->target && *p->target ? p->target : evs_sink_rest(p->sink);
    const char *slash = strrchr(base, '/');
    if (slash && slash[1])
        base = slash + 1;
    if (!strcmp(base, "-"))
        base = "stdout";
    char *id = evs_xprintf("%.60s-%.4s", base, p->hash);
    for (char *c = id; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *c))
            *c = '_';
    evs_free(p->id);
    p->id = id;
}

void evs_plan_suggest(struct evs_plan *p)
{
    evs_free(p->sink);
    p->sink = evs_xprintf("sqlite:%s.db", p->topic);
    if (p->target && *p->target)
        return;
    evs_plan_set(&p->target, p->topic);
    for (char *c = p->target; *c; c++)
        if (*c == '.' || *c == '-')
            *c = '_';
}

static enum evs_rc no_sink(const struct evs_plan *p, struct evs_err *err)
{
    struct evs_plan like = {.topic = p->topic};
    evs_plan_suggest(&like);
    evs_fail(err, EVS_INVALID, "sink.url: no sink was given");
    evs_hint(err, "--sink %s --target %s", like.sink, like.target);
    evs_free(like.sink);
    evs_free(like.target);
    return err->code;
}

enum evs_rc evs_plan_check(struct evs_plan *p, struct evs_err *err)
{
    const struct evs_sink_ops *ops = NULL;
    struct evs_filter *filter = NULL;
    struct evs_project *project = NULL;
    if (!p->topic || !*p->topic)
        return evs_fail(err, EVS_INVALID, "source.topic: no topic was given");
    if (!p->sink || !*p->sink)
        return no_sink(p, err);
    if (evs_sink_find(p->sink, &ops, err))
        return evs_wrap(err, "sink.url");
    if ((ops->caps & EVS_SINK_TARGET) && !(p->target && *p->target))
        return evs_fail(err, EVS_INVALID, "sink.target: %s needs one (--target NAME)", ops->name);
    if (p->swap && !(ops->caps & EVS_SINK_SWAP))
        return evs_fail(err, EVS_INVALID, "sink.swap: %s cannot", ops->name);
    if (p->isolation && strcmp(p->isolation, "read_committed") &&
        strcmp(p->isolation, "read_uncommitted"))
        return evs_fail(err, EVS_INVALID,
                        "source.isolation: '%s' is not read_committed or "
                        "read_uncommitted",
                        p->isolation);
    if (parse_columns(p, err))
        return evs_wrap(err, "view.columns");
    enum evs_rc rc = check_mode(p, err);
    if (!rc)
        rc = check_run(p, err);
    if (!rc && evs_plan_filter(p, &filter, err))
        rc = evs_wrap(err, "keep");
    if (!rc && evs_project_new(p, &project, err))
        rc = evs_wrap(err, "view");
    evs_filter_free(filter);
    evs_project_free(project);
    if (rc)
        return rc;
    make_hash(p);
    if (!p->id)
        derive_id(p);
    return evs_sink_check_name("id", p->id, 120, err);
}

size_t evs_plan_terms(const struct evs_plan *p)
{
    return p->keys.n + p->greps.n + p->headers.n + p->jqs.n + p->not_keys.n + p->not_greps.n +
           p->not_headers.n + p->not_jqs.n;
}

/* --- for the engines ------------------------------------------------------------------------- */
enum evs_rc evs_plan_filter(const struct evs_plan *p, struct evs_filter **ret_f,
                            struct evs_err *err)
{
    const struct evs_plan_list *lists[] = {&p->keys,        &p->greps,    &p->headers,
                                           &p->jqs,         &p->not_keys, &p->not_greps,
                                           &p->not_headers, &p->not_jqs};
    size_t n = 0, all = evs_plan_terms(p);
    *ret_f = NULL;
    if (!all)
        return EVS_OK;
    struct evs_filter_term *terms = evs_xcalloc(all, sizeof(*terms));
    for (size_t k = 0; k < EVS_COUNT(lists); k++)
        for (size_t i = 0; i < lists[k]->n; i++)
            terms[n++] = (struct evs_filter_term){.kind = (enum evs_filter_kind)(k % KINDS),
                                                  .text = lists[k]->items[i],
                                                  .invert = k >= KINDS,
                                                  .ignore_case = p->ignore_case};
    enum evs_rc rc = evs_filter_new(terms, n, ret_f, err);
    evs_free(terms);
    return rc;
}

void evs_plan_range(const struct evs_plan *p, struct evs_range_spec *ret_spec)
{
    *ret_spec = (struct evs_range_spec){
        .partitions = p->partitions,
        .from = p->from,
        .to = p->to,
        .since = p->since,
        .until = p->until,
        .isolation = p->isolation && !strcmp(p->isolation, "read_uncommitted")
                         ? EVS_READ_UNCOMMITTED
                         : EVS_READ_COMMITTED,
    };
}

void evs_plan_view(const struct evs_plan *p, struct evs_shape_column *columns,
                   struct evs_shape *ret_view)
{
    for (size_t i = 0; i < p->n_columns; i++)
        columns[i] = (struct evs_shape_column){p->columns[i].name, p->columns[i].type};
    *ret_view = (struct evs_shape){
        .mode = p->mode,
        .topic = p->topic,
        .target = p->target ? p->target : "",
        .columns = columns,
        .n_columns = p->n_columns,
        .key_type = p->key_type,
        .value_type = p->value_type,
    };
}
