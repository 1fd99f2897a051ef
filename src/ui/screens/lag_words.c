#include "ui/screens/lag_words.h"

#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "ui/data.h"
#include "ui/glyph.h"

enum evs_role lag_role(enum evs_lag_status s)
{
    switch (s) {
    case EVS_LAG_OK: return EVS_ROLE_LAG_OK;
    case EVS_LAG_EMPTY:
    case EVS_LAG_UNKNOWN: return EVS_ROLE_NUM_UNKNOWN;
    case EVS_LAG_SKEWED:
    case EVS_LAG_WARN: return EVS_ROLE_LAG_WARN;
    default: return EVS_ROLE_LAG_BAD;
    }
}

const char *lag_state(const struct evs_lag_group_row *g)
{
    return g->state == EVS_GROUP_UNKNOWN || (g->new_protocol && g->state == EVS_GROUP_DEAD)
               ? "?"
               : evs_group_state_name(g->state);
}

static void none(struct evs_field *f)
{
    evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(EVS_G_NONE));
}

void lag_age_field(const struct evs_lag_time *a, int64_t lag, struct evs_field *f)
{
    char n[EVS_NUM_LEN];
    if (a->method == EVS_METHOD_NONE || lag <= 0)
        none(f);
    else if (a->method == EVS_METHOD_BRACKET)
        evs_field_printf(f, EVS_ROLE_NUM_EST, "> %s", evs_num_ago(n, a->min_ms));
    else if (a->method == EVS_METHOD_INTERPOLATED)
        evs_field_printf(f, EVS_ROLE_NUM_EST, "~%s", evs_num_ago(n, a->lag_ms));
    else
        evs_field_set(f, EVS_ROLE_TEXT, evs_num_ago(n, a->lag_ms));
}

void lag_eta_field(const struct evs_lag_eta *eta, struct evs_field *f)
{
    char n[EVS_NUM_LEN];
    switch (eta->kind) {
    case EVS_ETA_GROWS: evs_field_set(f, EVS_ROLE_LAG_WARN, "grows"); break;
    case EVS_ETA_NEVER: evs_field_set(f, EVS_ROLE_LAG_BAD, "never"); break;
    case EVS_ETA_TIME:
        evs_field_set(f, EVS_ROLE_TEXT, evs_num_ago(n, (int64_t)(eta->seconds * 1000)));
        break;
    default: none(f); break;
    }
}

void lag_rate_field(const struct evs_ui *ui, double v, struct evs_field *f)
{
    char n[EVS_NUM_LEN];
    if (v < 0)
        none(f);
    else if (f->exact)
        evs_field_printf(f, EVS_ROLE_TEXT, "%.3f", v);
    else
        evs_field_set(f, EVS_ROLE_TEXT, evs_ui_rate(ui, n, v));
}

void lag_count_field(const struct evs_ui *ui, int64_t lag, int64_t open, bool stable,
                     struct evs_field *f)
{
    char n[EVS_NUM_LEN], o[EVS_NUM_LEN];
    if (lag < 0) {
        none(f);
        return;
    }
    int64_t base = stable || open > lag ? lag : lag - open;
    const char *text = f->exact ? evs_num_commas(n, open > 0 ? base : lag)
                                : evs_ui_num(ui, n, open > 0 ? base : lag);
    if (open > 0)
        evs_field_printf(f, EVS_ROLE_LAG_WARN, "%s +%s open", text, evs_num_commas(o, open));
    else
        evs_field_set(f, EVS_ROLE_TEXT, text);
}

void lag_method_words(const struct evs_lag_time *a, char *to, size_t size)
{
    char min[EVS_NUM_LEN], max[EVS_NUM_LEN];
    evs_num_ago(min, a->min_ms);
    evs_num_ago(max, a->max_ms < 0 ? 0 : a->max_ms);
    switch (a->method) {
    case EVS_METHOD_EXACT:
        evs_bands_say(to, size, "time lag is the age of the record at the commit, read");
        break;
    case EVS_METHOD_INTERPOLATED:
        evs_bands_say(to, size, "time lag lies between %s and %s, interpolated", min, max);
        break;
    case EVS_METHOD_BRACKET:
        evs_bands_say(to, size, "time lag is at least %s: older than what was asked for", min);
        break;
    default: evs_bands_say(to, size, "time lag is not known"); break;
    }
}

