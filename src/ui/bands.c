/* bands.c - header, breadcrumb, status, footer around every body. */
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "browse/topics.h"
#include "kafka/client.h"
#include "ui/app.h"
#include "ui/widgets/chart.h"
#include "ui/widgets/table.h"

void evs_frame_of(int rows, int cols, struct evs_frame *ret_f)
{
    bool compact = rows < 10 || cols < 40;
    bool crumb = !compact && cols >= 60;
    *ret_f = (struct evs_frame){.header = 0, .crumb = crumb ? 1 : -1, .compact = compact};
    ret_f->body = crumb ? 2 : 1;
    ret_f->footer = compact ? -1 : rows - 1;
    ret_f->status = compact ? rows - 1 : rows - 2;
    ret_f->body_rows = ret_f->status - ret_f->body;
    if (ret_f->body_rows < 0)
        ret_f->body_rows = 0;
}

static const char *cluster_name(const struct evs_ui *ui)
{
    if (!ui->client)
        return "no cluster";
    const struct evs_client_conf *conf = evs_client_conf(ui->client);
    if (ui->opts->cluster)
        return ui->opts->cluster;
    if (conf->cluster)
        return conf->cluster;
    const char *brokers = evs_client_conf_get(conf, "bootstrap.servers");
    return brokers ? brokers : "cluster";
}

/* One piece of the header and the gap after it. */
enum { CLOCK_COLS = 16 };

static int piece(struct evs_view *v, int at, enum evs_role role, const char *text)
{
    if (at >= v->cols)
        return at;
    if (role != EVS_ROLE_HEADER)
        evs_view_fill(v, 0, at, (int)evs_text_width(text, strlen(text)), role, NULL);
    return at + evs_view_text(v, 0, at, role, text) + 2;
}

static void link_text(const struct evs_ui *ui, bool wide, char *to, size_t size,
                      enum evs_role *role)
{
    struct evs_link_state link;
    evs_client_link(ui->client, &link);
    char since[EVS_NUM_LEN];
    *role = EVS_ROLE_HEADER;
    if (link.link == EVS_LINK_UP) {
        char reply[32] = "";
        if (wide && link.reply_ms >= 1)
            snprintf(reply, sizeof(reply), " %.0f ms", link.reply_ms);
        snprintf(to, size, "%s %d broker%s%s", evs_glyph(EVS_G_UP), link.brokers_up,
                 link.brokers_up == 1 ? "" : "s", reply);
    } else if (link.link == EVS_LINK_CONNECTING) {
        snprintf(to, size, "%s connecting", evs_glyph(EVS_G_WAIT));
    } else {
        *role = EVS_ROLE_BAD;
        evs_num_moment(since, link.since_ms, ui->now_ms, 1000);
        bool never = !ui->data.topics_sn || !ui->data.topics_sn->n;
        snprintf(to, size, "%s %s%s%s%s", evs_glyph(EVS_G_DOWN), never ? "not connected" : "lost ",
                 never ? "" : since, wide && link.reason[0] ? ", " : "", wide ? link.reason : "");
    }
}

static void clock_text(const struct evs_ui *ui, bool seconds, bool zone, char *to, size_t size)
{
    char clock[EVS_NUM_LEN], name[EVS_NUM_LEN];
    evs_num_clock(clock, ui->now_ms, ui->now_ms);
    clock[seconds ? 8 : 5] = '\0';
    snprintf(to, size, "%s%s%s", clock, zone ? " " : "",
             zone ? evs_num_zone(name, ui->now_ms) : "");
}

static const char *mode_word(const struct evs_ui *ui, bool compact)
{
    const struct evs_client_conf *conf = evs_client_conf(ui->client);
    if (conf->read_only)
        return "locked";
    if (conf->allow_writes)
        return "WRITES ALLOWED";
    return compact ? "ro" : "read-only";
}

