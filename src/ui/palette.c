/* palette.c - `:`: commands, screens, settings and topics by word, with their keys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/opt.h"
#include "ui/app.h"
#include "ui/data.h"

enum { SHOWN = 8, WORD = 260 };

struct candidate {
    char *word; /* what Enter runs */
    const char *text;
    char key[EVS_KEY_NAME];
    bool dimmed;
};

struct hit {
    int score;
    uint32_t at; /* in all */
};

struct palette {
    struct evs_overlay overlay; /* first */
    struct evs_edit edit;
    struct candidate *all;
    struct hit *hits; /* matching, best first */
    size_t n_all, alloc, n;
    size_t at;
    bool chosen; /* the cursor was moved: Enter takes the row */
};

static void offer(struct palette *p, const char *word, const char *text, enum evs_command c)
{
    if (p->n_all == p->alloc) {
        p->alloc = p->alloc ? p->alloc * 2 : 256;
        p->all = evs_xgrow(p->all, p->alloc, sizeof(*p->all));
    }
    struct evs_ui *ui = p->overlay.ui;
    struct candidate *to = &p->all[p->n_all++];
    int keys[2];
    *to = (struct candidate){.word = evs_xstrdup(word), .text = text};
    if (c == EVS_CMD_NONE)
        return;
    to->dimmed = !evs_app_can(ui, c);
    if (evs_keymap_keys(&ui->keys, evs_stack_top(ui)->ops->name, evs_app_reading(ui), c, keys, 2))
        evs_key_name(keys[0], to->key);
}

static void collect(struct palette *p)
{
    char word[WORD];
    for (const struct evs_screen_ops *const *s = evs_screens; *s; s++)
        if (evs_command_find((*s)->name, strlen((*s)->name)) == EVS_CMD_NONE) /* offered below */
            offer(p, (*s)->name, (*s)->about, EVS_CMD_NONE);
    for (int c = 0; c < EVS_CMD_N; c++) {
        const struct evs_command_row *row = evs_command_row((enum evs_command)c);
        if (c >= EVS_CMD_SCREEN_1 || !strcmp(row->name, "help") || !strcmp(row->name, "theme"))
            continue;
        offer(p, row->name, row->text, (enum evs_command)c);
    }
    for (size_t i = 0; evs_theme_builtin(i); i++) {
        snprintf(word, sizeof(word), "theme %s", evs_theme_builtin(i));
        offer(p, word, "colours", EVS_CMD_NONE);
    }
    offer(p, "set mouse on", "the mouse clicks and scrolls", EVS_CMD_NONE);
    offer(p, "set mouse off", "the mouse is the terminal's", EVS_CMD_NONE);
    offer(p, "set utc on", "times in UTC", EVS_CMD_NONE);
    offer(p, "set utc off", "times in the local zone", EVS_CMD_NONE);
    offer(p, "cluster NAME", "another profile's cluster, in place of this one", EVS_CMD_NONE);
    offer(p, "dump FILE", "this screen as text, to a new file", EVS_CMD_NONE);
    offer(p, "target 1.1", "What-if: the most that a partition may have of its share",
          EVS_CMD_NONE);
    offer(p, "group NAME", "a group that is not listed", EVS_CMD_NONE);
    offer(p, "q", "quit", EVS_CMD_QUIT);
    for (size_t i = 0; evs_data_topic_name(p->overlay.ui, i); i++)
        offer(p, evs_data_topic_name(p->overlay.ui, i), "topic", EVS_CMD_NONE);
    p->hits = evs_xcalloc(p->n_all, sizeof(*p->hits));
}

/* The row at a place of the list. */
static const struct candidate *row_at(const struct palette *p, size_t i)
{
    return &p->all[p->hits[i].at];
}

/* Word starts first, then letters in order; 0: no match. */
static int score(const char *word, const char *typed)
{
    size_t n = strlen(typed);
    if (!n)
        return 1;
    if (!strncasecmp(word, typed, n))
        return 1000 - (int)strlen(word) % 500;
    for (const char *p = word; *p; p++)
        if (p > word && strchr("-. _", p[-1]) && !strncasecmp(p, typed, n))
            return 400;
    for (const char *p = word; *p; p++)
        if (!strncasecmp(p, typed, n))
            return 200;
    for (; *word && n; word++)
        if (strncasecmp(word, typed, 1) == 0)
            typed++, n--;
    return n ? 0 : 50;
}

static int recency(const struct palette *p, const char *word)
{
    const struct evs_history *h = p->edit.history;
    for (size_t i = 0; i < h->n; i++)
        if (!strcmp(h->line[h->n - 1 - i], word))
            return 100 - (int)i;
    return 0;
}

