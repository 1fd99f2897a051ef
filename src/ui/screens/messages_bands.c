/* messages_bands.c - what Messages says in breadcrumb and status. */
#include <stdio.h>
#include <string.h>

#include "ui/screens/messages.h"

static void say_head(const struct messages *m, struct evs_bands *b)
{
    const struct evs_messages_sn *sn = m->sn;
    char behind[EVS_NUM_LEN], ago[EVS_NUM_LEN], at[160] = "";
    if (sn->behind_records >= 0)
        snprintf(at, sizeof(at), "  behind head %s message%s%s%s",
                 evs_num_commas(behind, sn->behind_records), sn->behind_records == 1 ? "" : "s",
                 sn->behind_ms >= 0 ? ", " : "",
                 sn->behind_ms >= 0 ? evs_num_ago(ago, sn->behind_ms) : "");
    if (sn->state == EVS_MESSAGES_LIVE)
        evs_bands_say(b->value, sizeof(b->value), "LIVE%s", at);
    else if (sn->state == EVS_MESSAGES_PAUSED)
        evs_bands_say(b->value, sizeof(b->value), "PAUSED%s, fetching stopped", at);
    else if (sn->at_end && m->list.cursor + 1 >= m->list.n)
        evs_bands_say(b->value, sizeof(b->value), "END");
}

/* Of a tail by time: nothing older came within the half second that each record waits. */
static void say_merged(const struct messages *m, struct evs_bands *b)
{
    char time[EVS_NUM_LEN];
    size_t n = strlen(b->left);
    if (m->layout != MSG_LIST && m->sn->merged_to_ms >= 0)
        evs_bands_say(b->left + n, sizeof(b->left) - n, " %s merged to %s", evs_glyph(EVS_G_DOT),
                      evs_ui_time(m->ui, time, m->sn->merged_to_ms));
}

static void say_counts(const struct messages *m, struct evs_bands *b)
{
    const struct evs_messages_sn *sn = m->sn;
    char kept[EVS_NUM_LEN], read[EVS_NUM_LEN], used[EVS_NUM_LEN], drop[EVS_NUM_LEN];
    char lost[80] = "", added[60] = "";
    const char *dot = evs_glyph(EVS_G_DOT);
    if (sn->dropped) {
        b->role = EVS_ROLE_WARN;
        snprintf(lost, sizeof(lost), " %s dropped %s (tail too fast, p pauses)", dot,
                 evs_num_commas(drop, sn->dropped));
    }
    if (sn->n_parts > m->parts_before)
        snprintf(added, sizeof(added), " %s %d partitions added", dot,
                 sn->n_parts - m->parts_before);
    evs_num_commas(kept, sn->kept);
    evs_num_commas(read, sn->read_records);
    evs_num_bytes(used, (double)sn->memory_bytes);
    if (messages_filtered(m))
        evs_bands_say(b->left, sizeof(b->left), "%s kept of %s read%s%s %s memory %s", kept, read,
                      lost, added, dot, used);
    else if (sn->state == EVS_MESSAGES_LOADING && !sn->kept)
        evs_bands_say(b->left, sizeof(b->left), "reading");
    else
        evs_bands_say(b->left, sizeof(b->left), "%s message%s loaded%s%s %s memory %s", kept,
                      sn->kept == 1 ? "" : "s", lost, added, dot, used);
}

static void say_full(const struct messages *m, struct evs_bands *b)
{
    char n[EVS_NUM_LEN];
    if (m->sn->full && m->sn->state == EVS_MESSAGES_DONE && m->sn->query == m->asked)
        evs_bands_say(b->value, sizeof(b->value), "n:%s reached: more may follow",
                      evs_num_commas(n, m->search.count));
}

static void say_search(const struct messages *m, struct evs_bands *b)
{
    const struct evs_messages_sn *sn = m->sn;
    char found[EVS_NUM_LEN];
    double share = sn->span > 0 ? (double)sn->passed / (double)sn->span : -1;
    if (sn->state == EVS_MESSAGES_STOPPED) {
        if (share >= 0)
            evs_bands_say(b->tag, sizeof(b->tag), "partial %.0f %%", share * 100);
        evs_bands_say(b->value, sizeof(b->value), "c continues");
        return;
    }
    b->progress = (struct evs_progress){.active = true,
                                        .what = "search",
                                        .share = share,
                                        .done = sn->passed,
                                        .total = sn->span,
                                        .rate = sn->rate,
                                        .eta_s = sn->eta_ms >= 0 ? (double)sn->eta_ms / 1000 : -1};
    snprintf(b->progress.note, sizeof(b->progress.note), "%s found",
             evs_num_commas(found, sn->kept));
}

static void say_errors(const struct messages *m, struct evs_bands *b)
{
    const struct evs_messages_sn *sn = m->sn;
    int troubled = 0;
    const struct evs_messages_part *first = NULL;
    for (int i = 0; i < sn->n_parts; i++)
        if (sn->parts[i].error[0]) {
            first = first ? first : &sn->parts[i];
            troubled++;
        }
    if (sn->error) {
        b->role = EVS_ROLE_BAD;
        evs_bands_say(b->left, sizeof(b->left), "%s", sn->error);
    } else if (first) {
        b->role = EVS_ROLE_BAD;
        evs_bands_say(b->left, sizeof(b->left), "p%d: %s%s", first->partition, first->error,
                      troubled > 1 ? " (and others)" : "");
    }
}

void messages_bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct messages *m = messages_of(s);
    const char *dot = evs_glyph(EVS_G_DOT);
    static const char *const layouts[MSG_LAYOUTS] = {"list", "lanes", "merged"};
    char part[16];
    snprintf(part, sizeof(part), "p%d", s->at.partition);
    if (s->at.partition >= 0)
        evs_bands_crumb(b, "Topics", s->at.topic, part);
    else
        evs_bands_crumb(b, "Topics", s->at.topic, "Messages");
    char home[24] = "";
    if (m->home >= 0)
        snprintf(home, sizeof(home), " (p%d only)", m->home);
    evs_bands_say(b->right, sizeof(b->right), "%s %s %s %s %.100s%s%s%.60s", layouts[m->layout],
                  dot, m->isolation == EVS_READ_COMMITTED ? "read_committed" : "read_uncommitted",
                  dot, m->search.n_terms ? m->what : "no filter", home, m->where[0] ? " " : "",
                  m->where);
    if (!m->sn)
        return;
    b->live = m->sn->state == EVS_MESSAGES_LIVE;
    snprintf(b->tag, sizeof(b->tag), "exact");
    say_counts(m, b);
    if (m->as_lanes)
        messages_lanes_bands(m, b);
    say_merged(m, b);
    say_head(m, b);
    say_full(m, b);
    if (m->sn->state == EVS_MESSAGES_SEARCHING || m->sn->state == EVS_MESSAGES_STOPPED)
        say_search(m, b);
    say_errors(m, b);
}
