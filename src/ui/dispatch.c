/* dispatch.c - from a key to what it does: overlay, screen, focused widget, framework. */
#include <stdio.h>
#include <string.h>

#include "ui/app.h"
#include "ui/widgets/pager.h"
#include "ui/widgets/table.h"

static struct evs_table *table_of(const struct evs_ui *ui)
{
    struct evs_screen *s = evs_stack_top(ui);
    return s && s->ops->table ? s->ops->table(s) : NULL;
}

static struct evs_pager *pager_of(const struct evs_ui *ui)
{
    struct evs_screen *s = evs_stack_top(ui);
    return s && s->ops->pager ? s->ops->pager(s) : NULL;
}

bool evs_app_reading(const struct evs_ui *ui)
{
    struct evs_screen *s = evs_stack_top(ui);
    return s && (s->ops->reading || (s->ops->pager && pager_of(ui)));
}

void evs_app_overlay(struct evs_ui *ui, struct evs_overlay *o)
{
    evs_app_close_overlay(ui);
    o->ui = ui;
    ui->overlay = o;
    ui->news = true;
}

void evs_app_close_overlay(struct evs_ui *ui)
{
    struct evs_overlay *o = ui->overlay;
    ui->overlay = NULL;
    ui->news = true;
    if (o)
        o->close(o);
}

/* --- going to other screens ----------------------------------------------------------------- */

static const struct {
    enum evs_command command;
    const char *screen;
} leads[] = {{EVS_CMD_GO_PARTITIONS, "partitions"},
             {EVS_CMD_GO_MESSAGES, "messages"},
             {EVS_CMD_GO_KEYS, "keys"},
             {EVS_CMD_GO_HEAT, "heat"},
             {EVS_CMD_GO_WHATIF, "whatif"},
             {EVS_CMD_GO_LAG, "groups"},
             {EVS_CMD_TRACE, "trace"},
             {EVS_CMD_REPLAY, "replay"},
             {EVS_CMD_GO_JOBS, "jobs"},
             {EVS_CMD_GO_LOG, "log"},
             {EVS_CMD_HELP, "help"}};

static const struct evs_screen_ops *lead_of(enum evs_command c)
{
    for (size_t i = 0; i < EVS_COUNT(leads); i++)
        if (leads[i].command == c)
            return evs_screen_find(leads[i].screen);
    if (c >= EVS_CMD_SCREEN_1 && c <= EVS_CMD_SCREEN_0)
        return evs_screen_numbered(c == EVS_CMD_SCREEN_0 ? 10 : c - EVS_CMD_SCREEN_1 + 1);
    return NULL;
}

static void place_here(const struct evs_ui *ui, struct evs_place *to)
{
    struct evs_screen *s = evs_stack_top(ui);
    evs_place_copy(to, &s->at);
    if (s->ops->place)
        s->ops->place(s, to);
}

static bool lead_to(struct evs_ui *ui, enum evs_command c)
{
    const struct evs_screen_ops *ops = lead_of(c);
    if (!ops)
        return false;
    struct evs_place at = EVS_PLACE_INIT;
    place_here(ui, &at);
    if (c == EVS_CMD_SCREEN_7) /* all groups; L keeps to those of the topic */
        evs_place_set(&at.topic, NULL);
    struct evs_screen *s = evs_stack_top(ui);
    bool same = s->ops == ops && (evs_place_equal(&at, &s->at) || !strcmp(ops->name, "help"));
    if (c == EVS_CMD_SCREEN_1)
        while (ui->n_stack > 1)
            evs_stack_pop(ui);
    if (!same && evs_stack_top(ui)->ops != ops)
        evs_ui_open(ui, ops->name, &at);
    evs_place_done(&at);
    return true;
}

static bool last_screen(struct evs_ui *ui)
{
    if (ui->last_ops) {
        struct evs_place at = EVS_PLACE_INIT;
        const struct evs_screen_ops *ops = ui->last_ops;
        evs_place_copy(&at, &ui->last_at);
        if (ui->n_stack > 1)
            evs_stack_pop(ui); /* becomes the last one */
        if (evs_stack_top(ui)->ops != ops)
            evs_ui_open(ui, ops->name, &at);
        evs_place_done(&at);
    } else if (ui->n_stack > 1) {
        evs_stack_pop(ui);
    }
    return true;
}