static int header_left(const struct evs_ui *ui, struct evs_view *v, bool compact)
{
    bool wide = v->cols >= 100;
    char text[300];
    enum evs_role role;
    int at = 1;
    if (wide || (!ui->client && !compact))
        at = piece(v, at, EVS_ROLE_TEXT_STRONG, "eventscope");
    struct evs_view name = *v; /* narrow: it leaves room for PROD, the mode and the glyph */
    if (compact && ui->client)
        name.cols -= 6 + (ui->demo ? 7 : 0) + 5 * evs_client_conf(ui->client)->production;
    const char *text_of = cluster_name(ui);
    at += evs_view_fit(&name, 0, at, name.cols - at, EVS_ROLE_HEADER, text_of, strlen(text_of),
                       EVS_CUT_MIDDLE) +
          (compact ? 1 : 2);
    if (!ui->client)
        return at;
    const struct evs_client_conf *conf = evs_client_conf(ui->client);
    if (ui->demo)
        at = piece(v, at, EVS_ROLE_HEADER_DEMO, compact ? "SAMPLE" : "SAMPLE DATA");
    if (conf->production)
        at = piece(v, at, EVS_ROLE_HEADER_PROD, "PROD") - compact;
    bool writes = conf->allow_writes && !conf->read_only;
    at = piece(v, at, writes ? EVS_ROLE_HEADER_WRITE : EVS_ROLE_HEADER, mode_word(ui, compact));
    link_text(ui, wide, text, sizeof(text), &role);
    if (compact) { /* the glyph alone */
        size_t n = strcspn(text, " ");
        text[n] = '\0';
        evs_view_right(v, 0, v->cols - 1, role, text);
        return v->cols;
    }
    int room = v->cols - at - (wide ? CLOCK_COLS : 0); /* the clock keeps its place */
    return at + evs_view_fit(v, 0, at, room, role, text, strlen(text), EVS_CUT_END) + 2;
}

static void draw_header(const struct evs_ui *ui, const struct evs_bands *b,
                        const struct evs_frame *f, const char *crumb, struct evs_view *all)
{
    struct evs_view v = evs_view_band(all, f->header, 1, EVS_ROLE_HEADER);
    int left = header_left(ui, &v, f->compact);
    if (f->compact)
        return;
    char clock[64], right[160];
    bool wide = v.cols >= 100;
    clock_text(ui, wide && (b->live || b->progress.active), wide, clock, sizeof(clock));
    snprintf(right, sizeof(right), "%s%s%s", ui->jobs, ui->jobs[0] ? "  " : "", clock);
    if (v.cols < 60) /* the breadcrumb joins the header */
        evs_bands_say(right, sizeof(right), "%s", crumb);
    int width = (int)evs_text_width(right, strlen(right)), room = v.cols - 1 - left;
    if (width > room && v.cols >= 60)
        snprintf(right, sizeof(right), "%s", ui->jobs);
    if (room < 4)
        return;
    width = (int)evs_text_width(right, strlen(right));
    int at = width > room ? left : v.cols - 1 - width;
    evs_view_fit(&v, 0, at, v.cols - 1 - at, EVS_ROLE_HEADER, right, strlen(right), EVS_CUT_END);
}

static void draw_crumb(const struct evs_bands *b, const struct evs_frame *f, const char *crumb,
                       struct evs_view *all)
{
    if (f->crumb < 0)
        return;
    struct evs_view v = evs_view_band(all, f->crumb, 1, EVS_ROLE_CRUMB);
    int right = (int)evs_text_width(b->right, strlen(b->right));
    int room = v.cols - 2 - (right && right < v.cols / 2 ? right + 2 : 0);
    int used =
        evs_view_fit(&v, 0, 1, room, EVS_ROLE_TEXT_STRONG, crumb, strlen(crumb), EVS_CUT_MIDDLE);
    if (right && used + 4 + right > v.cols) {
        int at = used + 3, cols = v.cols - 1 - at;
        if (cols > 8)
            evs_view_fit(&v, 0, at, cols, EVS_ROLE_CRUMB, b->right, strlen(b->right), EVS_CUT_END);
    } else if (right) {
        evs_view_right(&v, 0, v.cols - 1, EVS_ROLE_CRUMB, b->right);
    }
}

static void compact_status(struct evs_ui *ui, const struct evs_bands *b, struct evs_view *v)
{
    struct evs_screen *s = evs_stack_top(ui);
    struct evs_table *t = s->ops->table ? s->ops->table(s) : NULL;
    char text[64] = "";
    if (t && t->n)
        snprintf(text, sizeof(text), "%s %zu/%zu", b->tag, t->cursor + 1, t->n);
    else
        snprintf(text, sizeof(text), "%.60s", b->left);
    const char *left = text[0] == ' ' ? text + 1 : text;
    int room = v->cols - 8;
    evs_view_fit(v, 0, 0, room, EVS_ROLE_STATUS, left, strlen(left), EVS_CUT_END);
    evs_view_right(v, 0, v->cols - 1, EVS_ROLE_FOOTER, "? help");
}

