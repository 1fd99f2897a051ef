/* messages_form.c - the search as a form: one field a line, each with what it takes. */
#include <stdio.h>
#include <string.h>

#include "ui/screens/messages.h"

enum { LABEL = 12, FIELD_MIN = 20 };

static const struct field {
    const char *label, *word, *help;
    bool where, rest; /* among the places; takes the rest of the line */
    enum evs_filter_kind kind;
} fields[] = {
    {"text", "grep:", "words; \"quotes\" keep spaces; ! before one: not", false, false,
     EVS_FILTER_GREP},
    {"key", "key:", "a glob, re:PATTERN or =TEXT", false, false, EVS_FILTER_KEY},
    {"header", "header:", "NAME or NAME=GLOB", false, false, EVS_FILTER_HEADER},
    {"case", "", "-i ignores it", false, false, EVS_FILTER_GREP},
    {"since", "since:", "2h, 2026-11-21 14:00, epoch", true, false, EVS_FILTER_GREP},
    {"until", "until:", "likewise; empty is now", true, false, EVS_FILTER_GREP},
    {"partitions", "p:", "0,3-5; all; empty: the key's", true, false, EVS_FILTER_GREP},
    {"from", "o:", "beginning, 1234, -500, group:NAME", true, false, EVS_FILTER_GREP},
    {"at most", "n:", "so many, then it ends", true, false, EVS_FILTER_GREP},
    {"jq", "jq:", ".value.total > 100", false, true, EVS_FILTER_JQ},
};
enum { N = EVS_COUNT(fields), CASE = 3 };

struct form {
    struct evs_overlay overlay; /* first */
    struct messages *m;
    struct evs_edit edit[N];
    int at;
    struct evs_search_verdict verdict;
};

/* The field's words, each with the word that leads it; what the user quoted stays quoted. */
static void put_field(struct evs_buf *line, const struct field *f, const char *text)
{
    while (*text) {
        size_t n = f->rest ? strlen(text) : strcspn(text, " ") ? evs_search_word(text) : 1;
        if (*text == ' ' && !f->rest) {
            text++;
            continue;
        }
        bool invert = *text == '!' && !f->where;
        evs_buf_printf(line, "%s%s%s%.*s", line->len ? " " : "", invert ? "!" : "", f->word,
                       (int)n - invert, text + invert);
        text += n;
    }
}

static void put_where(struct evs_buf *line, const struct field *f, const char *text)
{
    if (!*text)
        return;
    evs_buf_printf(line, "%s%s", line->len ? " " : "", f->word);
    evs_text_word(line, text);
}

static void compose(const struct form *f, struct evs_buf *what, struct evs_buf *where)
{
    for (int i = 0; i < N; i++)
        if (fields[i].where)
            put_where(where, &fields[i], f->edit[i].text);
        else
            put_field(what, &fields[i], f->edit[i].text);
    evs_buf_str(what);
    evs_buf_str(where);
}

static void judge(struct form *f)
{
    EVS_AUTO(evs_buf) struct evs_buf what = EVS_BUF_INIT(EVS_SEARCH_TEXT - 1);
    EVS_AUTO(evs_buf) struct evs_buf where = EVS_BUF_INIT(EVS_SEARCH_TEXT - 1);
    compose(f, &what, &where);
    messages_judge(f->m, evs_buf_str(&what), evs_buf_str(&where), &f->verdict);
}

static void fill(struct form *f)
{
    struct evs_search *s = evs_xcalloc(1, sizeof(*s));
    struct evs_err err = EVS_ERR_INIT;
    evs_search_init(s);
    for (int i = 0; i < N; i++)
        evs_edit_init(&f->edit[i], "", NULL);
    if (!evs_search_parse(s, f->m->what, &err) && !evs_search_parse(s, f->m->where, &err)) {
        char count[EVS_NUM_LEN];
        snprintf(count, sizeof(count), "%lld", (long long)s->count);
        const char *const places[N] = {[4] = s->since,
                                       [5] = s->until,
                                       [6] = s->every ? "all" : s->partitions,
                                       [7] = s->from,
                                       [8] = s->count ? count : NULL};
        for (int i = 0; i < N; i++) {
            EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(EVS_EDIT_CAP - 1);
            for (size_t t = 0; !fields[i].where && i != CASE && t < s->n_terms; t++) {
                if (s->terms[t].kind != fields[i].kind)
                    continue;
                evs_buf_printf(&text, "%s%s", text.len ? " " : "", s->terms[t].invert ? "!" : "");
                fields[i].rest ? (void)evs_buf_adds(&text, s->terms[t].text)
                               : evs_text_word(&text, s->terms[t].text);
            }
            evs_edit_set(&f->edit[i], places[i]                     ? places[i]
                                      : i == CASE && s->ignore_case ? "-i"
                                                                    : evs_buf_str(&text));
        }
    }
    evs_free(s);
}

