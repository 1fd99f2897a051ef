/* messages_search.c - the search entry: what to keep, where to read, and the cost before it is
 * paid. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "ui/screens/messages.h"

enum { REST_MS = 200, ROWS = 7 };

struct entry {
    struct evs_overlay overlay; /* first */
    struct messages *m;
    struct evs_edit what, where;
    bool on_where;
    char what_says[EVS_PROMPT_SAY], where_says[EVS_PROMPT_SAY];
    bool what_bad, where_bad;
    struct evs_key_home home; /* of an exact key */
    bool homed;
};

static int rows(const struct evs_overlay *o, int max)
{
    (void)o;
    return max < ROWS ? max : ROWS;
}

static void plan(struct entry *e)
{
    struct evs_search *s = evs_xcalloc(1, sizeof(*s));
    struct evs_err err = EVS_ERR_INIT;
    evs_search_init(s);
    e->what_bad = evs_search_parse(s, e->what.text, &err) || evs_search_check(s, &err);
    snprintf(e->what_says, sizeof(e->what_says), "%.150s", e->what_bad ? err.msg : "valid");
    size_t terms = s->n_terms;
    e->where_bad = evs_search_parse(s, e->where.text, &err);
    if (!e->where_bad && s->n_terms > terms)
        e->where_bad = evs_fail(&err, EVS_INVALID, "only since: until: p: o: n: here");
    snprintf(e->where_says, sizeof(e->where_says), "%.150s", e->where_bad ? err.msg : "valid");
    if (!e->what_bad && !e->where_bad) {
        char partition[16];
        const struct evs_place *at = &e->m->screen->at;
        snprintf(partition, sizeof(partition), "%d", at->partition);
        bool here = !s->partitions && at->partition >= 0 && !s->every;
        e->homed = !here && messages_key_home(e->m, s, &e->home);
        if (e->homed)
            snprintf(partition, sizeof(partition), "%d", e->home.partition);
        here = here || e->homed;
        struct evs_messages_query q = {.partitions = here ? partition : s->partitions,
                                       .from = s->from ? s->from : "beginning",
                                       .since = s->since,
                                       .until = s->until,
                                       .terms = s->terms,
                                       .n_terms = s->n_terms,
                                       .isolation = e->m->isolation};
        evs_messages_plan(e->m->session, &q);
    }
    evs_free(s);
}

static void draw_field(struct evs_view *v, int row, const char *label, const struct evs_edit *edit,
                       bool focused, const char *says, bool bad)
{
    struct evs_view band = evs_view_band(v, row, 1, EVS_ROLE_PROMPT);
    int right = (int)evs_text_width(says, strlen(says));
    right = right > v->cols / 2 ? v->cols / 2 : right;
    evs_view_text(&band, 0, 1, focused ? EVS_ROLE_PANE_FOCUS : EVS_ROLE_PROMPT, label);
    evs_edit_draw(edit, &band, 0, 8, v->cols - 10 - right, EVS_ROLE_PROMPT, focused);
    evs_view_fit(&band, 0, v->cols - 1 - right, right,
                 bad ? EVS_ROLE_PROMPT_BAD : EVS_ROLE_PROMPT_OK, says, strlen(says), EVS_CUT_END);
}

static void draw_cost(const struct entry *e, struct evs_view *v, int row)
{
    const struct evs_messages_sn *sn = e->m->sn;
    char n[EVS_NUM_LEN], bytes[EVS_NUM_LEN], time[EVS_NUM_LEN], from[EVS_NUM_LEN], to[EVS_NUM_LEN];
    if (e->what_bad || e->where_bad || !sn)
        return;
    if (sn->plan_error) {
        evs_view_fit(v, row, 1, v->cols - 2, EVS_ROLE_BAD, sn->plan_error, strlen(sn->plan_error),
                     EVS_CUT_END);
        return;
    }
    if (!sn->plan || !sn->plan->n) {
        evs_view_printf(v, row, 1, EVS_ROLE_TEXT_DIM, "resolving the window %s",
                        evs_glyph(EVS_G_MORE));
        return;
    }
    const struct evs_range *first = &sn->plan->parts[0];
    if (sn->plan->n == 1)
        evs_view_printf(v, row, 1, EVS_ROLE_TEXT, "p%d   %s  %s  %s", first->partition,
                        evs_num_commas(from, first->from), evs_glyph(EVS_G_ARROW),
                        evs_num_commas(to, first->to));
    else
        evs_view_printf(v, row, 1, EVS_ROLE_TEXT, "%zu partitions   p%d from %s, ...", sn->plan->n,
                        first->partition, evs_num_commas(from, first->from));
    evs_view_printf(v, row + 1, 1, EVS_ROLE_TEXT, "%s messages at most%s%s%s%s",
                    evs_num_commas(n, sn->plan_span), sn->plan_bytes >= 0 ? ", about " : "",
                    sn->plan_bytes >= 0 ? evs_num_bytes(bytes, (double)sn->plan_bytes) : "",
                    sn->plan_ms >= 0 ? ", about " : "",
                    sn->plan_ms >= 0 ? evs_num_ago(time, sn->plan_ms) : "");
}