static void draw_status(struct evs_ui *ui, const struct evs_bands *b, const struct evs_frame *f,
                        struct evs_view *all)
{
    struct evs_view v = evs_view_band(all, f->status, 1, EVS_ROLE_STATUS);
    if (ui->said[0]) {
        evs_view_fit(&v, 0, 1, v.cols - 2, ui->said_role, ui->said, strlen(ui->said), EVS_CUT_END);
    } else if (b->progress.active) {
        evs_chart_progress(&v, 0, &b->progress);
    } else if (f->compact) {
        compact_status(ui, b, &v);
    } else {
        int at = 1;
        if (b->tag[0])
            at += evs_view_text(&v, 0, at, EVS_ROLE_STATUS_TAG, b->tag) + 1;
        if (at < 8)
            at = 8;
        int right = (int)evs_text_width(b->value, strlen(b->value));
        int end = v.cols - 1 - (right ? right + 2 : 0);
        if (end < at) /* the value goes before its meaning */
            end = at;
        evs_view_fit(&v, 0, at, end - at, b->role, b->left, strlen(b->left), EVS_CUT_END);
        int from = v.cols - 1 - right < at ? at : v.cols - 1 - right;
        evs_view_fit(&v, 0, from, v.cols - 1 - from, EVS_ROLE_STATUS, b->value, strlen(b->value),
                     EVS_CUT_END);
    }
}

struct entry {
    char key[3 * EVS_KEY_NAME];
    const char *word;
    enum evs_command command;
    int width;
};
enum { ENTRIES = 16, ENTRY_GAP = 2 };

static bool entry_of(const struct evs_ui *ui, enum evs_command c, enum evs_command also,
                     const char *word, struct entry *e)
{
    const char *screen = evs_stack_top(ui)->ops->name;
    bool reading = evs_app_reading(ui);
    int keys[8];
    char name[EVS_KEY_NAME];
    if (!evs_keymap_keys(&ui->keys, screen, reading, c, keys, 8))
        return false;
    int key = keys[0];
    if (key >= EVS_KEY_UP && evs_keymap_keys(&ui->keys, screen, reading, c, keys, 8) > 1)
        key = keys[1] < EVS_KEY_UP ? keys[1] : keys[0];
    snprintf(e->key, sizeof(e->key), "%s", evs_key_name(key, name));
    size_t n = strlen(e->key);
    if (also != EVS_CMD_NONE && evs_keymap_keys(&ui->keys, screen, reading, also, keys, 8))
        snprintf(e->key + n, sizeof(e->key) - n, " %s", evs_key_name(keys[0], name));
    e->word = word ? word : evs_command_row(c)->text;
    e->command = c;
    e->width = (int)evs_text_width(e->key, strlen(e->key)) + 1 +
               (int)evs_text_width(e->word, strlen(e->word));
    return true;
}

static int collect(const struct evs_ui *ui, struct entry *to)
{
    int n = 0;
    const struct evs_hint *h = evs_stack_top(ui)->ops->hints;
    for (; h && h->command != EVS_CMD_NONE && n < ENTRIES - 3; h++)
        if (evs_app_can(ui, h->command) && entry_of(ui, h->command, h->also, h->word, &to[n]))
            n++;
    return n;
}

static int collect_common(const struct evs_ui *ui, int cols, struct entry *to)
{
    bool root = ui->n_stack <= 1;
    int n = 0;
    n += entry_of(ui, EVS_CMD_HELP, EVS_CMD_NONE, "help", &to[n]);
    if (cols >= 100)
        n += entry_of(ui, EVS_CMD_PALETTE, EVS_CMD_NONE, "command", &to[n]);
    if (cols >= 60)
        n += entry_of(ui, EVS_CMD_CLOSE, EVS_CMD_NONE, root ? "quit" : "back", &to[n]);
    return n;
}

static int draw_entry(struct evs_view *v, int at, const struct entry *e)
{
    at += evs_view_text(v, 0, at, EVS_ROLE_FOOTER_KEY, e->key) + 1;
    return at + evs_view_text(v, 0, at, EVS_ROLE_FOOTER, e->word);
}

/* Entries and where they stand: left ones from column 1 while they fit, common ones at the right
 * end. */