/* --- the list filter ------------------------------------------------------------------------ */

static bool filter_changed(void *ctx, const char *text, char say[EVS_PROMPT_SAY])
{
    struct evs_ui *ui = ctx;
    struct evs_table *t = table_of(ui);
    struct evs_pager *p = pager_of(ui);
    char n[EVS_NUM_LEN], of[EVS_NUM_LEN];
    if (t) {
        evs_table_filter(t, text);
        snprintf(say, EVS_PROMPT_SAY, "%s of %s rows", evs_num_commas(n, (int64_t)t->n),
                 evs_num_commas(of, (int64_t)t->ops->count(t->ctx)));
    } else if (p) {
        size_t found = evs_pager_find(p, text);
        snprintf(say, EVS_PROMPT_SAY, "%zu found", found);
    }
    return true;
}

static bool filter_done(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
    return true;
}

static void filter_cancelled(void *ctx)
{
    char say[EVS_PROMPT_SAY];
    (void)filter_changed(ctx, "", say);
}

static bool open_filter(struct evs_ui *ui)
{
    struct evs_table *t = table_of(ui);
    struct evs_pager *p = pager_of(ui);
    if (!t && !p)
        return false;
    evs_ui_prompt(ui, &(struct evs_prompt_spec){.label = "/",
                                                .initial = t ? t->filter : p->find,
                                                .history = "filter",
                                                .changed = filter_changed,
                                                .done = filter_done,
                                                .cancelled = filter_cancelled,
                                                .hints = "Enter keep  Esc clear  Up history",
                                                .ctx = ui});
    return true;
}

/* --- copy ----------------------------------------------------------------------------------- */

static void copy_cell(struct evs_ui *ui)
{
    struct evs_table *t = table_of(ui);
    if (!t || !t->n)
        return;
    struct evs_field f;
    evs_table_field(t, evs_table_row(t), t->col, true, &f);
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(1 << 20);
    evs_text_escape(&text, f.p, f.n);
    evs_ui_copy(ui, evs_buf_str(&text), text.len);
}

static void copy_what(struct evs_ui *ui, char what)
{
    struct evs_screen *s = evs_stack_top(ui);
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(64 << 20);
    if (s->ops->copy && s->ops->copy(s, what, &text)) {
        evs_ui_copy(ui, evs_buf_str(&text), text.len);
    } else if (what == 'y') {
        copy_cell(ui);
    } else {
        evs_ui_say(ui, EVS_ROLE_WARN, "nothing of that kind to copy here");
    }
}

static bool start_copy(struct evs_ui *ui)
{
    struct evs_screen *s = evs_stack_top(ui);
    if (s->ops->copy_at_once) {
        copy_what(ui, 'a');
        return true;
    }
    if (!s->ops->copy && !table_of(ui))
        return false;
    ui->pending = 'y';
    evs_ui_say(ui, EVS_ROLE_STATUS,
               s->ops->copy
                   ? "copy: k key  v value  h headers  o coordinates  r JSON  b base64  y cell"
                   : "copy: y the cell");
    return true;
}

static bool copy_command(struct evs_ui *ui)
{
    struct evs_screen *s = evs_stack_top(ui);
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(65536);
    evs_buf_adds(&text, "eventscope ");
    if (!s->ops->command_line || !s->ops->command_line(s, &text))
        return false;
    evs_ui_copy(ui, evs_buf_str(&text), text.len);
    evs_ui_say(ui, EVS_ROLE_STATUS, "copied: %s", evs_buf_str(&text));
    return true;
}

/* --- back, quit ----------------------------------------------------------------------------- */

static void quit_now(void *ctx)
{
    struct evs_ui *ui = ctx;
    ui->quit = true;
}

static bool quit(struct evs_ui *ui)
{
    if (ui->quit_question[0])
        evs_ui_ask(ui, ui->quit_question, quit_now, ui);
    else
        ui->quit = true;
    return true;
}

