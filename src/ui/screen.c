#include "ui/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ui/app.h"
#include "ui/widgets/table.h"

#define EVS_SCREEN(name, number) extern const struct evs_screen_ops evs_screen_##name;
#include "ui/screens.def"
#undef EVS_SCREEN

const struct evs_screen_ops *const evs_screens[] = {
#define EVS_SCREEN(name, number) &evs_screen_##name,
#include "ui/screens.def"
#undef EVS_SCREEN
    NULL};

static const int numbers[] = {
#define EVS_SCREEN(name, number) number,
#include "ui/screens.def"
#undef EVS_SCREEN
};

const struct evs_screen_ops *evs_screen_find(const char *name)
{
    for (const struct evs_screen_ops *const *s = evs_screens; *s; s++)
        if (!strcmp((*s)->name, name))
            return *s;
    return NULL;
}

bool evs_screen_known(const char *name)
{
    return evs_screen_find(name) != NULL;
}

const struct evs_screen_ops *evs_screen_numbered(int number)
{
    for (size_t i = 0; evs_screens[i]; i++)
        if (numbers[i] == number)
            return evs_screens[i];
    return NULL;
}

void evs_bands_join(struct evs_bands *b, const char *const *parts)
{
    size_t n = 0;
    for (; *parts && n < sizeof(b->crumb) - 1; parts++) {
        const char *sep = n ? evs_glyph(EVS_G_CRUMB) : "";
        int more = snprintf(b->crumb + n, sizeof(b->crumb) - n, "%s%s%s%s", n ? " " : "", sep,
                            n ? " " : "", *parts);
        n += more > 0 ? (size_t)more : 0;
    }
}

void evs_bands_say(char *to, size_t size, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (vsnprintf(to, size, fmt, ap) < 0)
        *to = '\0';
    va_end(ap);
}

void evs_bands_table(struct evs_bands *b, const struct evs_table *t, int name_col)
{
    const struct evs_column *c = &t->ops->cols[t->col];
    size_t row = evs_table_row(t);
    if (!b->tag[0] && c->tag)
        evs_bands_say(b->tag, sizeof(b->tag), "%s", c->tag);
    if (!b->left[0] && c->meaning)
        evs_bands_say(b->left, sizeof(b->left), "%s", c->meaning);
    if (b->value[0] || row == SIZE_MAX)
        return;
    struct evs_field name, value;
    evs_table_field(t, row, t->col, true, &value);
    if (name_col < 0 || name_col == t->col) {
        evs_bands_say(b->value, sizeof(b->value), "%.*s", (int)(value.n < 150 ? value.n : 150),
                      value.p);
        return;
    }
    evs_table_field(t, row, name_col, true, &name);
    evs_bands_say(b->value, sizeof(b->value), "%.*s %.*s", (int)(name.n < 100 ? name.n : 100),
                  name.p, (int)(value.n < 90 ? value.n : 90), value.p);
}

static void free_screen(struct evs_screen *s)
{
    s->ops->leave(s);
    evs_place_done(&s->at);
    evs_free(s->state);
    evs_free(s);
}

enum evs_rc evs_stack_push(struct evs_ui *ui, const struct evs_screen_ops *ops,
                           const struct evs_place *at, struct evs_err *err)
{
    struct evs_screen *s = evs_xcalloc(1, sizeof(*s));
    s->ops = ops;
    s->ui = ui;
    s->at = (struct evs_place)EVS_PLACE_INIT;
    if (at)
        evs_place_copy(&s->at, at);
    s->state = evs_xcalloc(1, ops->state_size ? ops->state_size : 1);
    enum evs_rc rc = ops->enter(s, err);
    if (rc) {
        free_screen(s);
        return rc;
    }
    if (ui->n_stack == EVS_STACK_MAX) { /* the oldest but the root goes */
        free_screen(ui->stack[1]);
        memmove(&ui->stack[1], &ui->stack[2], (EVS_STACK_MAX - 2) * sizeof(ui->stack[0]));
        ui->n_stack--;
    }
    ui->stack[ui->n_stack++] = s;
    ui->news = true;
    evs_app_fit(ui);
    (void)ops->refresh(s);
    return EVS_OK;
}

void evs_stack_pop(struct evs_ui *ui)
{
    if (!ui->n_stack)
        return;
    struct evs_screen *s = ui->stack[--ui->n_stack];
    evs_place_copy(&ui->last_at, &s->at);
    ui->last_ops = s->ops;
    free_screen(s);
    if (ui->n_stack) {
        /* What it last looked at went away while it was covered: new data before any measuring. */
        (void)evs_stack_top(ui)->ops->refresh(evs_stack_top(ui));
        evs_app_fit(ui);
    }
}

struct evs_screen *evs_stack_top(const struct evs_ui *ui)
{
    return ui->n_stack ? ui->stack[ui->n_stack - 1] : NULL;
}