static void draw_entry(const struct evs_overlay *o, struct evs_view *above, struct evs_view *status)
{
    const struct entry *e = (const struct entry *)o;
    char title[300];
    snprintf(title, sizeof(title), "search %.250s", e->m->screen->at.topic);
    evs_view_rule(above, 0, title, NULL, true);
    if (above->rows > 2) {
        draw_field(above, 1, "what", &e->what, !e->on_where, e->what_says, e->what_bad);
        draw_field(above, 2, "where", &e->where, e->on_where, e->where_says, e->where_bad);
    }
    if (e->homed && !e->what_bad && !e->where_bad)
        evs_view_printf(
            above, 3, 1, EVS_ROLE_TEXT,
            "Reads p%d only: the %zu keys at hand follow %s, which puts this key there. "
            "Write p:all for all.",
            e->home.partition, e->home.seen, e->home.partitioner);
    draw_cost(e, above, 4);
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(8192);
    struct evs_search *s = evs_xcalloc(1, sizeof(*s));
    struct evs_err err = EVS_ERR_INIT;
    evs_search_init(s);
    evs_buf_adds(&line, "eventscope messages ");
    evs_shell_word(&line, e->m->screen->at.topic);
    if (!evs_search_parse(s, e->what.text, &err) && !evs_search_parse(s, e->where.text, &err))
        evs_search_options(s, &line);
    evs_view_fit(status, 0, 1, status->cols - 10, EVS_ROLE_STATUS, evs_buf_str(&line), line.len,
                 EVS_CUT_END);
    evs_view_right(status, 0, status->cols - 1, EVS_ROLE_STATUS, "(C-y)");
    evs_free(s);
}

static bool run(struct entry *e)
{
    struct messages *m = e->m;
    struct evs_ui *ui = e->overlay.ui;
    plan(e);
    if (e->what_bad || e->where_bad) {
        e->on_where = !e->what_bad;
        return true;
    }
    struct evs_err err = EVS_ERR_INIT;
    snprintf(m->what, sizeof(m->what), "%s", e->what.text);
    snprintf(m->where, sizeof(m->where), "%s", e->where.text);
    evs_history_add(e->what.history, e->what.text);
    evs_history_add(e->where.history, e->where.text);
    evs_app_close_overlay(ui); /* e is gone */
    evs_search_init(&m->search);
    if (evs_search_parse(&m->search, m->what, &err) || evs_search_parse(&m->search, m->where, &err))
        evs_ui_fail(ui, &err);
    m->from[0] = '\0';
    m->follow = false;
    messages_requery(m);
    return true;
}

static void copy_line(const struct entry *e)
{
    struct evs_search *s = evs_xcalloc(1, sizeof(*s));
    struct evs_err err = EVS_ERR_INIT;
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(8192);
    evs_search_init(s);
    evs_buf_adds(&line, "eventscope messages ");
    evs_shell_word(&line, e->m->screen->at.topic);
    if (!evs_search_parse(s, e->what.text, &err) && !evs_search_parse(s, e->where.text, &err))
        evs_search_options(s, &line);
    evs_ui_copy(e->overlay.ui, evs_buf_str(&line), line.len);
    evs_free(s);
}

static bool key(struct evs_overlay *o, int k)
{
    struct entry *e = (struct entry *)o;
    switch (k) {
    case EVS_KEY_ESC: return false;
    case EVS_KEY_ENTER: return run(e);
    case EVS_KEY_TAB:
    case EVS_KEY_BACKTAB: e->on_where = !e->on_where; return true;
    case EVS_KEY_CTRL('y'): copy_line(e); return true;
    default: break;
    }
    if (evs_edit_key(e->on_where ? &e->where : &e->what, k))
        plan(e);
    return true;
}

static void close_entry(struct evs_overlay *o)
{
    evs_free(o);
}

void messages_search_open(struct messages *m)
{
    struct entry *e = evs_xcalloc(1, sizeof(*e));
    char name[300];
    e->overlay =
        (struct evs_overlay){.rows = rows,
                             .draw = draw_entry,
                             .key = key,
                             .close = close_entry,
                             .hints = "Enter search  Tab next line  Up history  C-u clear  "
                                      "C-y copy the command  Esc cancel"};
    e->m = m;
    snprintf(name, sizeof(name), "search %.280s", m->screen->at.topic);
    evs_edit_init(&e->what, m->what, evs_history_of(&m->ui->histories, name));
    evs_edit_init(&e->where, m->where, evs_history_of(&m->ui->histories, "where"));
    evs_app_overlay(m->ui, &e->overlay);
    plan(e);
}
