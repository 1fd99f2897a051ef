#include "lint/rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "lint/rules.h"

enum { EVIDENCE_CAP = 1 << 20, TEXT_LEN = 600 };

const struct evs_lint_rule *const evs_lint_rules[] = {
    &evs_lint_hot_key,      &evs_lint_split_key,   &evs_lint_mixed_partitioners,
    &evs_lint_mutable_key,  &evs_lint_no_key,      &evs_lint_global_order,
    &evs_lint_topic_name,   &evs_lint_timestamp,   &evs_lint_duplicate,
    &evs_lint_schema_drift, &evs_lint_oversized,   &evs_lint_tombstone,
    &evs_lint_replication,  &evs_lint_auto_commit, NULL,
};

const struct evs_lint_rule *evs_lint_find(const char *name)
{
    for (const struct evs_lint_rule *const *r = evs_lint_rules; *r; r++)
        if (!strcmp((*r)->name, name))
            return *r;
    return NULL;
}

static EVS_PRINTF(1, 0) char *text_of(const char *fmt, va_list ap)
{
    char text[TEXT_LEN];
    vsnprintf(text, sizeof(text), fmt, ap);
    return evs_xstrdup(text);
}

struct evs_jsonw *evs_lint_add(struct evs_lint_out *out, enum evs_severity severity,
                               int32_t partition, const char *fmt, ...)
{
    va_list ap;
    out->list = evs_xgrow(out->list, out->n + 1, sizeof(*out->list));
    struct evs_lint_finding *f = &out->list[out->n++];
    *f = (struct evs_lint_finding){.rule = out->rule,
                                   .severity = severity,
                                   .topic = evs_xstrdup(out->topic->name),
                                   .partition = partition};
    va_start(ap, fmt);
    f->text = text_of(fmt, ap);
    va_end(ap);
    out->evidence = (struct evs_buf)EVS_BUF_INIT(EVIDENCE_CAP);
    evs_jsonw_init(&out->w, &out->evidence);
    evs_jsonw_obj(&out->w, NULL);
    return &out->w;
}

void evs_lint_close(struct evs_lint_out *out, const char *fmt, ...)
{
    va_list ap;
    struct evs_lint_finding *f = &out->list[out->n - 1];
    evs_jsonw_end(&out->w);
    f->evidence = evs_buf_steal(&out->evidence);
    va_start(ap, fmt);
    f->advice = text_of(fmt, ap);
    va_end(ap);
}

void evs_lint_place(struct evs_jsonw *w, const char *name, int32_t partition, int64_t offset)
{
    evs_jsonw_obj(w, name);
    evs_jsonw_i64(w, "partition", partition);
    evs_jsonw_i64(w, "offset", offset);
    evs_jsonw_end(w);
}

static void put_fact(struct evs_jsonw *w, const struct evs_fact *f)
{
    if (f->null)
        evs_jsonw_null(w, f->name);
    else if (f->text)
        evs_jsonw_bytes(w, f->name, f->text, f->text_len);
    else if (f->integer)
        evs_jsonw_i64(w, f->name, (int64_t)f->number);
    else
        evs_jsonw_double(w, f->name, f->number);
}

void evs_lint_from_report(struct evs_lint_out *out, const char *kind)
{
    const struct evs_report *r = out->topic->report;
    for (size_t i = 0; r && i < r->n; i++) {
        const struct evs_finding *f = &r->finding[i];
        if (strcmp(f->kind, kind) != 0)
            continue;
        struct evs_jsonw *w = evs_lint_add(out, f->severity, -1, "%s", f->text);
        for (size_t k = 0; k < f->n_facts; k++)
            put_fact(w, &f->fact[k]);
        evs_jsonw_i64(w, "messages_seen", out->topic->seen);
        evs_lint_close(out, "%s", f->advice ? f->advice : "");
    }
}

/* --- ids -------------------------------------------------------------------------------------- */

static bool ends_in(const char *s, size_t n, const char *end)
{
    size_t m = strlen(end);
    return n >= m && !strncasecmp(s + n - m, end, m);
}

static bool is_id_name(const char *s, size_t n)
{
    static const char *const ends[] = {"id", "uuid", "number", "sku", "key"};
    static const char *const own[] = {"eventid",   "event_id",   "messageid",     "message_id",
                                      "traceid",   "trace_id",   "spanid",        "span_id",
                                      "requestid", "request_id", "correlationid", "correlation_id",
                                      "paid",      "valid"};
    for (size_t i = 0; i < EVS_COUNT(own); i++)
        if (n == strlen(own[i]) && !strncasecmp(s, own[i], n))
            return false;
    for (size_t i = 0; i < EVS_COUNT(ends); i++)
        if (ends_in(s, n, ends[i]))
            return true;
    return false;
}

const struct evs_json_node *evs_lint_id(const struct evs_json_tree *t, size_t i)
{
    if (!t->n || t->nodes[0].type != EVS_JSON_OBJECT || !t->nodes[0].size)
        return NULL;
    for (uint32_t k = 1; k; k = t->nodes[k].next) {
        const struct evs_json_node *node = &t->nodes[k];
        bool scalar = node->type == EVS_JSON_STRING || node->type == EVS_JSON_NUMBER;
        if (scalar && is_id_name(t->text + node->name + 1, node->name_len - 2) && i-- == 0)
            return node;
    }
    return NULL;
}

static bool number(const struct evs_json_tree *t, const struct evs_json_node *node, int64_t *ret_v)
{
    char text[32];
    struct evs_err err = EVS_ERR_INIT;
    if (!node)
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)(node->end - node->start), t->text + node->start);
    return !evs_num_i64(text, 0, INT64_MAX, ret_v, &err);
}

static bool place(const struct evs_json_tree *t, const struct evs_json_node *node,
                  int64_t *ret_partition, int64_t *ret_offset)
{
    return node && node->type == EVS_JSON_OBJECT &&
           number(t, evs_json_member(t, node, "partition"), ret_partition) &&
           number(t, evs_json_member(t, node, "offset"), ret_offset);
}

bool evs_lint_place_words(const struct evs_json_tree *t, const struct evs_json_node *node, char *to,
                          size_t size)
{
    int64_t partition, offset;
    char n[EVS_NUM_LEN];
    if (!place(t, node, &partition, &offset))
        return false;
    snprintf(to, size, "p%d @%s", (int)partition, evs_num_commas(n, offset));
    return true;
}

bool evs_lint_record(const struct evs_lint_finding *f, int32_t *ret_partition, int64_t *ret_offset)
{
    static const char *const names[] = {"example", "again", "first"};
    struct evs_json_tree t = {0};
    struct evs_err err = EVS_ERR_INIT;
    int64_t partition = 0, offset = 0;
    bool found = false;
    if (!evs_json_tree_read(&t, f->evidence, strlen(f->evidence), &err))
        for (size_t i = 0; !found && i < EVS_COUNT(names); i++)
            found = place(&t, evs_json_member(&t, t.nodes, names[i]), &partition, &offset);
    evs_json_tree_done(&t);
    if (!found)
        return false;
    *ret_partition = (int32_t)partition;
    *ret_offset = offset;
    return true;
}
