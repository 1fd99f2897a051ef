/* messages.c - Messages: read, search and tail records; explain every hole in the offsets. */
#include "ui/screens/messages.h"

#include <stdio.h>
#include <string.h>

#include "kafka/client.h"
#include "ui/journal.h"
#include "ui/task.h"

enum { MEMORY = 256 << 20, AROUND = 40 };

/* --- opening -------------------------------------------------------------------------------- */

static bool is_one(const char *partitions)
{
    return partitions && strspn(partitions, "0123456789") == strlen(partitions);
}

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct messages *m = messages_of(s);
    m->ui = s->ui;
    m->screen = s;
    m->detail_seq = INT64_MIN;
    m->fetching = m->home = -1;
    m->want_offset = s->at.offset;
    if (s->at.offset >= 0)
        snprintf(m->from, sizeof(m->from), "%lld", (long long)s->at.offset);
    messages_words_of(m, &s->at);
    evs_pager_init(&m->detail);
    evs_table_init(&m->list, &messages_list_ops, m, MSG_COL_OFFSET, -1, false);
    messages_lanes_setup(m, 80);
    evs_table_init(&m->lanes, &m->lanes_ops, m, 0, -1, false);
    struct evs_messages_opts opts = {
        .topic = s->at.topic, .query = {.partitions = "0", .from = "end"}, .memory_bytes = MEMORY};
    char partition[16];
    snprintf(partition, sizeof(partition), "%d", s->at.partition);
    opts.query.partitions = m->search.partitions   ? m->search.partitions
                            : s->at.partition >= 0 ? partition
                                                   : NULL;
    opts.query.from = m->from[0] ? m->from : m->search.from;
    opts.query.since = m->search.since;
    opts.query.until = m->search.until;
    opts.query.terms = m->search.terms;
    opts.query.n_terms = m->search.n_terms;
    opts.query.count = m->search.count;
    opts.query.follow = m->follow;
    m->one_partition = is_one(opts.query.partitions);
    m->asked = 1;
    m->list.stick_end = !opts.query.from && !opts.query.since && !messages_filtered(m);
    messages_journal_begin(m);
    return evs_messages_open(evs_ui_client(s->ui), &opts, evs_ui_wake(s->ui), &m->session, err);
}

static void free_session(void *session)
{
    evs_messages_free(session);
}

static void leave(struct evs_screen *s)
{
    struct messages *m = messages_of(s);
    if (m->entry)
        evs_app_close_overlay(m->ui);
    evs_journal_left(m->journal);
    evs_table_done(&m->list);
    evs_table_done(&m->lanes);
    evs_pager_done(&m->detail);
    evs_snap_unref(m->sn ? &m->sn->snap : NULL);
    evs_task_retire("messages", free_session, m->session);
}

void messages_requery(struct messages *m)
{
    const struct evs_place *at = &m->screen->at;
    char partition[16] = "";
    const char *partitions = m->search.partitions;
    struct evs_key_home home;
    m->home = -1;
    if (!partitions && at->partition >= 0 && !m->search.every)
        snprintf(partition, sizeof(partition), "%d", at->partition);
    else if (!partitions && messages_key_home(m, &m->search, &home))
        m->home = home.partition;
    if (m->home >= 0)
        snprintf(partition, sizeof(partition), "%d", m->home);
    if (partition[0])
        partitions = partition;
    const char *from = m->search.from ? m->search.from : m->from[0] ? m->from : NULL;
    struct evs_messages_query q = {.partitions = partitions,
                                   .from = from,
                                   .since = m->search.since,
                                   .until = m->search.until,
                                   .terms = m->search.terms,
                                   .n_terms = m->search.n_terms,
                                   .count = m->search.count,
                                   .isolation = m->isolation,
                                   .follow = m->follow};
    m->one_partition = is_one(partitions);
    m->list.stick_end = m->lanes.stick_end = !from && !q.since && !messages_filtered(m);
    m->paused = false;
    m->asked = evs_messages_query(m->session, &q);
    messages_journal_begin(m);
}