static int best_first(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    return x->score != y->score ? (x->score < y->score ? 1 : -1) : x->at < y->at ? -1 : 1;
}

static void match(struct palette *p)
{
    p->n = 0;
    p->at = 0;
    p->chosen = false;
    for (size_t i = 0; i < p->n_all; i++) {
        const struct candidate *c = &p->all[i];
        int points = score(c->word, p->edit.text);
        if (points)
            p->hits[p->n++] =
                (struct hit){points + recency(p, c->word) - (c->dimmed ? 30 : 0), (uint32_t)i};
    }
    qsort(p->hits, p->n, sizeof(*p->hits), best_first);
}

static int palette_rows(const struct evs_overlay *o, int max)
{
    const struct palette *p = (const struct palette *)o;
    int rows = (int)(p->n < SHOWN ? p->n : SHOWN);
    return rows < max ? rows : max;
}

static void draw_row(const struct palette *p, size_t i, struct evs_view *v, int row)
{
    const struct candidate *c = row_at(p, i);
    enum evs_role role = c->dimmed ? EVS_ROLE_TEXT_DIM : EVS_ROLE_TEXT_STRONG;
    int name = v->cols >= 60 ? 24 : v->cols / 2;
    if (i == p->at)
        evs_view_glyph(v, row, 0, EVS_ROLE_TEXT_STRONG, EVS_G_CURSOR);
    evs_view_fit(v, row, 2, name - 3, role, c->word, strlen(c->word), EVS_CUT_MIDDLE);
    int room = v->cols - name - 8;
    evs_view_fit(v, row, name, room, c->dimmed ? EVS_ROLE_TEXT_DIM : EVS_ROLE_TEXT, c->text,
                 strlen(c->text), EVS_CUT_END);
    evs_view_right(v, row, v->cols - 2, EVS_ROLE_FOOTER_KEY, c->key);
    if (i == p->at)
        evs_view_under(v, row, 0, v->cols, EVS_ROLE_ROW_CURSOR);
}

static void draw_palette(const struct evs_overlay *o, struct evs_view *above,
                         struct evs_view *status)
{
    const struct palette *p = (const struct palette *)o;
    size_t top = p->at >= SHOWN ? p->at - SHOWN + 1 : 0;
    for (int row = 0; row < above->rows; row++)
        draw_row(p, top + (size_t)row, above, row);
    int at = 1 + evs_view_text(status, 0, 1, EVS_ROLE_PROMPT, ":");
    evs_edit_draw(&p->edit, status, 0, at, status->cols / 2, EVS_ROLE_PROMPT, true);
    char text[160], n[EVS_NUM_LEN], all[EVS_NUM_LEN];
    const char *dim = p->n && row_at(p, p->at)->dimmed ? "nothing to do here  " : "";
    snprintf(text, sizeof(text), "%s%s of %s", dim, evs_num_commas(n, (int64_t)p->n),
             evs_num_commas(all, (int64_t)p->n_all));
    evs_view_right(status, 0, status->cols - 1, p->n ? EVS_ROLE_PROMPT : EVS_ROLE_PROMPT_BAD, text);
}

/* "cluster NAME": what is typed up to the placeholder; 0: no such word. */
static size_t before_placeholder(const char *word)
{
    static const char *const holders[] = {" NAME", " FILE"};
    size_t n = strlen(word);
    for (size_t i = 0; i < EVS_COUNT(holders); i++)
        if (n > 5 && !strcmp(word + n - 5, holders[i]))
            return n - 4;
    return 0;
}

/* Takes the word under the cursor into the line; true when something is still to be typed. */
static bool take_word(struct palette *p)
{
    char word[WORD];
    if (!p->n)
        return false;
    size_t n = before_placeholder(row_at(p, p->at)->word);
    snprintf(word, sizeof(word), "%.*s", n ? (int)n : WORD, row_at(p, p->at)->word);
    evs_edit_set(&p->edit, word);
    match(p);
    return n > 0;
}

static bool run(struct palette *p)
{
    struct evs_ui *ui = p->overlay.ui;
    char line[EVS_EDIT_CAP];
    bool exact = p->n && !strcasecmp(row_at(p, p->at)->word, p->edit.text);
    bool argument = strchr(p->edit.text, ' ') != NULL;
    bool row = p->n && (p->chosen || exact || (*p->edit.text && !argument));
    if (row && before_placeholder(row_at(p, p->at)->word))
        return take_word(p);
    if (row)
        snprintf(line, sizeof(line), "%s", row_at(p, p->at)->word);
    else
        snprintf(line, sizeof(line), "%s", p->edit.text);
    evs_history_add(p->edit.history, line);
    evs_app_close_overlay(ui);
    if (*line)
        (void)evs_app_run(ui, line);
    return true;
}