static bool back(struct evs_ui *ui)
{
    struct evs_screen *s = evs_stack_top(ui);
    struct evs_table *t = table_of(ui);
    struct evs_pager *p = pager_of(ui);
    if (s->ops->stop && s->ops->stop(s))
        return true;
    if (s->zoom) {
        s->zoom = false;
        evs_app_fit(ui);
    } else if (t && evs_table_filtered(t)) {
        evs_table_clear_filter(t);
    } else if (p && p->find[0]) {
        (void)evs_pager_find(p, "");
    } else if (ui->n_stack > 1) {
        evs_stack_pop(ui);
    }
    return true;
}

static bool close_screen(struct evs_ui *ui)
{
    if (ui->n_stack > 1)
        evs_stack_pop(ui);
    else
        return quit(ui);
    return true;
}

static bool next_theme(struct evs_ui *ui)
{
    size_t n = 0, now = 0;
    for (; evs_theme_builtin(n); n++)
        if (!strcmp(evs_theme_builtin(n), ui->theme.name))
            now = n;
    return n && evs_app_theme(ui, evs_theme_builtin((now + 1) % n));
}

static bool common(struct evs_ui *ui, enum evs_command c)
{
    struct evs_screen *s = evs_stack_top(ui);
    switch (c) {
    case EVS_CMD_BACK: return back(ui);
    case EVS_CMD_CLOSE: return close_screen(ui);
    case EVS_CMD_QUIT: return quit(ui);
    case EVS_CMD_SUSPEND: ui->suspend = true; return true;
    case EVS_CMD_REPAINT: ui->repaint = true; return true;
    case EVS_CMD_LAST_SCREEN: return last_screen(ui);
    case EVS_CMD_FILTER: return open_filter(ui);
    case EVS_CMD_PALETTE: evs_app_palette(ui); return true;
    case EVS_CMD_EXACT: ui->exact = !ui->exact; return true;
    case EVS_CMD_TIME_FORMAT: ui->time_mode = (ui->time_mode + 1) % EVS_TIME_N; return true;
    case EVS_CMD_COPY: return start_copy(ui);
    case EVS_CMD_COPY_COMMAND: return copy_command(ui);
    case EVS_CMD_SAVE: return evs_app_save(ui, false);
    case EVS_CMD_SAVE_ALL: return evs_app_save(ui, true);
    case EVS_CMD_EDIT: return evs_app_edit(ui);
    case EVS_CMD_THEME: return next_theme(ui);
    case EVS_CMD_SIBLING_PREV: return s->ops->sibling && s->ops->sibling(s, -1);
    case EVS_CMD_SIBLING_NEXT: return s->ops->sibling && s->ops->sibling(s, 1);
    default: return lead_to(ui, c);
    }
}

void evs_app_command(struct evs_ui *ui, enum evs_command c)
{
    struct evs_screen *s = evs_stack_top(ui);
    ui->news = true;
    if (!s || c == EVS_CMD_NONE)
        return;
    enum evs_handled h = s->ops->command ? s->ops->command(s, c) : EVS_IGNORED;
    if (h == EVS_CLOSED)
        evs_ui_back(ui);
    if (h != EVS_IGNORED)
        return;
    struct evs_pager *p = pager_of(ui);
    struct evs_table *t = table_of(ui);
    if (p && evs_pager_command(p, c))
        return;
    if (t && evs_table_command(t, c)) {
        if (c == EVS_CMD_EXACT || c == EVS_CMD_TIME_FORMAT)
            evs_table_update(t);
        return;
    }
    if (!common(ui, c) && !ui->said[0])
        evs_ui_say(ui, EVS_ROLE_STATUS, "%s: nothing to do here", evs_command_row(c)->name);
    struct evs_table *table = table_of(ui);
    if ((c == EVS_CMD_EXACT || c == EVS_CMD_TIME_FORMAT) && table) {
        memset(table->seen, 0, sizeof(table->seen));
        evs_table_update(table);
    }
}

