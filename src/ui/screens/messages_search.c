/* messages_search.c - the search entry: what to keep, where to read, and the cost before it is
 * paid. */
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "ui/screens/messages.h"

enum { ROWS = 8 };

struct entry {
    struct evs_overlay overlay; /* first */
    struct messages *m;
    struct evs_edit what, where;
    bool on_where;
    struct evs_search_verdict verdict;
};

static int rows(const struct evs_overlay *o, int max)
{
    (void)o;
    return max < ROWS ? max : ROWS;
}

/* Which partitions are read where no words say it; "": all. */
static void place_of(struct messages *m, const struct evs_search *s, struct evs_search_verdict *v)
{
    const struct evs_place *at = &m->screen->at;
    bool here = !s->partitions && at->partition >= 0 && !s->every;
    v->homed = !here && messages_key_home(m, s, &v->home);
    v->partition[0] = '\0';
    if (here || v->homed)
        snprintf(v->partition, sizeof(v->partition), "%d",
                 v->homed ? v->home.partition : at->partition);
}

void messages_judge(struct messages *m, const char *what, const char *where,
                    struct evs_search_verdict *v)
{
    struct evs_search *s = evs_xcalloc(1, sizeof(*s));
    struct evs_err err = EVS_ERR_INIT;
    evs_search_init(s);
    v->what_bad = evs_search_parse(s, what, &err) || evs_search_check(s, &err);
    snprintf(v->what_says, sizeof(v->what_says), "%.150s", v->what_bad ? err.msg : "valid");
    size_t terms = s->n_terms;
    v->where_bad = evs_search_parse(s, where, &err);
    if (!v->where_bad && s->n_terms > terms)
        v->where_bad = evs_fail(&err, EVS_INVALID, "only since: until: p: o: n: here");
    snprintf(v->where_says, sizeof(v->where_says), "%.150s", v->where_bad ? err.msg : "valid");
    if (!v->what_bad && !v->where_bad) {
        place_of(m, s, v);
        struct evs_messages_query q = {.partitions = v->partition[0] ? v->partition : s->partitions,
                                       .from = s->from ? s->from : "beginning",
                                       .since = s->since,
                                       .until = s->until,
                                       .terms = s->terms,
                                       .n_terms = s->n_terms,
                                       .count = s->count,
                                       .isolation = m->isolation};
        evs_messages_plan(m->session, &q);
    }
    evs_free(s);
}

static void plan(struct entry *e)
{
    messages_judge(e->m, e->what.text, e->where.text, &e->verdict);
}