static void resize(struct evs_screen *s, int rows, int cols)
{
    (void)rows;
    (void)cols;
    messages_fit(s);
}

/* --- news ----------------------------------------------------------------------------------- */

static void place_cursor(struct messages *m)
{
    struct evs_table *t = messages_table(m);
    if (m->want_offset < 0)
        return;
    for (int i = 0; i < m->sn->n_rows; i++) {
        const struct evs_msg_row *r = &m->sn->rows[i];
        bool here =
            r->offset == m->want_offset ||
            (r->kind == EVS_ROW_GAP && r->offset <= m->want_offset && r->gap_to > m->want_offset);
        if (here) {
            t->stick_end = false;
            evs_table_go(t, (size_t)(r->seq - m->first_seq));
            m->want_offset = -1;
            return;
        }
    }
}

/* Rows that came in before the first one push the numbers of all others up. */
static void shift(struct evs_table *t, int64_t by)
{
    if (by <= 0)
        return;
    t->cursor += (size_t)by;
    t->top += (size_t)by;
}

static void take(struct messages *m, struct evs_messages_sn *sn)
{
    struct evs_messages_sn *old = m->sn;
    bool fresh = !old || old->list != sn->list;
    bool grown = !fresh && sn->n_parts > old->n_parts;
    m->sn = sn;
    if (fresh || !m->parts_before)
        m->parts_before = sn->n_parts;
    if (fresh) {
        m->list.cursor = m->list.top = m->lanes.cursor = m->lanes.top = 0;
        m->list_id = sn->list;
        m->told_n = 0;
    } else if (sn->n_loaded) {
        shift(&m->list, m->first_seq - sn->first_seq);
        shift(&m->lanes, m->first_seq - sn->first_seq);
    }
    m->first_seq = sn->n_loaded ? sn->first_seq : 0;
    evs_table_grown(&m->list);
    if (fresh || grown || m->n_lanes != m->lanes_ops.n_cols - 1 || !m->n_lanes)
        messages_lanes_setup(m, m->screen->cols);
    evs_table_grown(&m->lanes);
    /* The end was found: who did not ask to follow stays with the record seen there. */
    if (!m->follow && sn->state == EVS_MESSAGES_READY && sn->at_end && sn->n_loaded)
        m->list.stick_end = m->lanes.stick_end = false;
    place_cursor(m);
    evs_snap_unref(old ? &old->snap : NULL);
    messages_journal_say(m);
}

/* Tells the session what is in view, with some rows around it. */
static void tell_view(struct messages *m)
{
    const struct evs_table *t = messages_table(m);
    int n = t->page + 2 * AROUND;
    int64_t top = t->stick_end ? INT64_MAX : m->first_seq + (int64_t)t->top - AROUND;
    if (top == m->told_top && n == m->told_n)
        return;
    m->told_top = top;
    m->told_n = n;
    evs_messages_view(m->session, top, n);
}

/* Asks for the whole value of the record under the cursor; false: it is there, or on its way. */
static bool fetch_whole(struct messages *m)
{
    const struct evs_msg_row *r = messages_current(m);
    bool cut = r && r->ev && r->value_size > (int64_t)r->ev->value_len && !m->detail_whole;
    if (!cut || m->fetching == r->offset)
        return false;
    m->fetching = r->offset;
    evs_messages_fetch(m->session, r->partition, r->offset);
    evs_ui_say(m->ui, EVS_ROLE_STATUS, "loading the whole value");
    return true;
}

