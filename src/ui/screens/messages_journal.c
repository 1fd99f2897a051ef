/* messages_journal.c - a search as Jobs lists it. */
#include <stdio.h>

#include "ui/journal.h"
#include "ui/screens/messages.h"

void messages_journal_begin(struct messages *m)
{
    char words[2 * EVS_SEARCH_TEXT + 2];
    evs_journal_left(m->journal);
    m->journal = 0;
    if (!messages_filtered(m))
        return;
    struct evs_place at = EVS_PLACE_INIT;
    snprintf(words, sizeof(words), "%s%s%s", m->what, m->what[0] && m->where[0] ? " " : "",
             m->where);
    evs_place_set(&at.topic, m->screen->at.topic);
    evs_place_set(&at.text, words);
    at.partition = m->screen->at.partition;
    m->journal = evs_journal_begin("search", "messages", &at, evs_ui_now_ms(m->ui));
    evs_place_done(&at);
}

void messages_journal_say(const struct messages *m)
{
    const struct evs_messages_sn *sn = m->sn;
    if (!m->journal || sn->query != m->asked)
        return;
    double share = sn->span > 0 ? (double)sn->passed / (double)sn->span : -1;
    if (sn->error)
        evs_journal_say(m->journal, "failed", share, 0);
    else if (sn->state == EVS_MESSAGES_STOPPED)
        evs_journal_say(m->journal, "partial", share, 0);
    else if (sn->state == EVS_MESSAGES_DONE)
        evs_journal_say(m->journal, "done", sn->full ? share : 1, 0);
    else
        evs_journal_say(m->journal, "running", share, sn->rate);
}
