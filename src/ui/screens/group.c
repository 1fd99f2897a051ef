/* group.c - Group detail: which partition holds the group back, and who owns it. */
#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "ui/app.h"
#include "ui/screens/group_int.h"
#include "ui/screens/lag_words.h"

enum { STACK_ROWS = 18, MEMBER_ROWS = 6 };

static struct group *of(const struct evs_screen *s)
{
    return s->state;
}

/* --- layout --------------------------------------------------------------------------------- */

static int member_rows(const struct evs_screen *s)
{
    const struct group *p = of(s);
    if (s->rows < STACK_ROWS || !p->g)
        return 0;
    int most = s->zoom && p->on_members ? s->rows - 3 : MEMBER_ROWS;
    int n = p->g->n_members < (size_t)most ? (int)p->g->n_members : most;
    return n + 3; /* rule, heading, who else */
}

static void lay_out(struct evs_screen *s)
{
    struct group *p = of(s);
    int below = member_rows(s);
    evs_table_resize(&p->rows, s->rows - below - (below ? 1 : 0));
    evs_table_resize(&p->members, below > 2 ? below - 2 : 1);
}

static void others_line(const struct group *p, char *to, size_t size)
{
    size_t n = 0, len = 0;
    to[0] = '\0';
    for (size_t i = 0; i < p->sn->n_groups; i++) {
        const struct evs_lag_group_row *o = &p->sn->groups[i];
        bool shares = false;
        for (size_t a = 0; a < o->n_topics && o != p->g && !shares; a++)
            for (size_t b = 0; b < p->g->n_topics && !shares; b++)
                shares = !strcmp(o->topics[a], p->g->topics[b]);
        if (shares && n++ < 4 && len + 1 < size) {
            evs_bands_say(to + len, size - len, "%s%s", len ? ", " : "", o->name);
            len = strlen(to);
        }
    }
    if (n > 4 && len + 1 < size)
        evs_bands_say(to + len, size - len, " and %zu more", n - 4);
}

static void draw_members(const struct evs_screen *s, struct evs_view *v)
{
    const struct group *p = of(s);
    char others[300], line[400];
    evs_view_rule(v, 0, "members", NULL, p->on_members);
    struct evs_view at = evs_view_sub(v, 1, 0, v->rows - 2, v->cols);
    if (p->g->n_members)
        evs_table_draw(&p->members, &at);
    else
        evs_view_text(&at, 0, 2, EVS_ROLE_TEXT_DIM,
                      p->g->new_protocol ? "new protocol: members unknown to this librdkafka"
                      : p->g->described  ? "no member"
                                         : "members are not known");
    others_line(p, others, sizeof(others));
    if (!others[0])
        return;
    evs_bands_say(line, sizeof(line), "shared within this group; also, each with every message: %s",
                  others);
    evs_view_fit(v, v->rows - 1, 2, v->cols - 3, EVS_ROLE_TEXT_DIM, line, strlen(line),
                 EVS_CUT_END);
}

static void draw(const struct evs_screen *s, struct evs_view *v)
{
    const struct group *p = of(s);
    if (!p->g) {
        evs_view_printf(v, 1, 2, EVS_ROLE_TEXT_DIM, "%s",
                        p->sn ? "No such group is visible; it is asked for by name."
                              : "asking for the group");
        return;
    }
    int below = member_rows(s);
    struct evs_view top = evs_view_sub(v, 0, 0, v->rows - below - (below ? 1 : 0), v->cols);
    evs_table_draw(&p->rows, &top);
    if (!p->g->n_rows)
        evs_view_text(v, 2, 2, EVS_ROLE_TEXT,
                      p->g->error ? p->g->error : "This group has committed nothing.");
    if (below) {
        struct evs_view bottom = evs_view_sub(v, v->rows - below, 0, below, v->cols);
        draw_members(s, &bottom);
    }
}

/* --- the screen ----------------------------------------------------------------------------- */

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct group *p = of(s);
    p->ui = s->ui;
    p->want = s->at.partition;
    snprintf(p->want_topic, sizeof(p->want_topic), "%s", s->at.topic ? s->at.topic : "");
    evs_table_init(&p->rows, &group_row_ops, p, COL_LAG, COL_LAG, true);
    evs_table_init(&p->members, &group_member_ops, p, M_CLIENT, -1, false);
    p->rows.focused = true;
    p->members.focused = false;
    return s->at.group ? EVS_OK : evs_fail(err, EVS_INVALID, "group: which one? :group NAME");
}