static int place_entries(const struct evs_ui *ui, int cols, struct entry *e, int *at)
{
    struct entry right[4];
    int n_right = collect_common(ui, cols, right), right_width = 0, n = collect(ui, e);
    for (int i = 0; i < n_right; i++)
        right_width += right[i].width + (i ? ENTRY_GAP : 0);
    int end = cols - 1 - right_width, col = 1, shown = 0;
    for (; shown < n && col + e[shown].width + ENTRY_GAP <= end; shown++) {
        at[shown] = col;
        col += e[shown].width + ENTRY_GAP;
    }
    for (int i = 0, right_at = end; i < n_right; i++, shown++) {
        e[shown] = right[i];
        at[shown] = right_at;
        right_at += right[i].width + ENTRY_GAP;
    }
    return shown;
}

/* Of a form: its letters are text, so that no key of the screen is one. */
static const char *form_footer(const struct evs_ui *ui)
{
    const struct evs_screen *s = evs_stack_top(ui);
    return s && s->ops->footer ? s->ops->footer(s) : NULL;
}

enum evs_command evs_footer_at(const struct evs_ui *ui, int col)
{
    if (form_footer(ui))
        return EVS_CMD_NONE;
    struct entry e[ENTRIES];
    int at[ENTRIES], n = place_entries(ui, ui->surface.cols, e, at);
    for (int i = 0; i < n; i++)
        if (col >= at[i] && col < at[i] + e[i].width)
            return e[i].command;
    return EVS_CMD_NONE;
}

/* "Enter accept  Esc cancel": the first word of each part is the key. */
static void draw_hint_text(struct evs_view *v, const char *hints)
{
    int at = 1;
    for (const char *p = hints; *p;) {
        size_t part = 0;
        while (p[part] && !(p[part] == ' ' && p[part + 1] == ' '))
            part++;
        size_t key = 0;
        while (key < part && p[key] != ' ')
            key++;
        if (at + (int)evs_text_width(p, part) >= v->cols)
            return;
        at += evs_view_bytes(v, 0, at, EVS_ROLE_FOOTER_KEY, p, key);
        at += evs_view_bytes(v, 0, at, EVS_ROLE_FOOTER, p + key, part - key) + 2;
        p += part;
        while (*p == ' ')
            p++;
    }
}

static void draw_footer(const struct evs_ui *ui, const struct evs_frame *f, struct evs_view *all)
{
    if (f->footer < 0)
        return;
    struct evs_view v = evs_view_band(all, f->footer, 1, EVS_ROLE_FOOTER);
    if (ui->overlay) {
        draw_hint_text(&v, ui->overlay->hints ? ui->overlay->hints : "Enter accept  Esc cancel");
        return;
    }
    if (form_footer(ui)) {
        draw_hint_text(&v, form_footer(ui));
        return;
    }
    struct entry e[ENTRIES];
    int at[ENTRIES], n = place_entries(ui, v.cols, e, at);
    for (int i = 0; i < n; i++)
        draw_entry(&v, at[i], &e[i]);
}

void evs_bands_draw(struct evs_ui *ui, const struct evs_frame *f, struct evs_view *all)
{
    struct evs_screen *s = evs_stack_top(ui);
    if (!s)
        return;
    struct evs_bands b;
    memset(&b, 0, sizeof(b));
    b.role = EVS_ROLE_STATUS;
    if (s->ops->bands)
        s->ops->bands(s, &b);
    const char *crumb = b.crumb[0] ? b.crumb : s->ops->title;
    draw_header(ui, &b, f, crumb, all);
    draw_crumb(&b, f, crumb, all);
    if (ui->overlay) {
        int room = f->body_rows;
        int rows = ui->overlay->rows ? ui->overlay->rows(ui->overlay, room) : 0;
        rows = rows > room ? room : rows;
        struct evs_view above = evs_view_sub(all, f->status - rows, 0, rows, all->cols);
        if (!ui->overlay->floats)
            above = evs_view_band(all, f->status - rows, rows, EVS_ROLE_N);
        else
            draw_status(ui, &b, f, all);
        struct evs_view status = evs_view_sub(all, f->status, 0, 1, all->cols);
        if (!ui->overlay->floats)
            status = evs_view_band(all, f->status, 1, EVS_ROLE_PROMPT);
        ui->overlay->draw(ui->overlay, &above, &status);
    } else {
        draw_status(ui, &b, f, all);
    }
    draw_footer(ui, f, all);
}