static int rows(const struct evs_overlay *o, int max)
{
    (void)o;
    return max < N + 3 ? max : N + 3;
}

static void draw(const struct evs_overlay *o, struct evs_view *above, struct evs_view *status)
{
    const struct form *f = (const struct form *)o;
    const struct evs_search_verdict *v = &f->verdict;
    int room = above->rows > 5 ? above->rows - 3 : above->rows - 1, shown = room < N ? room : N;
    int first = f->at < shown ? 0 : f->at - shown + 1;
    char title[300];
    snprintf(title, sizeof(title), "filter %.250s", f->m->screen->at.topic);
    evs_view_rule(above, 0, title, NULL, true);
    for (int i = first; i < N && i < first + shown; i++) {
        struct evs_view band = evs_view_band(above, 1 + i - first, 1, EVS_ROLE_PROMPT);
        int help = above->cols > 70 ? (int)strlen(fields[i].help) : 0;
        evs_view_text(&band, 0, 1, i == f->at ? EVS_ROLE_PANE_FOCUS : EVS_ROLE_PROMPT,
                      fields[i].label);
        evs_edit_draw(&f->edit[i], &band, 0, 1 + LABEL,
                      above->cols - LABEL - help - 4 < FIELD_MIN ? FIELD_MIN
                                                                 : above->cols - LABEL - help - 4,
                      EVS_ROLE_PROMPT, i == f->at);
        if (help)
            evs_view_right(&band, 0, above->cols - 1, EVS_ROLE_TEXT_DIM, fields[i].help);
    }
    if (room != above->rows - 3)
        return;
    const char *wrong = v->what_bad ? v->what_says : v->where_bad ? v->where_says : NULL;
    if (wrong)
        evs_view_fit(above, shown + 1, 1, above->cols - 2, EVS_ROLE_PROMPT_BAD, wrong,
                     strlen(wrong), EVS_CUT_END);
    else
        messages_draw_cost(f->m, v, above, shown + 1);
    EVS_AUTO(evs_buf) struct evs_buf what = EVS_BUF_INIT(EVS_SEARCH_TEXT - 1);
    EVS_AUTO(evs_buf) struct evs_buf where = EVS_BUF_INIT(EVS_SEARCH_TEXT - 1);
    compose(f, &what, &where);
    messages_draw_command(f->m, v, evs_buf_str(&what), evs_buf_str(&where), status);
}

static bool accept(struct form *f)
{
    struct messages *m = f->m;
    EVS_AUTO(evs_buf) struct evs_buf what = EVS_BUF_INIT(EVS_SEARCH_TEXT - 1);
    EVS_AUTO(evs_buf) struct evs_buf where = EVS_BUF_INIT(EVS_SEARCH_TEXT - 1);
    judge(f);
    if (f->verdict.what_bad || f->verdict.where_bad)
        return true;
    compose(f, &what, &where);
    evs_app_close_overlay(f->overlay.ui); /* f is gone */
    messages_search(m, evs_buf_str(&what), evs_buf_str(&where));
    return true;
}

static void copy(const struct form *f)
{
    EVS_AUTO(evs_buf) struct evs_buf what = EVS_BUF_INIT(EVS_SEARCH_TEXT - 1);
    EVS_AUTO(evs_buf) struct evs_buf where = EVS_BUF_INIT(EVS_SEARCH_TEXT - 1);
    compose(f, &what, &where);
    messages_copy_command(f->m, &f->verdict, evs_buf_str(&what), evs_buf_str(&where));
}

static bool key(struct evs_overlay *o, int k)
{
    struct form *f = (struct form *)o;
    switch (k) {
    case EVS_KEY_ESC: return false;
    case EVS_KEY_ENTER: return accept(f);
    case EVS_KEY_TAB:
    case EVS_KEY_DOWN: f->at = (f->at + 1) % N; return true;
    case EVS_KEY_CTRL('y'): copy(f); return true;
    case EVS_KEY_BACKTAB:
    case EVS_KEY_UP: f->at = (f->at + N - 1) % N; return true;
    default: break;
    }
    if (evs_edit_key(&f->edit[f->at], k))
        judge(f);
    return true;
}

static void judge_again(struct evs_overlay *o)
{
    judge((struct form *)o);
}

static void close_form(struct evs_overlay *o)
{
    ((struct form *)o)->m->entry = NULL;
    evs_free(o);
}

void messages_form_open(struct messages *m)
{
    struct form *f = evs_xcalloc(1, sizeof(*f));
    f->overlay =
        (struct evs_overlay){.rows = rows,
                             .draw = draw,
                             .key = key,
                             .close = close_form,
                             .hints = "Enter search  Tab next field  C-u clear  "
                                      "C-y copy the command  Esc cancel"};
    f->m = m;
    fill(f);
    evs_app_overlay(m->ui, &f->overlay);
    m->entry = &f->overlay;
    m->judge_again = judge_again;
    judge(f);
}