static void leave(struct evs_screen *s)
{
    evs_table_done(&of(s)->rows);
    evs_table_done(&of(s)->members);
    (void)evs_data_keep_lag(&of(s)->sn, NULL);
}

static void resize(struct evs_screen *s, int rows, int n_cols)
{
    (void)rows;
    (void)n_cols;
    lay_out(s);
}

static void tell_poller(struct group *p, const char *name)
{
    struct evs_lag_poller *poller = evs_data_lag_poller(p->ui);
    if (!poller || p->asked)
        return;
    p->asked = true;
    evs_lag_poller_view(poller, &name, 1);
}

static bool refresh(struct evs_screen *s)
{
    struct group *p = of(s);
    const struct evs_lag_sn *sn = evs_data_lag(s->ui);
    tell_poller(p, s->at.group);
    if (!evs_data_keep_lag(&p->sn, sn))
        return false;
    bool first = !p->g;
    p->g = sn ? evs_lag_find(sn, s->at.group) : NULL;
    if (sn && !p->g && first && sn->refresh == 1)
        evs_lag_poller_add(evs_data_lag_poller(s->ui), s->at.group);
    lay_out(s);
    evs_table_update(&p->rows);
    evs_table_update(&p->members);
    if (first && p->g && p->want >= 0 && p->want_topic[0])
        (void)evs_table_go_id(&p->rows, lag_id(p->want_topic) * 31 + (uint64_t)p->want);
    return true;
}

static const struct evs_lag_row *current(const struct group *p)
{
    size_t row = p->g ? evs_table_row(&p->rows) : SIZE_MAX;
    return row == SIZE_MAX ? NULL : &p->g->rows[row];
}

static void say_right(const struct group *p, struct evs_bands *b)
{
    const char *dot = evs_glyph(EVS_G_DOT);
    char lag[EVS_NUM_LEN], members[40], coordinator[40];
    const struct evs_lag_group_row *g = p->g;
    evs_bands_say(members, sizeof(members), g->described ? "%zu member%s" : "members unknown",
                  g->n_members, g->n_members == 1 ? "" : "s");
    coordinator[0] = '\0';
    const char *state = lag_state(g);
    state = strcmp(state, "?") ? state : "state unknown";
    if (g->coordinator >= 0)
        evs_bands_say(coordinator, sizeof(coordinator), " %s coordinator %d", dot,
                      (int)g->coordinator);
    evs_bands_say(
        b->right, sizeof(b->right), "%s%s%s%s%s%s %s %s %s lag %s %s %s", state,
        g->assignor && g->assignor[0] ? " " : "", g->assignor && g->assignor[0] ? dot : "",
        g->assignor && g->assignor[0] ? " " : "", g->assignor ? g->assignor : "", coordinator, dot,
        members, dot, g->v.total < 0 ? evs_glyph(EVS_G_NONE) : evs_num_commas(lag, g->v.total), dot,
        evs_lag_status_word(g->v.verdict.status));
}

static void say_left(const struct group *p, const struct evs_lag_row *r, struct evs_bands *b)
{
    char share[EVS_NUM_LEN];
    if (p->rows.col == COL_STATUS && r)
        evs_bands_say(b->left, sizeof(b->left), "%s", evs_lag_rule_text(r->verdict.rule));
    else if (p->rows.col == COL_AGE && r)
        lag_method_words(&r->age, b->left, sizeof(b->left));
    else if (p->rows.col == COL_LAG && r && r->compacted > 0)
        evs_bands_say(b->left, sizeof(b->left),
                      "a compacted topic: lag = high %s committed is at most what waits",
                      evs_glyph(EVS_G_MINUS));
    else if (p->rows.col == COL_LAG)
        evs_bands_say(b->left, sizeof(b->left), "lag = high %s committed; i counts to the %s",
                      evs_glyph(EVS_G_MINUS),
                      p->sn->stable ? "high watermark instead" : "last stable offset instead");
    if (p->rows.col == COL_LAG && r && p->g->v.total > 0 && r->f.lag >= 0)
        evs_bands_say(b->value, sizeof(b->value), "p%d is %s of the lag", (int)r->partition,
                      evs_num_share(share, (double)r->f.lag / (double)p->g->v.total));
}

