/* messages_row.c - one record or gap in cells. */
#include <stdio.h>
#include <string.h>

#include "ui/screens/messages.h"

static const struct evs_column cols[] = {
    {"P", 3, 6, 5, EVS_COL_RIGHT | EVS_COL_NOSORT, "exact", "partition"},
    {"OFFSET", 8, 19, 0, EVS_COL_RIGHT | EVS_COL_NOSORT | EVS_COL_COMPACT, "exact",
     "offset in its partition"},
    {"TIME", 12, 34, 3, EVS_COL_NOSORT, "exact", "the record's timestamp"},
    {"KEY", 6, 24, 7, EVS_COL_NOSORT | EVS_COL_GROW | EVS_COL_COMPACT, "exact", "the record's key"},
    {"SIZE", 5, 12, 2, EVS_COL_RIGHT | EVS_COL_NOSORT, "exact", "bytes of the value"},
    {"VALUE", 8, 400, 0, EVS_COL_NOSORT | EVS_COL_WIDE, "exact", "the start of the value"},
};

const struct evs_msg_row *messages_row(const struct messages *m, size_t model_row)
{
    const struct evs_messages_sn *sn = m->sn;
    if (!sn || !sn->n_rows)
        return NULL;
    int64_t at = m->first_seq + (int64_t)model_row - sn->rows[0].seq;
    if (at < 0)
        return NULL;
    if (at < sn->n_rows && sn->rows[at].seq == m->first_seq + (int64_t)model_row)
        return &sn->rows[at];
    for (int i = 0; i < sn->n_rows; i++) /* rows may be fewer than the numbers they span */
        if (sn->rows[i].seq == m->first_seq + (int64_t)model_row)
            return &sn->rows[i];
    return NULL;
}

const struct evs_msg_row *messages_current(const struct messages *m)
{
    size_t row = evs_table_row(m->as_lanes ? &m->lanes : &m->list);
    return row == SIZE_MAX ? NULL : messages_row(m, row);
}

static size_t count(const void *ctx)
{
    const struct messages *m = ctx;
    return m->sn && m->sn->n_loaded ? (size_t)(m->sn->last_seq - m->sn->first_seq + 1) : 0;
}

static uint64_t id(const void *ctx, size_t row)
{
    return (uint64_t)(((const struct messages *)ctx)->first_seq + (int64_t)row);
}

static void bytes_field(const void *p, size_t n, enum evs_role role, struct evs_field *f)
{
    f->p = p;
    f->n = n;
    f->role = role;
}

/* Binary as hex, as much as a cell can show. */
static void hex_field(const uint8_t *p, size_t n, struct evs_field *f)
{
    size_t at = 0;
    for (size_t i = 0; i < n && at + 4 < sizeof(f->text); i++)
        at += (size_t)snprintf(f->text + at, sizeof(f->text) - at, "%s%02x", i ? " " : "", p[i]);
    f->p = f->text;
    f->n = at;
    f->role = EVS_ROLE_TEXT;
}

static bool readable(const void *p, size_t n)
{
    size_t look = n < 256 ? n : 256;
    const uint8_t *b = p;
    size_t controls = 0;
    for (size_t i = 0; i < look; i++)
        controls += b[i] < 32 && b[i] != '\n' && b[i] != '\t' && b[i] != '\r';
    while (look && look < n && (b[look - 1] & 0xc0) == 0x80)
        look--; /* not through the middle of a character */
    if (look && look < n && (b[look - 1] & 0xc0) == 0xc0)
        look--;
    return controls * 8 <= look && evs_text_is_utf8(p, look);
}

void messages_key_field(const struct evs_event *ev, struct evs_field *f)
{
    if (!ev->key)
        evs_field_set(f, EVS_ROLE_NULL, "(null)");
    else if (!ev->key_len)
        evs_field_set(f, EVS_ROLE_NULL, "\"\"");
    else if (readable(ev->key, ev->key_len))
        bytes_field(ev->key, ev->key_len, EVS_ROLE_TEXT, f);
    else
        hex_field(ev->key, ev->key_len, f);
}

void messages_value_field(const struct messages *m, const struct evs_msg_row *r,
                          struct evs_field *f)
{
    const struct evs_event *ev = r->ev;
    if (!ev)
        evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(EVS_G_MORE));
    else if (!ev->value)
        evs_field_set(f, EVS_ROLE_NULL, "tombstone");
    else if (!ev->value_len)
        evs_field_set(f, EVS_ROLE_NULL, "\"\"");
    else if (m->view != MSG_HEX && readable(ev->value, ev->value_len))
        bytes_field(ev->value, ev->value_len < 2048 ? ev->value_len : 2048, EVS_ROLE_TEXT, f);
    else
        hex_field(ev->value, ev->value_len, f);
    if (r->aborted)
        f->role = EVS_ROLE_GAP;
}