static void command_of(const struct messages *m, const struct evs_search_verdict *v,
                       const char *what, const char *where, struct evs_buf *line)
{
    struct evs_search *s = evs_xcalloc(1, sizeof(*s));
    struct evs_err err = EVS_ERR_INIT;
    evs_search_init(s);
    evs_buf_adds(line, "eventscope messages ");
    evs_shell_word(line, m->screen->at.topic);
    if (v->partition[0])
        evs_buf_printf(line, " -p %s", v->partition);
    if (!evs_search_parse(s, what, &err) && !evs_search_parse(s, where, &err))
        evs_search_options(s, line);
    if (m->isolation == EVS_READ_UNCOMMITTED)
        evs_buf_adds(line, " --isolation read_uncommitted");
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

static void draw_window(const struct messages *m, struct evs_view *v, int row)
{
    const struct evs_messages_sn *sn = m->sn;
    char n[EVS_NUM_LEN], bytes[EVS_NUM_LEN], time[EVS_NUM_LEN], from[EVS_NUM_LEN], to[EVS_NUM_LEN];
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
    char where[120], cost[160];
    if (sn->plan->n == 1)
        snprintf(where, sizeof(where), "p%d   %s  %s  %s", first->partition,
                 evs_num_commas(from, first->from), evs_glyph(EVS_G_ARROW),
                 evs_num_commas(to, first->to));
    else
        snprintf(where, sizeof(where), "%zu partitions   p%d from %s, %s", sn->plan->n,
                 first->partition, evs_num_commas(from, first->from), evs_glyph(EVS_G_MORE));
    int at = 4 + evs_view_text(v, row, 1, EVS_ROLE_TEXT, where);
    snprintf(cost, sizeof(cost), "%s messages at most, about %s, %s%s",
             evs_num_commas(n, sn->plan_span), evs_num_bytes(bytes, (double)sn->plan_bytes),
             sn->plan_ms < 100 ? "at once" : "about ",
             sn->plan_ms < 100 ? "" : evs_num_ago(time, sn->plan_ms));
    if (at + (int)strlen(cost) > v->cols && row + 1 < v->rows) { /* narrow: below it */
        row++;
        at = 1;
    }
    evs_view_fit(v, row, at, v->cols - at - 1, EVS_ROLE_NUM_SPAN, cost, strlen(cost), EVS_CUT_END);
}

void messages_draw_cost(const struct messages *m, const struct evs_search_verdict *v,
                        struct evs_view *view, int row)
{
    if (v->what_bad || v->where_bad || !m->sn)
        return;
    if (v->homed) {
        char text[200];
        snprintf(text, sizeof(text),
                 "Reads p%d only: the %zu keys at hand follow %s, which puts this key there. "
                 "Write p:all for all.",
                 v->home.partition, v->home.seen, v->home.partitioner);
        int used = evs_view_wrap(view, row, 1, 2, EVS_ROLE_TEXT, text);
        row += used > 1 && row + 2 < view->rows ? 1 : 0;
    }
    draw_window(m, view, row + 1);
}

void messages_draw_command(const struct messages *m, const struct evs_search_verdict *v,
                           const char *what, const char *where, struct evs_view *status)
{
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(8192);
    const struct evs_messages_sn *sn = m->sn;
    char each[EVS_NUM_LEN];
    int at = 1;
    if (sn && sn->plan && sn->plan_each >= 0 && status->cols > 80) {
        evs_view_text(status, 0, 1, EVS_ROLE_STATUS_TAG, "~");
        at = 10 + evs_view_printf(status, 0, 8, EVS_ROLE_STATUS, "sizes from %s a message",
                                  evs_num_bytes(each, (double)sn->plan_each));
    }
    command_of(m, v, what, where, &line);
    evs_view_fit(status, 0, at, status->cols - at - 8, EVS_ROLE_STATUS, evs_buf_str(&line),
                 line.len, EVS_CUT_END);
    evs_view_right(status, 0, status->cols - 1, EVS_ROLE_STATUS, "(C-y)");
}

static void draw_entry(const struct evs_overlay *o, struct evs_view *above, struct evs_view *status)
{
    const struct entry *e = (const struct entry *)o;
    char title[300];
    snprintf(title, sizeof(title), "search %.250s", e->m->screen->at.topic);
    evs_view_rule(above, 0, title, NULL, true);
    if (above->rows > 2) {
        draw_field(above, 1, "what", &e->what, !e->on_where, e->verdict.what_says,
                   e->verdict.what_bad);
        draw_field(above, 2, "where", &e->where, e->on_where, e->verdict.where_says,
                   e->verdict.where_bad);
    }
    messages_draw_cost(e->m, &e->verdict, above, 4);
    messages_draw_command(e->m, &e->verdict, e->what.text, e->where.text, status);
}

void messages_search(struct messages *m, const char *what, const char *where)
{
    struct evs_err err = EVS_ERR_INIT;
    snprintf(m->what, sizeof(m->what), "%s", what);
    snprintf(m->where, sizeof(m->where), "%s", where);
    evs_search_init(&m->search);
    if (evs_search_parse(&m->search, m->what, &err) || evs_search_parse(&m->search, m->where, &err))
        evs_ui_fail(m->ui, &err);
    m->from[0] = '\0';
    m->follow = false;
    messages_requery(m);
}

static bool run(struct entry *e)
{
    struct messages *m = e->m;
    char what[EVS_SEARCH_TEXT], where[EVS_SEARCH_TEXT];
    plan(e);
    if (e->verdict.what_bad || e->verdict.where_bad) {
        e->on_where = !e->verdict.what_bad;
        return true;
    }
    snprintf(what, sizeof(what), "%s", e->what.text);
    snprintf(where, sizeof(where), "%s", e->where.text);
    evs_history_add(e->what.history, e->what.text);
    evs_history_add(e->where.history, e->where.text);
    evs_app_close_overlay(m->ui); /* e is gone */
    messages_search(m, what, where);
    return true;
}

void messages_copy_command(const struct messages *m, const struct evs_search_verdict *v,
                           const char *what, const char *where)
{
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(8192);
    command_of(m, v, what, where, &line);
    evs_ui_copy(m->ui, evs_buf_str(&line), line.len);
}

static bool key(struct evs_overlay *o, int k)
{
    struct entry *e = (struct entry *)o;
    switch (k) {
    case EVS_KEY_ESC: return false;
    case EVS_KEY_ENTER: return run(e);
    case EVS_KEY_TAB:
    case EVS_KEY_BACKTAB: e->on_where = !e->on_where; return true;
    case EVS_KEY_CTRL('y'):
        messages_copy_command(e->m, &e->verdict, e->what.text, e->where.text);
        return true;
    default: break;
    }
    if (evs_edit_key(e->on_where ? &e->where : &e->what, k))
        plan(e);
    return true;
}

static void judge_again(struct evs_overlay *o)
{
    plan((struct entry *)o);
}

static void close_entry(struct evs_overlay *o)
{
    ((struct entry *)o)->m->entry = NULL;
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
    m->entry = &e->overlay;
    m->judge_again = judge_again;
    plan(e);
}

/* --- words from what is on screen --- */

/* One exact key more among the words. */
void messages_add_key(struct messages *m, const char *lead, const void *key, size_t len)
{
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(sizeof(m->what) - 1);
    EVS_AUTO(evs_buf) struct evs_buf word = EVS_BUF_INIT(1 << 12);
    evs_buf_printf(&word, "=%.*s", (int)len, (const char *)key);
    evs_buf_printf(&line, "%s%s%s", m->what, m->what[0] ? " " : "", lead);
    evs_text_word(&line, evs_buf_str(&word));
    if (!line.over)
        snprintf(m->what, sizeof(m->what), "%s", evs_buf_str(&line));
}

void messages_keep_like(struct messages *m, bool drop)
{
    const struct evs_msg_row *r = messages_current(m);
    struct evs_err err = EVS_ERR_INIT;
    if (!r || !r->ev || !r->ev->key || memchr(r->ev->key, '\0', r->ev->key_len)) {
        evs_ui_say(m->ui, EVS_ROLE_WARN, "only a key can be kept or dropped here");
        return;
    }
    if (r->ev->key_len > 400) {
        evs_ui_say(m->ui, EVS_ROLE_WARN, "this key is too long to search for: %zu bytes",
                   r->ev->key_len);
        return;
    }
    messages_add_key(m, drop ? "!key:" : "key:", r->ev->key, r->ev->key_len);
    evs_search_init(&m->search);
    if (evs_search_parse(&m->search, m->what, &err) || evs_search_parse(&m->search, m->where, &err))
        evs_ui_fail(m->ui, &err);
    else
        messages_requery(m);
}

static bool is_where(const char *word)
{
    static const char *const places[] = {"o:", "p:", "n:", "since:", "until:"};
    for (size_t i = 0; i < EVS_COUNT(places); i++)
        if (!strncmp(word, places[i], strlen(places[i])))
            return true;
    return false;
}

/* What a place says of the search; false words are told. */
void messages_words_of(struct messages *m, const struct evs_place *at)
{
    struct evs_err err = EVS_ERR_INIT;
    evs_search_init(&m->search);
    if (at->text && !strcmp(at->text, "follow"))
        m->follow = true;
    else if (at->text)
        snprintf(is_where(at->text) ? m->where : m->what, EVS_SEARCH_TEXT, "%s", at->text);
    if (at->alone)
        m->for_detail = m->on_detail = m->screen->zoom = true;
    if (at->key && at->key_len && !memchr(at->key, '\0', at->key_len) && at->key_len < 500)
        messages_add_key(m, "key:", at->key, at->key_len);
    size_t n = strlen(m->where);
    if (at->from_ms >= 0)
        n += (size_t)snprintf(m->where + n, sizeof(m->where) - n, n ? " since:%lld" : "since:%lld",
                              (long long)at->from_ms);
    if (at->to_ms >= 0)
        snprintf(m->where + n, sizeof(m->where) - n, "%suntil:%lld", n ? " " : "",
                 (long long)at->to_ms);
    if (evs_search_parse(&m->search, m->what, &err) || evs_search_parse(&m->search, m->where, &err))
        evs_ui_fail(m->ui, &err);
}
