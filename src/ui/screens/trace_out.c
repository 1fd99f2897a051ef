/* trace_out.c - what of a trace is copied, saved, and printed as a command. */
#include <string.h>

#include "browse/envelope.h"
#include "core/jsonw.h"
#include "ui/screens/trace_int.h"

static const struct evs_event *current(const struct trace *t)
{
    size_t row = t->sn ? evs_table_row(&t->table) : SIZE_MAX;
    return row == SIZE_MAX ? NULL : t->sn->events[row].ev;
}

static void print_state(const struct trace *t, size_t i, struct evs_buf *out)
{
    struct evs_json *before, *after;
    struct evs_err why;
    evs_trace_state_at(t, i, &before, &after, &why);
    if (after)
        evs_json_print(after, out);
    else
        evs_buf_adds(out, "null");
    evs_json_free(before);
    evs_json_free(after);
}

bool evs_trace_copy(const struct evs_screen *s, char what, struct evs_buf *out)
{
    const struct trace *t = s->state;
    const struct evs_event *ev = current(t);
    struct evs_event loaded;
    if (!ev)
        return false;
    loaded = *ev;
    switch (what) {
    case 'k': return evs_buf_add(out, ev->key ? ev->key : "", ev->key_len);
    case 'v': return evs_buf_add(out, ev->value ? ev->value : "", ev->value_len);
    case 'o':
        return evs_buf_printf(out, "%s/%d/%lld", ev->topic, (int)ev->partition,
                              (long long)ev->offset);
    case 'r': evs_envelope_json(out, &loaded, false); return true;
    case 'b': return evs_buf_base64(out, ev->value, ev->value_len);
    case 'y':
        if (t->folded && t->rule != EVS_FOLD_NONE)
            print_state(t, evs_table_row(&t->table), out);
        return out->len > 0;
    default: return false;
    }
}

/* As the command's JSON lines: the event, its step and the state after it. */
static void put_line(const struct trace *t, size_t i, struct evs_buf *out)
{
    EVS_AUTO(evs_buf) struct evs_buf state = EVS_BUF_INIT(64 << 20);
    struct evs_event ev = *t->sn->events[i].ev;
    struct evs_jsonw w;
    evs_jsonw_init(&w, out);
    evs_jsonw_obj(&w, NULL);
    evs_envelope_members(&w, &ev, false);
    evs_jsonw_i64(&w, "step", (int64_t)i + 1);
    if (t->folded && t->rule != EVS_FOLD_NONE && t->folded->rule == t->rule) {
        print_state(t, i, &state);
        evs_jsonw_raw(&w, "state", evs_buf_str(&state), state.len);
    }
    evs_jsonw_end(&w);
    evs_buf_addc(out, '\n');
}

bool evs_trace_save(const struct evs_screen *s, bool all, struct evs_buf *out)
{
    const struct trace *t = s->state;
    size_t row = t->sn ? evs_table_row(&t->table) : SIZE_MAX;
    for (size_t i = 0; t->sn && i < t->sn->n; i++)
        if (all || i == row || evs_table_marked(&t->table, i))
            put_line(t, i, out);
    return out->len > 0;
}

bool evs_trace_command_line(const struct evs_screen *s, struct evs_buf *out)
{
    const struct trace *t = s->state;
    EVS_AUTO(evs_buf) struct evs_buf key = EVS_BUF_INIT(65536);
    const uint8_t *p = s->at.key ? s->at.key : (const void *)s->at.text;
    size_t n = s->at.key ? s->at.key_len : strlen(s->at.text);
    bool plain = n > 0;
    for (size_t i = 0; i < n; i++)
        plain &= p[i] > ' ' && p[i] < 0x7f && !strchr("'\"\\$`!*?[](){}<>|&;#~", p[i]);
    if (plain)
        evs_buf_add(&key, p, n);
    else
        evs_buf_adds(&key, "hex:");
    for (size_t i = 0; !plain && i < n; i++)
        evs_buf_printf(&key, "%02x", p[i]);
    evs_buf_printf(out, "trace %s %s --state", s->at.topic, evs_buf_str(&key));
    if (t->rule != EVS_FOLD_MAP)
        evs_buf_printf(out, " --fold %s", evs_fold_rule_name(t->rule));
    if (t->all)
        evs_buf_adds(out, " --all-partitions");
    if (t->uncommitted)
        evs_buf_adds(out, " --isolation read_uncommitted");
    evs_trace_ask_options(&t->ask, out);
    return true;
}
