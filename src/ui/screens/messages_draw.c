/* messages_draw.c - the panes of Messages: list or lanes, and the detail beside or below. */
#include <stdio.h>

#include "ui/screens/messages.h"

enum { SIDE_COLS = 110, STACK_ROWS = 18 };

void messages_lay_out(const struct evs_screen *s, const struct evs_view *v,
                      struct messages_panes *p)
{
    const struct messages *m = messages_of(s);
    int title = v->rows >= 6;
    bool room = v->cols >= SIDE_COLS || v->rows >= STACK_ROWS;
    bool both = !s->zoom && !m->as_lanes && room && v->rows >= 6;
    *p = (struct messages_panes){.list_shown = both || !m->on_detail,
                                 .detail_shown = both || m->on_detail,
                                 .side = both && v->cols >= SIDE_COLS};
    p->list = p->detail = *v;
    if (p->side) {
        int left = v->cols * 53 / 100;
        p->list = evs_view_sub(v, 0, 0, v->rows, left);
        p->detail = evs_view_sub(v, 0, left + 3, v->rows, v->cols - left - 3);
    } else if (both) {
        int top = v->rows * 55 / 100;
        p->list = evs_view_sub(v, 0, 0, top, v->cols);
        p->detail = evs_view_sub(v, top, 0, v->rows - top, v->cols);
    }
    p->list_rows = p->list.rows - title;
    p->detail_rows = p->detail.rows - title;
}

void messages_fit(struct evs_screen *s)
{
    struct messages *m = messages_of(s);
    struct messages_panes p;
    struct evs_view v = {&s->ui->surface, 0, 0, s->rows, s->cols, EVS_ROLE_N};
    messages_lay_out(s, &v, &p);
    evs_table_resize(&m->list, p.list_rows);
    messages_lanes_setup(m, p.list.cols);
    evs_table_resize(&m->lanes, p.list_rows);
    evs_pager_resize(&m->detail, p.detail_rows);
    if (p.detail_shown && p.detail.cols != m->detail_cols)
        m->detail_seq = INT64_MIN; /* lines of hex are as wide as the pane */
    m->detail_cols = p.detail.cols;
}

static void draw_empty(const struct messages *m, struct evs_view *v)
{
    char read[EVS_NUM_LEN];
    const struct evs_messages_sn *sn = m->sn;
    if (sn && sn->error) {
        int rows = evs_view_wrap(v, 1, 2, 4, EVS_ROLE_BAD, sn->error);
        if (sn->hint)
            evs_view_wrap(v, 1 + rows, 2, 2, EVS_ROLE_TEXT_STRONG, sn->hint);
    } else if (!sn || sn->state == EVS_MESSAGES_LOADING) {
        evs_view_printf(v, 1, 2, EVS_ROLE_TEXT_DIM, "reading %s %s",
                        m->screen->at.partition >= 0 ? "the partition" : "the topic",
                        evs_glyph(EVS_G_MORE));
    } else if (messages_filtered(m) && sn->state != EVS_MESSAGES_SEARCHING) {
        evs_num_commas(read, sn->read_records);
        char text[160];
        snprintf(text, sizeof(text), "0 of %s kept. Esc clears the filter%s%s.", read,
                 sn->state == EVS_MESSAGES_STOPPED ? "; c reads further" : "",
                 m->home >= 0 ? "; p:all also reads the other partitions" : "");
        evs_view_wrap(v, 1, 2, 3, EVS_ROLE_TEXT, text);
    } else if (!messages_filtered(m)) {
        evs_view_wrap(v, 1, 2, 3, EVS_ROLE_TEXT,
                      "No record in this window. @ changes it; F waits for the next one.");
    }
}

static void draw_list(const struct evs_screen *s, struct messages_panes *p)
{
    struct messages *m = messages_of(s);
    struct evs_view at = p->list;
    bool titled = p->list_rows < p->list.rows;
    if (titled) {
        evs_view_rule(&at, 0,
                      m->as_lanes               ? "lanes"
                      : m->layout == MSG_MERGED ? "messages by time"
                                                : "messages",
                      NULL, !m->on_detail);
        at = evs_view_sub(&p->list, 1, 0, p->list.rows - 1, p->list.cols);
    }
    struct evs_table t = *messages_table(m);
    t.focused = !m->on_detail;
    evs_table_draw(&t, &at);
    if (!t.n)
        draw_empty(m, &at);
}

void messages_draw(const struct evs_screen *s, struct evs_view *v)
{
    struct messages *m = messages_of(s);
    struct messages_panes p;
    messages_lay_out(s, v, &p);
    if (p.list_shown)
        draw_list(s, &p);
    for (int r = 0; p.side && r < v->rows; r++)
        evs_view_glyph(v, r, p.list.cols + 1, EVS_ROLE_PANE_RULE, EVS_G_SPLIT);
    if (!p.detail_shown)
        return;
    struct evs_view at = p.detail;
    if (p.detail_rows < p.detail.rows) {
        evs_view_rule(&at, 0, "detail", messages_view_name(m->view), m->on_detail);
        at = evs_view_sub(&p.detail, 1, 0, p.detail.rows - 1, p.detail.cols);
    }
    struct evs_pager pager = m->detail;
    pager.focused = m->on_detail;
    evs_pager_draw(&pager, &at);
}
