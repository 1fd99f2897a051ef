/* promptline.c - the prompt in the status line, and the dialog that writes. */
#include <stdio.h>
#include <string.h>

#include "ui/app.h"

struct prompt {
    struct evs_overlay overlay; /* first */
    struct evs_prompt_spec spec;
    struct evs_edit edit;
    char say[EVS_PROMPT_SAY];
    bool wrong, accepted;
    size_t completion;
    char completing[EVS_EDIT_CAP];
};

static void changed(struct prompt *p)
{
    p->say[0] = '\0';
    p->wrong = p->spec.changed && !p->spec.changed(p->spec.ctx, p->edit.text, p->say);
}

static void draw_prompt(const struct evs_overlay *o, struct evs_view *above, struct evs_view *v)
{
    const struct prompt *p = (const struct prompt *)o;
    (void)above;
    int at = 1 + evs_view_text(v, 0, 1, EVS_ROLE_PROMPT, p->spec.label);
    if (strlen(p->spec.label) > 1)
        at++;
    char known[EVS_PROMPT_SAY] = "";
    bool wrong = p->wrong;
    if (!p->say[0] && p->spec.resolved)
        wrong = !p->spec.resolved(p->spec.ctx, p->edit.text, known);
    const char *say = p->say[0] ? p->say : known;
    int right = (int)evs_text_width(say, strlen(say)), most = v->cols * 3 / 4;
    int room = v->cols - at - (right && right < most ? right + 3 : 1);
    evs_edit_draw(&p->edit, v, 0, at, room, EVS_ROLE_PROMPT, true);
    if (right && right < most)
        evs_view_right(v, 0, v->cols - 1, wrong ? EVS_ROLE_PROMPT_BAD : EVS_ROLE_PROMPT_OK, say);
}

static void complete(struct prompt *p)
{
    if (!p->spec.complete)
        return;
    if (!p->completion)
        snprintf(p->completing, sizeof(p->completing), "%s", p->edit.text);
    const char *to = p->spec.complete(p->spec.ctx, p->completing, p->completion);
    if (!to && p->completion) {
        p->completion = 0;
        to = p->spec.complete(p->spec.ctx, p->completing, 0);
    }
    if (!to)
        return;
    p->completion++;
    evs_edit_set(&p->edit, to);
    changed(p);
}

/* done() may open another overlay: this one is then closed already. */
static bool accept(struct prompt *p)
{
    struct evs_ui *ui = p->overlay.ui;
    char text[EVS_EDIT_CAP];
    snprintf(text, sizeof(text), "%s", p->edit.text);
    if (p->edit.history)
        evs_history_add(p->edit.history, text);
    p->accepted = true;
    bool close = p->spec.done(p->spec.ctx, text);
    if (ui->overlay != &p->overlay)
        return true;
    p->accepted = close;
    return !close;
}

static bool prompt_key(struct evs_overlay *o, int key)
{
    struct prompt *p = (struct prompt *)o;
    if (key == EVS_KEY_ENTER)
        return accept(p);
    if (key == EVS_KEY_ESC)
        return false;
    if (key == EVS_KEY_TAB) {
        complete(p);
        return true;
    }
    p->completion = 0;
    if (evs_edit_key(&p->edit, key))
        changed(p);
    return true;
}

static void close_prompt(struct evs_overlay *o)
{
    struct prompt *p = (struct prompt *)o;
    if (!p->accepted && p->spec.cancelled)
        p->spec.cancelled(p->spec.ctx);
    evs_free(p);
}

void evs_ui_prompt(struct evs_ui *ui, const struct evs_prompt_spec *spec)
{
    struct prompt *p = evs_xcalloc(1, sizeof(*p));
    p->overlay = (struct evs_overlay){
        .draw = draw_prompt, .key = prompt_key, .close = close_prompt, .hints = spec->hints};
    p->spec = *spec;
    struct evs_history *h = spec->history ? evs_history_of(&ui->histories, spec->history) : NULL;
    evs_edit_init(&p->edit, spec->initial, h);
    evs_app_overlay(ui, &p->overlay);
    if (*p->edit.text)
        changed(p);
}

/* --- the dialog ----------------------------------------------------------------------------- */

struct dialog {
    struct evs_overlay overlay; /* first */
    struct evs_confirm what;
    struct evs_edit edit;
};

