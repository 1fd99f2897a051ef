/* messages_out.c - what leaves Messages: copies, files, the pager, the command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "browse/envelope.h"
#include "ui/screens/messages.h"

static const struct evs_event *event_of(const struct messages *m, const struct evs_msg_row *r)
{
    bool whole = m->sn->detail && m->sn->detail_offset == r->offset &&
                 m->sn->detail_partition == r->partition;
    return whole ? m->sn->detail : r->ev;
}

static void put_json(const struct messages *m, const struct evs_msg_row *r, struct evs_buf *out)
{
    struct evs_event ev = *event_of(m, r); /* headers of an owned event are loaded */
    evs_envelope_json(out, &ev, true);
}

static void put_headers(const struct evs_event *ev, struct evs_buf *out)
{
    for (int i = 0; i < ev->n_headers; i++) {
        evs_text_escape(out, ev->headers[i].name, ev->headers[i].name_len);
        evs_buf_adds(out, ": ");
        if (ev->headers[i].value)
            evs_text_escape(out, ev->headers[i].value, ev->headers[i].value_len);
        evs_buf_addc(out, '\n');
    }
}

bool messages_copy(const struct evs_screen *s, char what, struct evs_buf *out)
{
    const struct messages *m = messages_of(s);
    const struct evs_msg_row *r = messages_current(m);
    const struct evs_event *ev = r && r->kind == EVS_ROW_RECORD ? event_of(m, r) : NULL;
    if (!ev)
        return false;
    switch (what) {
    case 'k':
        if (ev->key)
            evs_text_escape(out, ev->key, ev->key_len);
        return ev->key != NULL;
    case 'v':
        if (ev->value)
            evs_text_escape(out, ev->value, ev->value_len);
        return ev->value != NULL;
    case 'b':
        if (ev->value)
            evs_buf_base64(out, ev->value, ev->value_len);
        return ev->value != NULL;
    case 'h': put_headers(ev, out); return ev->n_headers > 0;
    case 'o':
        return evs_buf_printf(out, "%s/%d/%lld", s->at.topic, r->partition, (long long)r->offset);
    case 'r': put_json(m, r, out); return true;
    default: return false;
    }
}

bool messages_save(const struct evs_screen *s, bool all, struct evs_buf *out)
{
    const struct messages *m = messages_of(s);
    const struct evs_msg_row *current = messages_current(m);
    bool marked = evs_table_marks(&m->list) > 0;
    for (int i = 0; m->sn && i < m->sn->n_rows; i++) {
        const struct evs_msg_row *r = &m->sn->rows[i];
        bool one =
            marked ? evs_table_marked(&m->list, (size_t)(r->seq - m->first_seq)) : r == current;
        if (r->kind != EVS_ROW_RECORD || !event_of(m, r) || (!all && !one))
            continue;
        put_json(m, r, out);
        evs_buf_addc(out, '\n');
    }
    return true;
}

void messages_pipe(struct messages *m)
{
    const struct evs_msg_row *r = messages_current(m);
    if (!r || r->kind != EVS_ROW_RECORD || !event_of(m, r))
        return;
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(64 << 20);
    put_json(m, r, &text);
    evs_buf_addc(&text, '\n');
    const char *pager = getenv("PAGER");
    evs_app_spawn(m->ui, pager && *pager ? pager : "less", NULL, evs_buf_str(&text), text.len);
}

bool messages_command_line(const struct evs_screen *s, struct evs_buf *out)
{
    const struct messages *m = messages_of(s);
    evs_buf_adds(out, "messages ");
    evs_shell_word(out, s->at.topic);
    if (!m->search.partitions && !m->search.every && s->at.partition >= 0)
        evs_buf_printf(out, " -p %d", s->at.partition);
    else if (m->home >= 0)
        evs_buf_printf(out, " -p %d", m->home);
    if (!m->search.from && m->from[0])
        evs_buf_printf(out, " -o %s", m->from);
    evs_search_options(&m->search, out);
    if (m->isolation == EVS_READ_UNCOMMITTED)
        evs_buf_adds(out, " --isolation read_uncommitted");
    if (m->follow)
        evs_buf_adds(out, " --follow");
    return true;
}