static void size_field(const struct messages *m, int64_t size, struct evs_field *f)
{
    char num[EVS_NUM_LEN];
    if (size < 0) {
        evs_field_set(f, EVS_ROLE_NULL, evs_glyph(EVS_G_NONE));
        return;
    }
    if (evs_ui_exact(m->ui) || f->exact) {
        evs_field_set(f, EVS_ROLE_TEXT, evs_num_commas(num, size));
        return;
    }
    evs_num_bytes(num, (double)size); /* under SIZE without the B */
    size_t n = strlen(num);
    if (n && num[n - 1] == 'B')
        num[--n] = '\0';
    while (n && num[n - 1] == ' ')
        num[--n] = '\0';
    evs_field_set(f, EVS_ROLE_TEXT, num);
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct messages *m = ctx;
    const struct evs_msg_row *r = messages_row(m, row);
    char num[EVS_NUM_LEN];
    enum evs_role role = r && r->aborted ? EVS_ROLE_GAP : EVS_ROLE_TEXT;
    if (!r || r->kind == EVS_ROW_GAP) {
        if (!r && col == MSG_COL_OFFSET)
            evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(EVS_G_MORE));
        return;
    }
    switch (col) {
    case MSG_COL_P: evs_field_printf(f, role, "%d", r->partition); break;
    case MSG_COL_OFFSET: evs_field_set(f, role, evs_num_commas(num, r->offset)); break;
    case MSG_COL_TIME: evs_field_set(f, role, evs_ui_time(m->ui, num, r->ts_ms)); break;
    case MSG_COL_KEY:
        if (r->ev)
            messages_key_field(r->ev, f);
        if (r->aborted)
            f->role = EVS_ROLE_GAP;
        break;
    case MSG_COL_SIZE: size_field(m, r->value_size, f); break;
    default: messages_value_field(m, r, f); break;
    }
}

void messages_gap_words(const struct evs_msg_row *r, char *to, size_t size)
{
    char n[EVS_NUM_LEN], part[EVS_NUM_LEN];
    int64_t offsets = r->gap_to - r->offset;
    int at = snprintf(to, size, "%s offset%s", evs_num_commas(n, offsets), offsets == 1 ? "" : "s");
    if (at < 0 || (size_t)at >= size)
        return;
    bool split = r->gap_aborted > 0 && r->gap_hidden > 0;
    if (split) {
        char hidden[EVS_NUM_LEN];
        bool markers = r->gap_reason && strstr(r->gap_reason, "compact") == NULL;
        snprintf(to + at, size - (size_t)at, ": %s aborted, %s %s%s",
                 evs_num_commas(part, r->gap_aborted), evs_num_commas(hidden, r->gap_hidden),
                 markers ? "marker" : "compacted", markers && r->gap_hidden > 1 ? "s" : "");
    } else {
        snprintf(to + at, size - (size_t)at, ": %s",
                 r->gap_reason ? r->gap_reason : evs_glyph(EVS_G_MORE));
    }
}

/* A gap is one line over all columns, its first offset where offsets stand. */
static bool full_row(const void *ctx, size_t row, struct evs_view *v)
{
    const struct messages *m = ctx;
    const struct evs_msg_row *r = messages_row(m, row);
    if (!r || r->kind != EVS_ROW_GAP)
        return false;
    struct evs_table_layout l;
    char text[160], from[EVS_NUM_LEN], to[EVS_NUM_LEN];
    evs_table_layout(&m->list, v->cols, v->s->cols < 40 || v->s->rows < 10, &l);
    int end = 12, start = 2;
    for (int i = 0; i < l.n; i++)
        if (l.col[i] == MSG_COL_OFFSET)
            end = l.at[i] + l.width[i];
        else if (l.col[i] == MSG_COL_P && l.at[i] + l.width[i] < end) {
            start = l.at[i] + l.width[i];
            snprintf(text, sizeof(text), "%d", r->partition);
            struct evs_view p = evs_view_sub(v, 0, l.at[i], 1, l.width[i]);
            evs_view_right(&p, 0, p.cols, EVS_ROLE_GAP, text);
        }
    evs_num_commas(from, r->offset);
    evs_num_commas(to, r->gap_to - 1);
    struct evs_view left = evs_view_sub(v, 0, start, 1, end - start);
    evs_view_right(&left, 0, left.cols, EVS_ROLE_GAP, from);
    int at = end + 1;
    if (r->gap_to - r->offset > 1) {
        const char *tail = strlen(to) == strlen(from) && strlen(to) > 4 ? to + strlen(to) - 3 : to;
        at += evs_view_printf(v, 0, at, EVS_ROLE_GAP, "%s %s", evs_glyph(EVS_G_NONE), tail);
    }
    messages_gap_words(r, text, sizeof(text));
    evs_view_fit(v, 0, at + 2, v->cols - at - 2, EVS_ROLE_GAP, text, strlen(text), EVS_CUT_END);
    return true;
}

static bool col_hidden(const void *ctx, int col)
{
    const struct messages *m = ctx;
    return col == MSG_COL_P && (m->one_partition || (m->sn && m->sn->n_parts == 1));
}

const struct evs_table_ops messages_list_ops = {
    .cols = cols,
    .n_cols = EVS_COUNT(cols),
    .gap = 1,
    .count = count,
    .field = field,
    .id = id,
    .full_row = full_row,
    .col_hidden = col_hidden,
};