static bool refresh(struct evs_screen *s)
{
    struct messages *m = messages_of(s);
    struct evs_messages_sn *sn = evs_messages_take(m->session, m->sn ? m->sn->snap.generation : 0);
    if (sn)
        take(m, sn);
    if (m->sn)
        tell_view(m);
    if (m->lanes.seen[0] > m->lane_time) /* the day was added to the time */
        messages_lanes_setup(m, m->screen->cols);
    if (m->entry && messages_home_news(m))
        m->judge_again(m->entry);
    int64_t seq = m->detail_seq;
    if (m->sn)
        messages_detail_update(m);
    if (m->for_detail && m->want_offset < 0 && m->detail_seq != INT64_MIN)
        (void)fetch_whole(m);
    return sn || seq != m->detail_seq;
}

/* --- commands ------------------------------------------------------------------------------- */

static void place(const struct evs_screen *s, struct evs_place *to)
{
    const struct evs_msg_row *r = messages_current(messages_of(s));
    evs_place_set(&to->text, NULL);
    to->alone = false;
    if (!r)
        return;
    to->partition = r->partition;
    to->offset = r->offset;
    evs_place_set_key(to, r->ev ? r->ev->key : NULL, r->ev ? r->ev->key_len : 0);
}

static enum evs_handled open_detail(struct evs_screen *s)
{
    struct messages *m = messages_of(s);
    if (!messages_current(m) || (s->zoom && fetch_whole(m)))
        return EVS_HANDLED;
    s->zoom = !s->zoom;
    m->for_detail = false;
    m->on_detail = s->zoom;
    messages_fit(s);
    return EVS_HANDLED;
}

static void follow(struct messages *m, bool on)
{
    m->follow = on;
    m->list.stick_end = m->lanes.stick_end = on;
    if (on)
        evs_table_go(messages_table(m), messages_table(m)->n ? messages_table(m)->n - 1 : 0);
    evs_messages_follow(m->session, on);
    m->paused = false;
}

static void pause_or_go(struct messages *m)
{
    if (!m->follow && m->sn && m->sn->state != EVS_MESSAGES_LIVE) {
        evs_ui_say(m->ui, EVS_ROLE_STATUS, "nothing is being fetched: F follows the end");
        return;
    }
    m->paused = !m->paused;
    evs_messages_pause(m->session, m->paused);
}

static enum evs_handled to_end(struct messages *m)
{
    struct evs_table *t = messages_table(m);
    bool again = t->n && t->cursor + 1 >= t->n;
    t->stick_end = true;
    evs_table_go(t, t->n ? t->n - 1 : 0);
    if (again && m->sn && m->sn->at_end && !m->follow)
        follow(m, true);
    else if (m->sn && !m->sn->at_end && !messages_filtered(m)) { /* not by reading all of it */
        m->from[0] = '\0';
        messages_requery(m);
    }
    return EVS_HANDLED;
}

static enum evs_handled to_begin(struct messages *m)
{
    if (m->sn && !m->sn->at_begin && !messages_filtered(m)) {
        snprintf(m->from, sizeof(m->from), "beginning");
        messages_requery(m);
        return EVS_HANDLED;
    }
    return EVS_IGNORED;
}

static void toggle_isolation(struct messages *m)
{
    const struct evs_msg_row *r = messages_current(m);
    m->isolation = m->isolation == EVS_READ_COMMITTED ? EVS_READ_UNCOMMITTED : EVS_READ_COMMITTED;
    if (r && m->one_partition) {
        m->want_offset = r->offset;
        snprintf(m->from, sizeof(m->from), "%lld", (long long)r->offset);
    }
    messages_requery(m);
}