/* Commands that the framework does wherever there is something to do them to. */
static bool always(const struct evs_ui *ui, enum evs_command c)
{
    const struct evs_screen *s = evs_stack_top(ui);
    switch (c) {
    case EVS_CMD_FILTER: return table_of(ui) || pager_of(ui);
    case EVS_CMD_COPY: return s->ops->copy || table_of(ui);
    case EVS_CMD_COPY_COMMAND: return s->ops->command_line != NULL;
    case EVS_CMD_SAVE:
    case EVS_CMD_SAVE_ALL: return s->ops->save != NULL;
    case EVS_CMD_SIBLING_PREV:
    case EVS_CMD_SIBLING_NEXT: return s->ops->sibling != NULL;
    case EVS_CMD_SORT_NEXT:
    case EVS_CMD_SORT_PICK:
    case EVS_CMD_MARK: return table_of(ui) != NULL;
    case EVS_CMD_EDIT: return ui->opts->config_file != NULL;
    default: return true;
    }
}

bool evs_app_can(const struct evs_ui *ui, enum evs_command c)
{
    const struct evs_screen *s = evs_stack_top(ui);
    for (size_t i = 0; i < EVS_COUNT(leads); i++)
        if (leads[i].command == c && !lead_of(c))
            return false; /* a screen that this build lacks */
    if (s->ops->can)
        return s->ops->can(s, c) && always(ui, c);
    return always(ui, c);
}

/* --- keys ----------------------------------------------------------------------------------- */

static bool pending_key(struct evs_ui *ui, int key)
{
    int what = ui->pending;
    ui->pending = 0;
    if (what == '?') {
        if (key == 'y' || key == 'Y')
            ui->ask_yes(ui->ask_ctx);
        return true;
    }
    if (what != 'y')
        return false;
    if (key > 32 && key < 127)
        copy_what(ui, (char)key);
    return true;
}

void evs_app_key(struct evs_ui *ui, int key)
{
    struct evs_screen *s = evs_stack_top(ui);
    ui->news = true;
    ui->said[0] = '\0';
    if (!s || pending_key(ui, key))
        return;
    if (ui->overlay) {
        if (key == EVS_KEY_CTRL('c'))
            evs_app_command(ui, EVS_CMD_QUIT);
        else if (!ui->overlay->key(ui->overlay, key))
            evs_app_close_overlay(ui);
        return;
    }
    struct evs_table *t = table_of(ui);
    if ((t && evs_table_pick(t, key)) || (s->ops->key && s->ops->key(s, key)))
        return;
    evs_app_command(ui, evs_keymap_find(&ui->keys, s->ops->name, evs_app_reading(ui), key));
}

void evs_ui_ask(struct evs_ui *ui, const char *question, void (*yes)(void *ctx), void *ctx)
{
    evs_ui_say(ui, EVS_ROLE_WARN, "%s y/n", question);
    ui->pending = '?';
    ui->ask_yes = yes;
    ui->ask_ctx = ctx;
}

void evs_app_click(struct evs_ui *ui, int row, int col, int wheel)
{
    struct evs_frame f;
    struct evs_screen *s = evs_stack_top(ui);
    evs_frame_of(ui->surface.rows, ui->surface.cols, &f);
    ui->news = true;
    if (!s || ui->overlay)
        return;
    ui->said[0] = '\0';
    if (wheel) {
        for (int i = 0; i < 3; i++)
            evs_app_command(ui, wheel < 0 ? EVS_CMD_MOVE_UP : EVS_CMD_MOVE_DOWN);
    } else if (row == f.footer) {
        evs_app_command(ui, evs_footer_at(ui, col));
    } else if (row == f.crumb) {
        if (ui->n_stack > 1)
            evs_stack_pop(ui);
    } else if (row >= f.body && row < f.body + f.body_rows && s->ops->click) {
        if (s->ops->click(s, row - f.body, col))
            evs_app_command(ui, EVS_CMD_OPEN);
    }
}

void evs_app_let_go(struct evs_ui *ui, int row, int col)
{
    struct evs_frame f;
    struct evs_screen *s = evs_stack_top(ui);
    evs_frame_of(ui->surface.rows, ui->surface.cols, &f);
    if (!s || ui->overlay || !s->ops->let_go)
        return;
    ui->news = true;
    if (s->ops->let_go(s, row - f.body, col))
        evs_app_command(ui, EVS_CMD_OPEN);
}