static int dialog_rows(const struct evs_overlay *o, int max)
{
    (void)o;
    return max; /* it floats over the body */
}

static int lines_of(const struct evs_confirm *c)
{
    int n = 0;
    for (int i = 0; i < 6; i++)
        if (c->line[i][0])
            n = i + 1;
    return n;
}

static void box_line(struct evs_view *v, int row, enum evs_glyph left, enum evs_glyph right)
{
    bool edge = left != EVS_G_SPLIT;
    evs_view_fill(v, row, 0, v->cols, EVS_ROLE_DIALOG, edge ? evs_glyph(EVS_G_RULE) : NULL);
    evs_view_glyph(v, row, 0, EVS_ROLE_DIALOG, left);
    evs_view_glyph(v, row, v->cols - 1, EVS_ROLE_DIALOG, right);
}

static void draw_dialog(const struct evs_overlay *o, struct evs_view *above,
                        struct evs_view *status)
{
    const struct dialog *d = (const struct dialog *)o;
    int n = lines_of(&d->what), rows = n + 4, cols = above->cols < 96 ? above->cols - 4 : 88;
    int top = (above->rows - rows) / 2, left = (above->cols - cols) / 2;
    struct evs_view box = evs_view_sub(above, top < 0 ? 0 : top, left < 0 ? 0 : left, rows, cols);
    (void)status;
    box_line(&box, 0, EVS_G_CORNER_TL, EVS_G_CORNER_TR);
    for (int r = 1; r < rows - 1; r++)
        box_line(&box, r, EVS_G_SPLIT, EVS_G_SPLIT);
    box_line(&box, rows - 1, EVS_G_CORNER_BL, EVS_G_CORNER_BR);
    char text[224];
    snprintf(text, sizeof(text), " %s ", d->what.title);
    evs_view_fit(&box, 0, 2, cols - 4, EVS_ROLE_DIALOG, text, strlen(text), EVS_CUT_MIDDLE);
    if (d->what.right[0]) {
        snprintf(text, sizeof(text), " %s ", d->what.right);
        evs_view_right(&box, 0, cols - 2, EVS_ROLE_HEADER_PROD, text);
    }
    for (int i = 0; i < n; i++)
        evs_view_fit(&box, 1 + i, 2, cols - 4, EVS_ROLE_DIALOG, d->what.line[i],
                     strlen(d->what.line[i]), EVS_CUT_END);
    int at = 2 + evs_view_text(&box, rows - 2, 2, EVS_ROLE_DIALOG, "Type the target to go on:  ");
    evs_edit_draw(&d->edit, &box, rows - 2, at, cols - at - 16, EVS_ROLE_DIALOG, true);
    evs_view_right(&box, rows - 2, cols - 2, EVS_ROLE_DIALOG, "Esc cancels");
}

static bool dialog_key(struct evs_overlay *o, int key)
{
    struct dialog *d = (struct dialog *)o;
    if (key == EVS_KEY_ESC)
        return false;
    if (key != EVS_KEY_ENTER) {
        (void)evs_edit_key(&d->edit, key);
        return true;
    }
    if (strcmp(d->edit.text, d->what.type_this) || !*d->what.type_this) {
        evs_ui_say(o->ui, EVS_ROLE_WARN, "type %s exactly, or Esc", d->what.type_this);
        return true;
    }
    struct evs_confirm what = d->what;
    evs_app_close_overlay(o->ui);
    what.confirmed(what.ctx);
    return true;
}

static void close_dialog(struct evs_overlay *o)
{
    evs_free(o);
}

void evs_ui_confirm(struct evs_ui *ui, const struct evs_confirm *what)
{
    if (evs_ui_locked(ui)) {
        evs_ui_say(ui, EVS_ROLE_WARN,
                   "This profile is locked (read-only = true): nothing can be written.");
        return;
    }
    struct dialog *d = evs_xcalloc(1, sizeof(*d));
    d->overlay = (struct evs_overlay){.rows = dialog_rows,
                                      .draw = draw_dialog,
                                      .key = dialog_key,
                                      .close = close_dialog,
                                      .floats = true,
                                      .hints = "Enter go on  Esc cancel"};
    d->what = *what;
    evs_edit_init(&d->edit, "", NULL);
    evs_app_overlay(ui, &d->overlay);
}