static void bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct group *p = of(s);
    const struct evs_lag_poller_state *st = evs_data_lag_state(s->ui);
    evs_bands_crumb(b, "Groups", s->at.group, NULL);
    b->live = !(st && st->paused);
    if (p->g)
        say_right(p, b);
    if (lag_stale_bands(s->ui, p->sn, st, b) || !p->g)
        return;
    if (p->g->error) {
        b->role = EVS_ROLE_WARN;
        evs_bands_say(b->left, sizeof(b->left), "%s", p->g->error);
        return;
    }
    say_left(p, current(p), b);
    if (p->rows.col == COL_LAG && current(p) && current(p)->compacted > 0)
        evs_bands_say(b->tag, sizeof(b->tag), "span");
    evs_bands_table(b, p->on_members ? &p->members : &p->rows, p->on_members ? 0 : COL_PART);
}

static void place(const struct evs_screen *s, struct evs_place *to)
{
    const struct evs_lag_row *r = current(of(s));
    if (r)
        lag_place(r, s->at.group, to);
}

static void focus(struct group *p, bool members)
{
    p->on_members = members;
    p->rows.focused = !members;
    p->members.focused = members;
}

static enum evs_handled open_row(struct evs_screen *s)
{
    struct group *p = of(s);
    struct evs_place at = EVS_PLACE_INIT;
    if (p->on_members) {
        size_t m = evs_table_row(&p->members);
        if (m != SIZE_MAX)
            evs_table_filter(&p->rows, p->g->members[m].client);
        focus(p, false);
        return EVS_HANDLED;
    }
    place(s, &at);
    if (at.topic)
        evs_ui_open(s->ui, "why", &at);
    evs_place_done(&at);
    return EVS_HANDLED;
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct group *p = of(s);
    switch (c) {
    case EVS_CMD_OPEN: return open_row(s);
    case EVS_CMD_PANE_NEXT:
    case EVS_CMD_PANE_PREV:
        if (member_rows(s) && p->g->n_members)
            focus(p, !p->on_members);
        return EVS_HANDLED;
    case EVS_CMD_ZOOM: lay_out(s); return EVS_IGNORED;
    default: return lag_command(s->ui, c);
    }
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct group *p = of(s);
    const struct evs_lag_row *r = current(p);
    switch (c) {
    case EVS_CMD_OPEN:
    case EVS_CMD_FILTER: return r != NULL;
    case EVS_CMD_GO_MESSAGES:
    case EVS_CMD_GO_KEYS:
    case EVS_CMD_REPLAY: return r && r->f.lag > 0;
    case EVS_CMD_SIBLING_PREV:
    case EVS_CMD_SIBLING_NEXT: return p->sn && p->sn->n_groups > 1;
    default: return lag_can(s->ui, c);
    }
}

static bool sibling(struct evs_screen *s, int step)
{
    struct group *p = of(s);
    size_t n = p->sn ? p->sn->n_groups : 0;
    if (n < 2)
        return false;
    size_t here = p->g ? (size_t)(p->g - p->sn->groups) : 0;
    const char *name = p->sn->groups[(here + n + (size_t)(step < 0 ? n - 1 : 1)) % n].name;
    evs_place_set(&s->at.group, name);
    p->asked = false;
    p->g = evs_lag_find(p->sn, s->at.group);
    focus(p, false);
    evs_table_clear_filter(&p->rows);
    lay_out(s);
    evs_table_update(&p->rows);
    evs_table_update(&p->members);
    return true;
}

static struct evs_table *table(struct evs_screen *s)
{
    struct group *p = of(s);
    return p->on_members ? &p->members : &p->rows;
}

static bool command_line(const struct evs_screen *s, struct evs_buf *out)
{
    return evs_buf_printf(out, "lag --group %s", s->at.group);
}

static const struct evs_hint hints[] = {EVS_HINT(OPEN, "why"),
                                        EVS_HINT(GO_MESSAGES, "message at commit"),
                                        EVS_HINT(GO_KEYS, "keys in the lag"),
                                        EVS_HINT(REPLAY, "replay the lag"),
                                        EVS_HINT2(SIBLING_PREV, SIBLING_NEXT, "group"),
                                        EVS_HINT(PAUSE, "pause"),
                                        EVS_HINT(ISOLATION, "isolation"),
                                        EVS_HINTS_END};

const struct evs_screen_ops evs_screen_group = {
    .name = "group",
    .title = "Group",
    .about = "which partition holds a group back, and who owns it",
    .state_size = sizeof(struct group),
    .hints = hints,
    .enter = enter,
    .resize = resize,
    .refresh = refresh,
    .draw = draw,
    .leave = leave,
    .bands = bands,
    .command = command,
    .can = can,
    .table = table,
    .place = place,
    .sibling = sibling,
    .command_line = command_line,
};