void lag_force_words(const struct evs_lag_poller_state *st, bool stable, char *to, size_t size)
{
    char n[EVS_NUM_LEN];
    const char *dot = evs_glyph(EVS_G_DOT);
    int64_t ms = st ? st->interval_ms : EVS_LAG_POLLER_MS;
    if (st && st->paused)
        evs_bands_say(n, sizeof(n), "paused");
    else if (ms % 60000 == 0)
        evs_bands_say(n, sizeof(n), "every %lld m", (long long)(ms / 60000));
    else
        evs_bands_say(n, sizeof(n), "every %lld s", (long long)(ms / 1000));
    evs_bands_say(to, size, "%s %s %s (i)", n, dot,
                  stable ? "last stable offset" : "high watermark");
}

bool lag_stale_bands(const struct evs_ui *ui, const struct evs_lag_sn *sn,
                     const struct evs_lag_poller_state *st, struct evs_bands *b)
{
    char since[EVS_NUM_LEN];
    const char *why = st && st->failed_since_ms ? st->err.msg : sn ? sn->warning : NULL;
    if (!why)
        return false;
    b->role = EVS_ROLE_BAD;
    if (st && st->failed_since_ms) {
        b->stale_since_ms = st->failed_since_ms;
        evs_num_moment(since, st->failed_since_ms, evs_ui_now_ms(ui), 1000);
        evs_bands_say(b->left, sizeof(b->left), "as of %s: %s", since, why);
        evs_bands_say(b->value, sizeof(b->value), "%s", st->err.hint);
    } else {
        evs_bands_say(b->left, sizeof(b->left), "%s", why);
    }
    return true;
}

static enum evs_handled step_interval(struct evs_ui *ui, int step)
{
    static const int64_t steps[] = {1000, 2000, 5000, 10000, 30000, 60000, 300000};
    struct evs_lag_wish *wish = evs_data_lag_wish(ui);
    int i = 0, n = (int)EVS_COUNT(steps);
    while (i < n - 1 && steps[i] < wish->interval_ms)
        i++;
    i = i + step < 0 ? 0 : i + step >= n ? n - 1 : i + step;
    wish->interval_ms = steps[i];
    evs_lag_poller_interval(evs_data_lag_poller(ui), steps[i]);
    evs_ui_say(ui, EVS_ROLE_STATUS, "asked every %lld s from now on", (long long)(steps[i] / 1000));
    return EVS_HANDLED;
}

static enum evs_handled pause_poller(struct evs_ui *ui, bool on)
{
    evs_data_lag_wish(ui)->paused = on;
    evs_lag_poller_pause(evs_data_lag_poller(ui), on);
    evs_ui_say(ui, EVS_ROLE_STATUS, on ? "paused: p goes on" : "going on");
    return EVS_HANDLED;
}

static enum evs_handled count_to(struct evs_ui *ui, bool stable)
{
    evs_data_lag_wish(ui)->stable = stable;
    evs_lag_poller_stable(evs_data_lag_poller(ui), stable);
    evs_ui_say(ui, EVS_ROLE_STATUS, "lag counts to the %s",
               stable ? "last stable offset" : "high watermark");
    return EVS_HANDLED;
}

enum evs_handled lag_command(struct evs_ui *ui, enum evs_command c)
{
    struct evs_lag_poller *p = evs_data_lag_poller(ui);
    const struct evs_lag_wish *wish = evs_data_lag_wish(ui);
    if (!p)
        return EVS_IGNORED;
    switch (c) {
    case EVS_CMD_PAUSE: return pause_poller(ui, !wish->paused);
    case EVS_CMD_CONTINUE: return pause_poller(ui, false);
    case EVS_CMD_MORE: return step_interval(ui, 1);
    case EVS_CMD_LESS: return step_interval(ui, -1);
    case EVS_CMD_ISOLATION: return count_to(ui, !wish->stable);
    case EVS_CMD_REFRESH:
        evs_lag_poller_refresh(p);
        evs_ui_say(ui, EVS_ROLE_STATUS, "asking the cluster again");
        return EVS_HANDLED;
    default: return EVS_IGNORED;
    }
}

bool lag_can(struct evs_ui *ui, enum evs_command c)
{
    switch (c) {
    case EVS_CMD_PAUSE:
    case EVS_CMD_CONTINUE:
    case EVS_CMD_MORE:
    case EVS_CMD_LESS:
    case EVS_CMD_ISOLATION:
    case EVS_CMD_REFRESH: return evs_data_lag_poller(ui) != NULL;
    default: return true;
    }
}

void lag_place(const struct evs_lag_row *r, const char *group, struct evs_place *to)
{
    evs_place_set(&to->group, group);
    if (!r)
        return;
    evs_place_set(&to->topic, r->topic);
    to->partition = r->partition;
    int64_t from = r->committed > r->low ? r->committed : r->low;
    to->offset = r->f.lag > 0 ? from : -1;
    to->offset_to = r->f.lag > 0 ? r->f.high : -1;
}

uint64_t lag_id(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * 0x100000001b3u;
    return h;
}
