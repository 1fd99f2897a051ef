/* keys_scope.c - what the scan counts: a filter, the isolation, live or to the present end. */
#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "keys/scan.h"
#include "ui/app.h"
#include "ui/screens/keys_int.h"
#include "ui/search.h"

static bool filter_changed(void *ctx, const char *text, char say[EVS_PROMPT_SAY])
{
    struct evs_search s;
    struct evs_err err = EVS_ERR_INIT;
    (void)ctx;
    evs_search_init(&s);
    enum evs_rc rc = evs_search_parse(&s, text, &err);
    if (!rc)
        rc = evs_search_check(&s, &err);
    if (!rc && (s.partitions || s.from || s.since || s.until || s.count || s.every))
        rc = evs_fail(&err, EVS_INVALID, "what to count: text, key:, header:, jq:");
    if (!rc && strlen(text) >= EVS_UI_SCAN_FILTER)
        rc = evs_fail(&err, EVS_INVALID, "at most %d bytes", EVS_UI_SCAN_FILTER - 1);
    snprintf(say, EVS_PROMPT_SAY, "%.150s",
             rc        ? err.msg
             : text[0] ? "counts only these"
                       : "counts all");
    return rc == EVS_OK;
}

static bool filter_done(void *ctx, const char *text)
{
    struct keys *k = ctx;
    char say[EVS_PROMPT_SAY];
    struct evs_ui_scan_how how = *evs_ui_scan_how(k->scan);
    if (!filter_changed(k, text, say))
        return false;
    snprintf(how.filter, sizeof(how.filter), "%s", text);
    evs_ui_scan_set(k->scan, &how);
    return true;
}

/* The same of all partitions. */
static enum evs_handled whole_topic(const struct evs_screen *s)
{
    if (s->at.partition < 0)
        return EVS_IGNORED;
    struct evs_place at = EVS_PLACE_INIT;
    evs_place_copy(&at, &s->at);
    at.partition = -1;
    evs_ui_open(s->ui, "keys", &at);
    evs_place_done(&at);
    return EVS_HANDLED;
}

enum evs_handled evs_keys_scope(struct evs_screen *s, enum evs_command c)
{
    struct keys *k = s->state;
    struct evs_ui_scan_how how = *evs_ui_scan_how(k->scan);
    switch (c) {
    case EVS_CMD_FILTER:
        evs_ui_prompt(k->ui, &(struct evs_prompt_spec){.label = "count",
                                                       .initial = how.filter,
                                                       .history = "count",
                                                       .changed = filter_changed,
                                                       .done = filter_done,
                                                       .ctx = k});
        return EVS_HANDLED;
    case EVS_CMD_ALL: return whole_topic(s);
    case EVS_CMD_ISOLATION: how.uncommitted = !how.uncommitted; break;
    case EVS_CMD_FOLLOW: how.live = !how.live; break;
    default: return EVS_IGNORED;
    }
    evs_ui_scan_set(k->scan, &how);
    return EVS_HANDLED;
}

void evs_keys_scope_options(const struct keys *k, struct evs_buf *out)
{
    const struct evs_ui_scan_how *how = evs_ui_scan_how(k->scan);
    struct evs_search s;
    struct evs_err err = EVS_ERR_INIT;
    evs_search_init(&s);
    if (how->filter[0] && evs_search_parse(&s, how->filter, &err) == EVS_OK)
        evs_search_options(&s, out);
    if (how->uncommitted)
        evs_buf_adds(out, " --isolation read_uncommitted");
    if (how->live)
        evs_buf_printf(out, " --follow --window %dm", EVS_UI_SCAN_LIVE_MS / 60000);
}

/* The last minutes beside the whole. */
bool evs_keys_recent(const struct keys *k, struct evs_view *v, int row)
{
    const struct evs_scan_sn *sn = k->seen.sn;
    char n[EVS_NUM_LEN];
    if (!sn || !sn->recent || !evs_ui_scan_how(k->scan)->live)
        return false;
    const struct evs_keyset *ks = sn->recent;
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(1024);
    evs_buf_printf(&b, "live  last %d min: %s messages", EVS_UI_SCAN_LIVE_MS / 60000,
                   evs_num_commas(n, (int64_t)ks->messages));
    if (ks->messages > 0)
        evs_buf_printf(&b, "   %.1f%s its fair share at most (%.1f%s of all)",
                       sn->recent_report->messages.max_over_mean, evs_glyph(EVS_G_TIMES),
                       sn->report->messages.max_over_mean, evs_glyph(EVS_G_TIMES));
    if (ks->n_top) {
        evs_buf_adds(&b, "   hottest ");
        evs_text_fit(&b, ks->top[0].key, ks->top[0].key_len, 40, EVS_CUT_END);
        evs_buf_printf(&b, " %.1f %%", 100 * (double)ks->top[0].count / (double)ks->messages);
    }
    evs_view_text(v, row, 2, EVS_ROLE_TEXT_STRONG, evs_buf_str(&b));
    return true;
}

/* For Partitions: a scan of all that is kept knows the heaviest key of each. */
void evs_keys_remember(const struct evs_screen *s)
{
    const struct keys *k = s->state;
    const struct evs_scan_sn *sn = k->seen.sn;
    bool all = !s->at.key && s->at.from_ms < 0 && s->at.offset < 0;
    if (!sn || !all || !sn->complete || sn->sample || evs_ui_scan_how(k->scan)->filter[0])
        return;
    struct evs_known_part *part = evs_xcalloc((size_t)sn->ks->partitions + 1, sizeof(*part));
    for (int32_t p = 0; p < sn->ks->partitions; p++)
        part[p] = (struct evs_known_part){
            .messages = (int64_t)sn->ks->part[p].messages,
            .hot = (int64_t)sn->ks->part_top[(size_t)p * EVS_KEY_PART_TOP].count};
    evs_data_know(s->ui, sn->topic, part, sn->ks->partitions);
    evs_free(part);
}
