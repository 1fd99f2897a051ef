/* messages_detail.c - one record in full: coordinates, headers, key and its partition, value. */
#include <stdio.h>
#include <string.h>

#include "browse/topics.h"
#include "decode/decoder.h"
#include "decode/wire.h"
#include "stats/partitioner.h"
#include "ui/screens/messages.h"

const char *messages_view_name(enum msg_value_view v)
{
    static const char *const names[MSG_VIEWS] = {"pretty", "raw", "hex", "wire fields"};
    return names[v];
}

static void put_place(struct messages *m, const struct evs_msg_row *r)
{
    char offset[EVS_NUM_LEN], time[EVS_NUM_LEN];
    evs_pager_printf(&m->detail, EVS_ROLE_TEXT_STRONG, "p%d @ %s   %s %s%s", r->partition,
                     evs_num_commas(offset, r->offset), evs_tstype_name(r->tstype),
                     evs_ui_time(m->ui, time, r->ts_ms), r->aborted ? "   aborted" : "");
}

static void put_bytes(struct evs_buf *line, const void *p, size_t n)
{
    if (!p)
        evs_buf_adds(line, "(null)");
    else if (!n)
        evs_buf_adds(line, "\"\"");
    else
        evs_text_escape(line, p, n < 4096 ? n : 4096);
}

static void put_headers(struct messages *m, const struct evs_event *ev)
{
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(1 << 20);
    evs_buf_printf(&line, "headers %d", ev->n_headers);
    for (int i = 0; i < ev->n_headers; i++) {
        const struct evs_header *h = &ev->headers[i];
        if (line.len > 60) { /* the next line, aligned under the first name */
            evs_pager_add(&m->detail, EVS_ROLE_TEXT, evs_buf_str(&line), line.len);
            evs_buf_reset(&line);
            evs_buf_adds(&line, "         ");
        }
        evs_buf_adds(&line, "   ");
        put_bytes(&line, h->name, h->name_len);
        evs_buf_addc(&line, ' ');
        put_bytes(&line, h->value, h->value_len);
    }
    evs_pager_add(&m->detail, EVS_ROLE_TEXT, evs_buf_str(&line), line.len);
}

/* Which of the known partitioners puts this key here. */
static void put_partitioner(const struct messages *m, const struct evs_event *ev,
                            struct evs_buf *line)
{
    const struct evs_topic_row *topic = evs_data_topic(m->ui, m->screen->at.topic);
    if (!topic || topic->partitions < 2 || !ev->key)
        return;
    for (int i = 0; i < EVS_PARTITIONERS; i++) {
        const struct evs_partitioner *p = evs_partitioners[i];
        if (evs_partitioner_of(p, ev->key, ev->key_len, topic->partitions) != ev->partition)
            continue;
        evs_buf_printf(line, "   %s %s p%d %s", p->name, evs_glyph(EVS_G_ARROW), ev->partition,
                       evs_glyph(EVS_G_OK));
        return;
    }
    int32_t at =
        evs_partitioner_of(&evs_partitioner_murmur2, ev->key, ev->key_len, topic->partitions);
    evs_buf_printf(line, "   %s no known partitioner puts it here (murmur2: p%d)",
                   evs_glyph(EVS_G_NO), at);
}

static void put_numbers(const struct evs_event *ev, struct evs_buf *line)
{
    const uint8_t *b = ev->key;
    if (!b || (ev->key_len != 4 && ev->key_len != 8) || evs_text_is_utf8(b, ev->key_len))
        return;
    uint64_t v = 0;
    for (size_t i = 0; i < ev->key_len; i++)
        v = v << 8 | b[i];
    int64_t signed_v = ev->key_len == 4 ? (int32_t)(uint32_t)v : (int64_t)v;
    evs_buf_printf(line, "   %lld as integer", (long long)signed_v);
}

static void put_key(struct messages *m, const struct evs_event *ev)
{
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(1 << 20);
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(1 << 20);
    struct evs_decoded d;
    if (!ev->key) {
        evs_pager_printf(&m->detail, EVS_ROLE_TEXT, "key    (null)");
        return;
    }
    evs_decode(NULL, ev->key, ev->key_len, &text, &d);
    /* A bare number or word is text to whoever made the key. */
    bool plain = !strcmp(d.decoder->name, "json") && !memchr("{[", *evs_buf_str(&text), 2);
    evs_buf_printf(&line, "key    %zu B  %s   ", ev->key_len, plain ? "text" : d.decoder->name);
    evs_text_escape(&line, evs_buf_str(&text), text.len < 4096 ? text.len : 4096);
    put_numbers(ev, &line);
    put_partitioner(m, ev, &line);
    evs_pager_add(&m->detail, EVS_ROLE_TEXT, evs_buf_str(&line), line.len);
}

static bool put_wire(struct messages *m, const struct evs_event *ev)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(16 << 20);
    struct evs_err err = EVS_ERR_INIT;
    if (evs_wire_text(ev->value, ev->value_len, &text, &err)) {
        evs_pager_printf(&m->detail, EVS_ROLE_WARN, "%s: shown as hex", err.msg);
        return false;
    }
    evs_pager_add(&m->detail, EVS_ROLE_TEXT, evs_buf_str(&text), text.len);
    return true;
}

/* The next way to show the value; wire fields only where there are any. */
void messages_next_view(struct messages *m)
{
    const struct evs_msg_row *r = messages_current(m);
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(16 << 20);
    struct evs_err unused = EVS_ERR_INIT;
    m->view = (enum msg_value_view)((m->view + 1) % MSG_VIEWS);
    if (m->view == MSG_WIRE && (!r || !r->ev || !r->ev->value ||
                                evs_wire_text(r->ev->value, r->ev->value_len, &text, &unused)))
        m->view = MSG_PRETTY;
    m->detail_seq = INT64_MIN;
}

