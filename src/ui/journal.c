#include "ui/journal.h"

#include <stdio.h>
#include <string.h>

static struct evs_journal_entry entries[EVS_JOURNAL];
static uint64_t last;

static struct evs_journal_entry *entry(uint64_t number)
{
    struct evs_journal_entry *e = &entries[number % EVS_JOURNAL];
    return number && e->number == number ? e : NULL;
}

uint64_t evs_journal_begin(const char *kind, const char *screen, const struct evs_place *at,
                           int64_t now_ms)
{
    struct evs_journal_entry *e = &entries[++last % EVS_JOURNAL];
    if (e->number)
        evs_place_done(&e->at);
    *e = (struct evs_journal_entry){.number = last,
                                    .kind = kind,
                                    .screen = screen,
                                    .state = "running",
                                    .at = EVS_PLACE_INIT,
                                    .started_ms = now_ms};
    snprintf(e->id, sizeof(e->id), "%.16s-%llu", screen, (unsigned long long)last);
    evs_place_copy(&e->at, at);
    return last;
}

void evs_journal_say(uint64_t number, const char *state, double share, double rate)
{
    struct evs_journal_entry *e = entry(number);
    if (!e)
        return;
    e->state = state;
    e->share = share < 0 ? e->share : share;
    e->rate = rate;
}

bool evs_journal_running(const struct evs_journal_entry *e)
{
    return !strcmp(e->state, "running");
}

void evs_journal_left(uint64_t number)
{
    struct evs_journal_entry *e = entry(number);
    if (e && evs_journal_running(e))
        e->state = "partial";
}

size_t evs_journal_count(void)
{
    return last < EVS_JOURNAL ? (size_t)last : EVS_JOURNAL;
}

const struct evs_journal_entry *evs_journal_at(size_t i)
{
    return entry(last - i);
}