static enum evs_handled layout_command(struct evs_screen *s, enum evs_command c)
{
    struct messages *m = messages_of(s);
    switch (c) {
    case EVS_CMD_PANE_NEXT:
    case EVS_CMD_PANE_PREV: m->on_detail = !m->on_detail; break;
    case EVS_CMD_ZOOM:
        s->zoom = !s->zoom;
        m->for_detail = false;
        break;
    case EVS_CMD_MODE: {
        if (m->one_partition || (m->sn && m->sn->n_parts == 1)) {
            evs_ui_say(m->ui, EVS_ROLE_STATUS, "one partition: nothing to lay out by partitions");
            return EVS_HANDLED;
        }
        size_t cursor = messages_table(m)->cursor;
        bool end = messages_table(m)->stick_end;
        m->layout = (enum msg_layout)((m->layout + 1) % MSG_LAYOUTS);
        m->as_lanes = m->layout == MSG_AS_LANES;
        evs_messages_merge(m->session, m->layout != MSG_LIST);
        messages_table(m)->stick_end = end;
        evs_table_go(messages_table(m), cursor);
        break;
    }
    case EVS_CMD_VIEW: messages_next_view(m); break;
    case EVS_CMD_BACK:
        if (m->for_detail && m->ui->n_stack > 1)
            return EVS_CLOSED; /* to where it was asked for */
        if (!s->zoom && !m->on_detail)
            return EVS_IGNORED;
        s->zoom = m->on_detail = false;
        break;
    default: return EVS_IGNORED;
    }
    messages_fit(s);
    return EVS_HANDLED;
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct messages *m = messages_of(s);
    if (m->on_detail && (c == EVS_CMD_END || c == EVS_CMD_TOP || c == EVS_CMD_FILTER))
        return EVS_IGNORED;
    if (m->as_lanes && !m->on_detail && messages_lanes_command(m, c) == EVS_HANDLED)
        return EVS_HANDLED;
    switch (c) {
    case EVS_CMD_OPEN: return open_detail(s);
    case EVS_CMD_FILTER: messages_search_open(m); return EVS_HANDLED;
    case EVS_CMD_FILTER_FORM: messages_form_open(m); return EVS_HANDLED;
    case EVS_CMD_JUMP: messages_jump_open(m); return EVS_HANDLED;
    case EVS_CMD_FOLLOW: follow(m, !m->follow); return EVS_HANDLED;
    case EVS_CMD_PAUSE: pause_or_go(m); return EVS_HANDLED;
    case EVS_CMD_CONTINUE: evs_messages_resume(m->session); return EVS_HANDLED;
    case EVS_CMD_END: return to_end(m);
    case EVS_CMD_TOP: return to_begin(m);
    case EVS_CMD_ISOLATION: toggle_isolation(m); return EVS_HANDLED;
    case EVS_CMD_KEEP_LIKE:
    case EVS_CMD_DROP_LIKE: messages_keep_like(m, c == EVS_CMD_DROP_LIKE); return EVS_HANDLED;
    case EVS_CMD_PIPE: messages_pipe(m); return EVS_HANDLED;
    case EVS_CMD_TIME_FORMAT: m->detail_seq = INT64_MIN; return EVS_IGNORED;
    default: return layout_command(s, c);
    }
}

/* Also before its first record: the snapshot may still be of the list before. */
static bool search_runs(const struct messages *m)
{
    const struct evs_messages_sn *sn = m->sn;
    if (!messages_filtered(m))
        return false;
    if (!sn || sn->query != m->asked)
        return true;
    return sn->state == EVS_MESSAGES_SEARCHING || (sn->state == EVS_MESSAGES_LOADING && !sn->error);
}

/* Esc: ends a search that runs, then clears the filter. */
static bool stop(struct evs_screen *s)
{
    struct messages *m = messages_of(s);
    if (search_runs(m)) {
        evs_messages_stop(m->session);
        return true;
    }
    if (!messages_filtered(m) || s->zoom || (s->at.key && !s->at.text && m->ui->n_stack > 1))
        return false;
    m->what[0] = m->where[0] = '\0';
    evs_search_init(&m->search);
    messages_requery(m);
    return true;
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct messages *m = messages_of(s);
    const struct evs_msg_row *r = messages_current(m);
    bool record = r && r->kind == EVS_ROW_RECORD;
    switch (c) {
    case EVS_CMD_OPEN:
    case EVS_CMD_COPY:
    case EVS_CMD_SAVE:
    case EVS_CMD_PIPE:
    case EVS_CMD_REPLAY:
    case EVS_CMD_VIEW: return record;
    case EVS_CMD_TRACE: return record && r->ev && r->ev->key;
    case EVS_CMD_PAUSE: return m->follow;
    case EVS_CMD_FOLLOW: return !m->follow;
    case EVS_CMD_CONTINUE: return m->sn && m->sn->state == EVS_MESSAGES_STOPPED;
    case EVS_CMD_MODE: return !m->one_partition && m->sn && m->sn->n_parts > 1;
    case EVS_CMD_PANE_NEXT: return r != NULL;
    default: return true;
    }
}