static bool palette_key(struct evs_overlay *o, int key)
{
    struct palette *p = (struct palette *)o;
    switch (key) {
    case EVS_KEY_ESC: return false;
    case EVS_KEY_ENTER: return run(p);
    case EVS_KEY_TAB: (void)take_word(p); return true;
    case EVS_KEY_UP:
    case EVS_KEY_DOWN:
        if (p->n)
            p->at = (p->at + (key == EVS_KEY_UP ? p->n - 1 : 1)) % p->n;
        p->chosen = true;
        return true;
    case EVS_KEY_BACKSPACE:
        if (!p->edit.len)
            return false;
        break;
    default: break;
    }
    if (evs_edit_key(&p->edit, key))
        match(p);
    return true;
}

static void close_palette(struct evs_overlay *o)
{
    struct palette *p = (struct palette *)o;
    for (size_t i = 0; i < p->n_all; i++)
        evs_free(p->all[i].word);
    evs_free(p->all);
    evs_free(p->hits);
    evs_free(o);
}

void evs_app_palette(struct evs_ui *ui)
{
    struct palette *p = evs_xcalloc(1, sizeof(*p));
    p->overlay = (struct evs_overlay){.rows = palette_rows,
                                      .draw = draw_palette,
                                      .key = palette_key,
                                      .close = close_palette,
                                      .hints = "Enter run  Tab complete  Up choose  Esc close",
                                      .ui = ui};
    evs_edit_init(&p->edit, "", evs_history_of(&ui->histories, "palette"));
    collect(p);
    match(p);
    evs_app_overlay(ui, &p->overlay);
}

/* --- running a line ------------------------------------------------------------------------- */

bool evs_app_setting(struct evs_ui *ui, const char *line)
{
    struct evs_screen *s = evs_stack_top(ui);
    bool on = strstr(line, " on") != NULL;
    if (s->ops->line && s->ops->line(s, line))
        return true;
    if (!strncmp(line, "cluster ", 8) && line[8]) {
        evs_app_connect(ui, EVS_CONNECT_PROFILE, line + 8);
        return true;
    }
    if (!strncmp(line, "dump ", 5) && line[5]) {
        evs_app_dump(ui, line + 5);
        return true;
    }
    if (!strncmp(line, "target ", 7) || !strncmp(line, "what-if ", 8)) {
        evs_ui_say(ui, EVS_ROLE_WARN, "that is for What-if: 6 opens it");
        return true;
    }
    if (!strncmp(line, "theme ", 6))
        return evs_app_theme(ui, line + 6);
    if (!strncmp(line, "set mouse", 9)) {
        ui->mouse = on;
        evs_ui_say(ui, EVS_ROLE_STATUS, "mouse %s", on ? "on" : "off");
        return true;
    }
    if (!strncmp(line, "set utc", 7)) {
        evs_num_set_utc(on);
        return true;
    }
    return false;
}

static const char *nth_word(const void *ctx, size_t i)
{
    (void)ctx;
    size_t screens = 0;
    for (; evs_screens[screens]; screens++)
        if (i == screens)
            return evs_screens[i]->name;
    i -= screens;
    return i < EVS_CMD_N ? evs_command_row((enum evs_command)i)->name : NULL;
}

bool evs_app_run(struct evs_ui *ui, const char *line)
{
    enum evs_command c = evs_command_find(line, strlen(line));
    struct evs_place at = EVS_PLACE_INIT;
    struct evs_screen *s = evs_stack_top(ui);
    bool known = true;
    evs_place_copy(&at, &s->at);
    if (s->ops->place)
        s->ops->place(s, &at);
    if (!strcmp(line, "q") || !strcmp(line, "quit")) {
        evs_app_command(ui, EVS_CMD_QUIT);
    } else if (evs_screen_known(line)) {
        if (!strcmp(line, "groups"))
            evs_place_set(&at.topic, NULL);
        evs_ui_open(ui, line, &at);
    } else if (!strncmp(line, "group ", 6) && line[6]) {
        evs_place_set(&at.group, line + 6);
        evs_ui_open(ui, "group", &at);
    } else if (c != EVS_CMD_NONE) {
        evs_app_command(ui, c);
    } else if (evs_data_has_topic(ui, line)) {
        evs_place_set(&at.topic, line);
        at.partition = -1;
        evs_ui_open(ui, "partitions", &at);
    } else if (!evs_app_setting(ui, line)) {
        const char *near = evs_suggest(line, nth_word, NULL);
        known = false;
        if (near)
            evs_ui_say(ui, EVS_ROLE_WARN, "no command \"%s\": %s?", line, near);
        else
            evs_ui_say(ui, EVS_ROLE_WARN, "no command \"%s\"", line);
    }
    evs_place_done(&at);
    return known;
}
