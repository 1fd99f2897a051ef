#include "decode/kind.h"

#include <stdio.h>
#include <string.h>

#include "core/text.h"

enum { RAW_CAP = 4096, COLS = 20 };

static void from_headers(const struct evs_event *ev, struct evs_buf *to)
{
    static const char *const names[] = {"ce_type",   "type",       "event-type",
                                        "eventType", "event_type", "__TypeId__"};
    for (size_t k = 0; !to->len && k < EVS_COUNT(names); k++)
        for (int i = 0; i < ev->n_headers; i++)
            if (ev->headers[i].name_len == strlen(names[k]) && ev->headers[i].value &&
                !memcmp(ev->headers[i].name, names[k], ev->headers[i].name_len)) {
                evs_buf_reset(to);
                evs_buf_add(to, ev->headers[i].value, ev->headers[i].value_len);
            }
}

static void from_json(const struct evs_json_tree *t, struct evs_buf *to)
{
    static const char *const names[] = {"type", "eventType", "event_type", "event",
                                        "kind", "op",        "action",     "status"};
    for (size_t i = 0; t->n && i < EVS_COUNT(names); i++) {
        const struct evs_json_node *node = evs_json_member(t, t->nodes, names[i]);
        if (!node || node->type != EVS_JSON_STRING)
            continue;
        evs_json_unquote(to, t->text + node->start, node->end - node->start);
        return;
    }
}

void evs_event_kind_of(const struct evs_event *ev, const struct evs_json_tree *json, char *to,
                       size_t n)
{
    EVS_AUTO(evs_buf) struct evs_buf raw = EVS_BUF_INIT(RAW_CAP), text = EVS_BUF_INIT(RAW_CAP);
    if (!ev->value) {
        snprintf(to, n, "(delete)");
        return;
    }
    from_headers(ev, &raw);
    if (!raw.len && json)
        from_json(json, &raw);
    evs_text_fit(&text, evs_buf_str(&raw), raw.len, COLS, EVS_CUT_END);
    snprintf(to, n, "%s", evs_buf_str(&text));
}

void evs_event_kind(const struct evs_event *ev, char *to, size_t n)
{
    struct evs_json_tree tree = {0};
    struct evs_err err = EVS_ERR_INIT;
    bool object = ev->value && ev->value_len && *(const char *)ev->value == '{' &&
                  !evs_json_tree_read(&tree, ev->value, ev->value_len, &err);
    evs_event_kind_of(ev, object ? &tree : NULL, to, n);
    evs_json_tree_done(&tree);
}