static struct evs_table *table(struct evs_screen *s)
{
    struct messages *m = messages_of(s);
    return m->on_detail ? NULL : messages_table(m);
}

static struct evs_pager *pager(struct evs_screen *s)
{
    struct messages *m = messages_of(s);
    return m->on_detail ? &m->detail : NULL;
}

static bool sibling(struct evs_screen *s, int step)
{
    struct messages *m = messages_of(s);
    int32_t n = evs_data_partitions(s->ui, s->at.topic);
    if (s->at.partition < 0 || n < 2)
        return false;
    s->at.partition = (s->at.partition + n + step) % n;
    m->from[0] = '\0';
    m->search.partitions = NULL;
    messages_requery(m);
    return true;
}

static bool click(struct evs_screen *s, int row, int col)
{
    struct messages *m = messages_of(s);
    struct messages_panes p;
    struct evs_view v = {&s->ui->surface, 0, 0, s->rows, s->cols, EVS_ROLE_N};
    messages_lay_out(s, &v, &p);
    bool detail =
        p.detail_shown && (!p.list_shown || (p.side ? col > p.list.cols + 1 : row >= p.list.rows));
    m->on_detail = detail;
    if (detail)
        return evs_pager_click(&m->detail,
                               row - (p.detail.top - v.top) - (p.detail.rows - p.detail_rows));
    return evs_table_click(messages_table(m), &p.list, row - (p.list.rows - p.list_rows), col);
}

static const struct evs_hint hints[] = {EVS_HINT(OPEN, "zoom"),     EVS_HINT(CONTINUE, "continue"),
                                        EVS_HINT(PAUSE, "pause"),   EVS_HINT(FOLLOW, "follow"),
                                        EVS_HINT(VIEW, "hex"),      EVS_HINT(TRACE, "trace"),
                                        EVS_HINT(COPY, "copy"),     EVS_HINT(REPLAY, "replay"),
                                        EVS_HINT(FILTER, "search"), EVS_HINT(JUMP, "jump"),
                                        EVS_HINT(MODE, "layout"),   EVS_HINT(PANE_NEXT, "pane"),
                                        EVS_HINT(SAVE, "save"),     EVS_HINTS_END};

static const struct evs_meaning meanings[] = {
    {"N offsets: ...", "offsets without a visible record, and why: aborted, marker, compacted"},
    {"LIVE, PAUSED",
     "following the end; behind head: what the partitions hold beyond the last row"},
    {"merged to T", "a tail by time: each record waited half a second for older ones"},
    {"*p4", "a marked lane stays in view while Left and Right go through the others"},
    {NULL, NULL}};

const struct evs_screen_ops evs_screen_messages = {
    .name = "messages",
    .title = "Messages",
    .about = "read, search and tail records",
    .state_size = sizeof(struct messages),
    .needs_topic = true,
    .hints = hints,
    .meanings = meanings,
    .enter = enter,
    .resize = resize,
    .refresh = refresh,
    .draw = messages_draw,
    .leave = leave,
    .bands = messages_bands,
    .command = command,
    .can = can,
    .table = table,
    .pager = pager,
    .place = place,
    .copy = messages_copy,
    .command_line = messages_command_line,
    .save = messages_save,
    .stop = stop,
    .sibling = sibling,
    .click = click,
};