/* Who came for this record sees the byte where it breaks off. */
static void put_broken(struct messages *m, const struct evs_event *ev, size_t at)
{
    size_t first = m->detail.n;
    size_t line = first + at / evs_pager_hex(&m->detail, ev->value, ev->value_len, m->detail_cols);
    m->detail.cursor = line < m->detail.n ? line : m->detail.n - 1;
    m->detail.top = line > (size_t)m->detail.page / 2 ? line - (size_t)m->detail.page / 2 : 0;
    evs_pager_resize(&m->detail, m->detail.page);
}

static void put_body(struct messages *m, const struct evs_event *ev, bool cut,
                     const struct evs_buf *text, const struct evs_decoded *d)
{
    if (m->for_detail && m->view == MSG_PRETTY && d->why[0] && ev->value_len && !cut) {
        put_broken(m, ev, d->at);
        return;
    }
    if (m->view == MSG_WIRE && put_wire(m, ev))
        return;
    if (m->view == MSG_HEX || m->view == MSG_WIRE || !strcmp(d->decoder->name, "hex"))
        (void)evs_pager_hex(&m->detail, ev->value, ev->value_len, m->detail_cols);
    else if (m->view == MSG_RAW)
        evs_pager_add(&m->detail, EVS_ROLE_TEXT, ev->value, ev->value_len);
    else if (d->decoder->is_json)
        evs_pager_json(&m->detail, evs_buf_str(text), text->len);
    else
        evs_pager_add(&m->detail, EVS_ROLE_TEXT, evs_buf_str(text), text->len);
}

static void put_value(struct messages *m, const struct evs_event *ev, int64_t whole)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(256 << 20);
    struct evs_decoded d;
    char size[EVS_NUM_LEN];
    if (!ev->value) {
        evs_pager_printf(&m->detail, EVS_ROLE_TEXT, "value  tombstone: deletes this key");
        return;
    }
    const char *shown;
    bool cut = (int64_t)ev->value_len < whole;
    evs_decode(NULL, ev->value, ev->value_len, &text, &d);
    evs_num_bytes(size, (double)whole);
    shown = m->for_detail && m->view == MSG_PRETTY ? "hex" : d.decoder->name;
    if (cut)
        evs_pager_printf(&m->detail, EVS_ROLE_WARN,
                         "value  %s   the first %d kB shown: Enter loads %s", size,
                         EVS_MESSAGES_PREVIEW >> 10, size);
    else if (d.why[0])
        evs_pager_printf(&m->detail, EVS_ROLE_WARN, "value  %s   %s: shown as %s", size, d.why,
                         shown);
    else
        evs_pager_printf(&m->detail, EVS_ROLE_TEXT, "value  %s  %s", size, d.decoder->name);
    put_body(m, ev, cut, &text, &d);
    if (!cut && (m->fetching >= 0 || m->for_detail)) { /* "loading" is over */
        evs_ui_say(m->ui, EVS_ROLE_WARN, "%s%s%s", d.why, d.why[0] ? ": shown as " : "",
                   d.why[0] ? shown : "");
        m->fetching = -1;
    }
}

static void put_gap(struct messages *m, const struct evs_msg_row *r)
{
    char words[160], from[EVS_NUM_LEN], to[EVS_NUM_LEN];
    messages_gap_words(r, words, sizeof(words));
    bool one = r->gap_to == r->offset + 1;
    evs_pager_printf(&m->detail, EVS_ROLE_TEXT_STRONG, "p%d @ %s%s%s%s%s", r->partition,
                     evs_num_commas(from, r->offset), one ? "" : " ",
                     one ? "" : evs_glyph(EVS_G_NONE), one ? "" : " ",
                     one ? "" : evs_num_commas(to, r->gap_to - 1));
    evs_pager_printf(&m->detail, EVS_ROLE_TEXT, "%s", words);
    if (r->gap_aborted > 0 && m->isolation == EVS_READ_COMMITTED)
        evs_pager_printf(&m->detail, EVS_ROLE_TEXT_DIM, "i shows the aborted records.");
    if (r->gap_hidden > 0)
        evs_pager_printf(&m->detail, EVS_ROLE_TEXT_DIM,
                         "No reader is given markers or what was\n"
                         "compacted away.");
}

/* What stands under the cursor changed, or its body came. */
void messages_detail_update(struct messages *m)
{
    const struct evs_msg_row *r = messages_current(m);
    const struct evs_messages_sn *sn = m->sn;
    bool whole =
        r && sn->detail && sn->detail_offset == r->offset && sn->detail_partition == r->partition;
    int64_t seq = r ? r->seq : INT64_MIN;
    bool same = seq == m->detail_seq && m->detail_list == m->list_id;
    if (same && m->detail.n && (!whole || m->detail_whole))
        return;
    if (!same)
        m->fetching = -1;
    evs_pager_reset(&m->detail);
    m->detail_seq = seq;
    m->detail_list = m->list_id;
    m->detail_whole = whole;
    if (!r)
        return;
    if (r->kind == EVS_ROW_GAP) {
        put_gap(m, r);
        return;
    }
    put_place(m, r);
    if (!r->ev && !whole) {
        m->detail_seq = INT64_MIN; /* again when the body is back */
        evs_pager_printf(&m->detail, EVS_ROLE_TEXT_DIM, "reading it again %s",
                         evs_glyph(EVS_G_MORE));
        return;
    }
    const struct evs_event *ev = whole ? sn->detail : r->ev;
    put_headers(m, ev);
    put_key(m, ev);
    put_value(m, ev, r->value_size);
}
