/* first_run.c - Welcome: no broker is known, or the configuration is broken. */
#include <stdio.h>
#include <string.h>

#include "ui/app.h"
#include "ui/widgets/prompt.h"

enum { CHOICES = 4, LABEL = 31 };
enum choice { SAMPLE, BROKERS, IMPORT, STARTER };

static const struct {
    const char *label, *text;
    enum evs_ui_connect how;
} choices[CHOICES] = {
    {"try it on sample data", "an embedded cluster with a hot key and a lagging group",
     EVS_CONNECT_SAMPLE},
    {"enter brokers", "host:port,host:port", EVS_CONNECT_BROKERS},
    {"import a client configuration", "path of a kcat.conf or a Java client.properties",
     EVS_CONNECT_FILE},
    {"write a starter configuration", "every option explained", EVS_CONNECT_STARTER}};

struct first_run {
    enum choice at;
    struct evs_edit edit[CHOICES]; /* of BROKERS and IMPORT */
};

static struct first_run *of(const struct evs_screen *s)
{
    return s->state;
}

static bool typed(enum choice c)
{
    return c == BROKERS || c == IMPORT;
}

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    (void)err;
    for (int i = 0; i < CHOICES; i++)
        evs_edit_init(&of(s)->edit[i], "", NULL);
    return EVS_OK;
}

static void leave(struct evs_screen *s)
{
    (void)s;
}

static bool refresh(struct evs_screen *s)
{
    (void)s;
    return false;
}

static void draw_choice(const struct first_run *f, enum choice c, struct evs_view *v, int row)
{
    bool here = f->at == c;
    int at = 3 + LABEL;
    if (here)
        evs_view_glyph(v, row, 0, EVS_ROLE_TEXT_STRONG, EVS_G_CURSOR);
    evs_view_text(v, row, 3, here ? EVS_ROLE_TEXT_STRONG : EVS_ROLE_TEXT, choices[c].label);
    if (typed(c) && (here || f->edit[c].len))
        evs_edit_draw(&f->edit[c], v, row, at, v->cols - at - 1, EVS_ROLE_PROMPT, here);
    if (!f->edit[c].len && !(typed(c) && here))
        evs_view_fit(v, row, at, v->cols - at - 1, EVS_ROLE_TEXT_DIM, choices[c].text,
                     strlen(choices[c].text), EVS_CUT_END);
    if (here)
        evs_view_under(v, row, 0, v->cols, EVS_ROLE_ROW_CURSOR);
}

static void draw(const struct evs_screen *s, struct evs_view *v)
{
    const struct first_run *f = of(s);
    const struct evs_ui_opts *o = evs_ui_options(s->ui);
    int row = 0;
    if (o->problem) {
        row += evs_view_wrap(v, row, 2, 4, EVS_ROLE_BAD, o->problem);
        if (o->problem_hint && *o->problem_hint) {
            char hint[300];
            snprintf(hint, sizeof(hint), "fix: %.280s", o->problem_hint);
            row += evs_view_wrap(v, row, 2, 2, EVS_ROLE_TEXT_STRONG, hint);
        }
    } else if (v->rows > CHOICES + 2) {
        row +=
            evs_view_wrap(v, row, 2, 2, EVS_ROLE_TEXT,
                          "eventscope reads Kafka: it joins no group, commits nothing and writes "
                          "nothing unless you ask. Start here:");
    }
    row += v->rows > row + CHOICES + 1;
    for (int i = 0; i < CHOICES; i++)
        draw_choice(f, (enum choice)i, v, row + i);
}

static void bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct evs_ui_opts *o = evs_ui_options(s->ui);
    const struct first_run *f = of(s);
    if (typed(f->at))
        evs_bands_say(b->left, sizeof(b->left), "%s", choices[f->at].text);
    else if (o->problem)
        evs_bands_say(b->left, sizeof(b->left), "nothing was connected to");
    else
        evs_bands_say(b->left, sizeof(b->left),
                      "no configuration found; looked in --config, EVENTSCOPE_CONFIG, %s",
                      o->config_dir ? o->config_dir : "~/.config/eventscope");
}

static enum evs_handled choose(struct evs_screen *s)
{
    struct first_run *f = of(s);
    struct evs_ui *ui = s->ui;
    if (typed(f->at) && !f->edit[f->at].len) {
        evs_ui_say(ui, EVS_ROLE_WARN, "type %s, then Enter", choices[f->at].text);
        return EVS_HANDLED;
    }
    evs_app_connect(ui, choices[f->at].how, f->edit[f->at].text); /* s may be gone */
    return EVS_HANDLED;
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct first_run *f = of(s);
    switch (c) {
    case EVS_CMD_OPEN: return choose(s);
    case EVS_CMD_MOVE_UP:
    case EVS_CMD_PANE_PREV: f->at = (enum choice)((f->at + CHOICES - 1) % CHOICES); break;
    case EVS_CMD_MOVE_DOWN:
    case EVS_CMD_PANE_NEXT: f->at = (enum choice)((f->at + 1) % CHOICES); break;
    case EVS_CMD_TOP: f->at = SAMPLE; break;
    case EVS_CMD_END: f->at = STARTER; break;
    default: return EVS_IGNORED;
    }
    return EVS_HANDLED;
}

/* Letters are text on the two lines that take some. */
static bool key(struct evs_screen *s, int k)
{
    struct first_run *f = of(s);
    bool text = (k >= 32 && k < EVS_KEY_UP && k != EVS_KEY_BACKSPACE) || k == EVS_KEY_BACKSPACE ||
                k == EVS_KEY_LEFT || k == EVS_KEY_RIGHT || k == EVS_KEY_HOME || k == EVS_KEY_END ||
                k == EVS_KEY_DELETE || k == EVS_KEY_CTRL('u') || k == EVS_KEY_CTRL('w') ||
                k == EVS_KEY_CTRL('a') || k == EVS_KEY_CTRL('e');
    bool help = k == '?' && !f->edit[f->at].len;
    if (!typed(f->at) || !text || help)
        return false;
    (void)evs_edit_key(&f->edit[f->at], k);
    return true;
}

static bool click(struct evs_screen *s, int row, int col)
{
    struct first_run *f = of(s);
    (void)col;
    int first = s->rows > 8 ? 2 : 1, at = row - first;
    if (at < 0 || at >= CHOICES)
        return false;
    bool again = (int)f->at == at;
    f->at = (enum choice)at;
    return again;
}

static const char *footer(const struct evs_screen *s)
{
    return typed(of(s)->at) ? "Enter choose  Up Down next  C-u clear  F1 help  C-c quit" : NULL;
}

static const struct evs_hint hints[] = {EVS_HINT(OPEN, "choose"), EVS_HINT(PANE_NEXT, "next"),
                                        EVS_HINT(EDIT, "edit the configuration"), EVS_HINTS_END};

const struct evs_screen_ops evs_screen_first_run = {
    .name = "first-run",
    .title = "Welcome",
    .about = "sample data, brokers, or a configuration",
    .state_size = sizeof(struct first_run),
    .offline = true,
    .hints = hints,
    .enter = enter,
    .refresh = refresh,
    .draw = draw,
    .leave = leave,
    .footer = footer,
    .bands = bands,
    .command = command,
    .key = key,
    .click = click,
};
