#include "lag/eval.h"

#include "core/attr.h"

enum { SKEW_MIN_LAG = 100 };
#define SKEW_SHARE 0.8

const char *evs_lag_note_text(enum evs_lag_note note)
{
    switch (note) {
    case EVS_NOTE_NO_COMMIT: return "no committed offset";
    case EVS_NOTE_BEFORE_START: return "offset before log start";
    case EVS_NOTE_PAST_END: return "offset past log end";
    case EVS_NOTE_TOPIC_GONE: return "topic gone";
    case EVS_NOTE_MARKERS: return "markers only";
    case EVS_NOTE_OPEN_TXN: return "open transaction";
    default: return NULL;
    }
}

static const struct {
    const char *name, *word;
} statuses[] = {
    [EVS_LAG_OK] = {"ok", "ok"},
    [EVS_LAG_EMPTY] = {"empty", "empty"},
    [EVS_LAG_UNKNOWN] = {"unknown", "unknown"},
    [EVS_LAG_SKEWED] = {"skewed", "skewed"},
    [EVS_LAG_WARN] = {"warn", "warn"},
    [EVS_LAG_REWIND] = {"rewind", "rewound"},
    [EVS_LAG_STOP] = {"stop", "stopped"},
    [EVS_LAG_STALL] = {"stall", "stalled"},
};

const char *evs_lag_status_name(enum evs_lag_status s)
{
    return statuses[s].name;
}

const char *evs_lag_status_word(enum evs_lag_status s)
{
    return statuses[s].word;
}

static const char *const rules[] = {
    [EVS_RULE_CAUGHT_UP] = "the lag is within what is allowed",
    [EVS_RULE_INCOMPLETE] = "fewer than 3 readings: no trend yet",
    [EVS_RULE_WAS_CAUGHT_UP] = "the lag was within what is allowed in one of the last 3 readings",
    [EVS_RULE_MOVING] = "commits move, and the lag shrank in the window",
    [EVS_RULE_MARKERS] = "only transaction markers or compacted offsets are left",
    [EVS_RULE_EMPTY] = "no member, and nothing waits",
    [EVS_RULE_NO_COMMIT] = "nothing was committed",
    [EVS_RULE_GONE] = "the topic does not exist",
    [EVS_RULE_ERROR] = "the brokers gave no answer for it",
    [EVS_RULE_SKEWED] = "one partition holds most of the lag",
    [EVS_RULE_OPEN_TXN] =
        "the commit is at the last stable offset: an open transaction holds the rest",
    [EVS_RULE_LOST] = "the commit is before the log start: records were lost",
    [EVS_RULE_AHEAD] = "the commit is past the log end: topic recreated or truncated",
    [EVS_RULE_GROWS] = "the lag did not shrink between any two readings",
    [EVS_RULE_REWIND] = "the committed offset went back and was not reached again",
    [EVS_RULE_SILENT] = "no commit for longer than the window of commits spans",
    [EVS_RULE_NO_MEMBER] = "the group has no member, and records wait",
    [EVS_RULE_NO_OWNER] = "no member owns the partition, and records wait",
    [EVS_RULE_STANDS] = "the committed offset stands still while records wait",
};

const char *evs_lag_rule_text(enum evs_lag_rule r)
{
    return rules[r];
}

void evs_lag_figures(int64_t committed, const struct evs_lag_ends *ends, bool stable,
                     struct evs_lag_figures *ret_f)
{
    *ret_f = (struct evs_lag_figures){.high = EVS_LAG_NULL, .lag = EVS_LAG_NULL};
    if (ends->gone || ends->failed || ends->low < 0 || ends->hw < 0) {
        ret_f->note = ends->gone ? EVS_NOTE_TOPIC_GONE : EVS_NOTE_ERROR;
        return;
    }
    /* The last stable offset was asked after the high watermark: it may be ahead of it by now. */
    int64_t hw = ends->lso > ends->hw ? ends->lso : ends->hw;
    int64_t lso = ends->lso < 0 ? hw : ends->lso;
    ret_f->high = stable ? lso : hw;
    ret_f->open = hw - lso;
    if (committed < 0) {
        ret_f->note = EVS_NOTE_NO_COMMIT;
    } else if (committed > hw) {
        ret_f->note = EVS_NOTE_PAST_END;
    } else if (committed < ends->low) {
        ret_f->note = EVS_NOTE_BEFORE_START;
        ret_f->lost = ends->low - committed;
        ret_f->lag = ret_f->high > ends->low ? ret_f->high - ends->low : 0;
    } else {
        ret_f->note = ret_f->open > 0 ? EVS_NOTE_OPEN_TXN : EVS_NOTE_NONE;
        ret_f->lag = ret_f->high > committed ? ret_f->high - committed : 0;
    }
}

static struct evs_lag_verdict verdict(enum evs_lag_status status, enum evs_lag_rule rule)
{
    return (struct evs_lag_verdict){status, rule};
}

/* The commit went back somewhere in the window and has not come back to where it was. */
static bool rewound(const struct evs_lag_case *c)
{
    int64_t highest = EVS_LAG_NULL, last = EVS_LAG_NULL;
    bool back = false;
    for (int i = 0; i < c->n; i++) {
        int64_t at = c->readings[i].committed;
        if (at < 0)
            continue;
        back |= last >= 0 && at < last;
        highest = at > highest ? at : highest;
        last = at;
    }
    return back && last < highest;
}

/* Burrow: the time since the last commit is longer than the window's span. */
static bool silent(const struct evs_lag_case *c)
{
    if (!c->readings_are_commits || c->n < EVS_LAG_MIN_READINGS)
        return false;
    int64_t first = c->readings[0].at_ms, last = c->readings[c->n - 1].at_ms;
    return c->now_ms - last > last - first;
}

static bool was_caught_up(const struct evs_lag_case *c)
{
    int from = c->n > EVS_LAG_MIN_READINGS ? c->n - EVS_LAG_MIN_READINGS : 0;
    for (int i = from; i < c->n; i++)
        if (c->readings[i].lag >= 0 && c->readings[i].lag <= c->allowed)
            return true;
    return false;
}

/* The last readings all have the same commit, for longer than this consumer usually needs. */
static bool stands(const struct evs_lag_case *c)
{
    if (c->n < EVS_LAG_MIN_READINGS)
        return false;
    int64_t at = c->readings[c->n - 1].committed;
    int i = c->n - 1;
    while (i > 0 && c->readings[i - 1].committed == at)
        i--;
    if (at < 0 || c->n - i < EVS_LAG_MIN_READINGS)
        return false;
    return c->now_ms - c->readings[i].at_ms >= 2 * c->commit_gap_ms;
}

/* The lag never shrank since it was last within what is allowed, and is more than what arrives
 * between two moves of a commit. */
static bool grows(const struct evs_lag_case *c)
{
    int64_t last = EVS_LAG_NULL, first = EVS_LAG_NULL, span_ms = c->commit_gap_ms;
    int seen = 0;
    for (int i = c->n - 1; i >= 0; i--) {
        int64_t lag = c->readings[i].lag;
        if (lag < 0)
            continue;
        if (lag <= c->allowed)
            break;
        if (last >= 0 && lag > first)
            return false;
        last = last < 0 ? lag : last;
        first = lag;
        seen++;
    }
    if (seen < EVS_LAG_MIN_READINGS || last <= first)
        return false;
    int64_t step_ms = (c->readings[c->n - 1].at_ms - c->readings[0].at_ms) / (c->n - 1);
    span_ms = step_ms > span_ms ? step_ms : span_ms;
    return c->produce_rate < 0 || (double)last > c->produce_rate * (double)span_ms / 1000.0;
}

/* What needs no trend. */
static bool judge_now(const struct evs_lag_case *c, struct evs_lag_verdict *ret_v)
{
    bool no_member = c->owner == EVS_OWNER_NO_GROUP;
    switch (c->now.note) {
    case EVS_NOTE_TOPIC_GONE: *ret_v = verdict(EVS_LAG_UNKNOWN, EVS_RULE_GONE); return true;
    case EVS_NOTE_ERROR: *ret_v = verdict(EVS_LAG_UNKNOWN, EVS_RULE_ERROR); return true;
    case EVS_NOTE_PAST_END: *ret_v = verdict(EVS_LAG_WARN, EVS_RULE_AHEAD); return true;
    case EVS_NOTE_NO_COMMIT:
        *ret_v = verdict(no_member ? EVS_LAG_EMPTY : EVS_LAG_UNKNOWN, EVS_RULE_NO_COMMIT);
        return true;
    default: break;
    }
    if (c->now.lag <= c->allowed || c->only_markers) {
        enum evs_lag_rule rule = c->only_markers ? EVS_RULE_MARKERS : EVS_RULE_CAUGHT_UP;
        *ret_v = c->now.lost ? verdict(EVS_LAG_WARN, EVS_RULE_LOST)
                 : no_member ? verdict(EVS_LAG_EMPTY, EVS_RULE_EMPTY)
                             : verdict(EVS_LAG_OK, rule);
        return true;
    }
    return false;
}

struct evs_lag_verdict evs_lag_judge(const struct evs_lag_case *c)
{
    struct evs_lag_verdict v;
    if (judge_now(c, &v))
        return v;
    if (c->owner == EVS_OWNER_NO_GROUP)
        return verdict(EVS_LAG_STOP, EVS_RULE_NO_MEMBER);
    if (c->owner == EVS_OWNER_NONE)
        return verdict(EVS_LAG_STOP, EVS_RULE_NO_OWNER);
    if (c->owner == EVS_OWNER_UNKNOWN && silent(c))
        return verdict(EVS_LAG_STOP, EVS_RULE_SILENT);
    if (rewound(c))
        return verdict(EVS_LAG_REWIND, EVS_RULE_REWIND);
    if (c->now.lost)
        return verdict(EVS_LAG_WARN, EVS_RULE_LOST);
    if (c->now.open > 0 && c->lso >= 0 && c->committed >= c->lso)
        return verdict(EVS_LAG_WARN, EVS_RULE_OPEN_TXN);
    if (c->n < EVS_LAG_MIN_READINGS)
        return verdict(EVS_LAG_OK, EVS_RULE_INCOMPLETE);
    if (was_caught_up(c))
        return verdict(EVS_LAG_OK, EVS_RULE_WAS_CAUGHT_UP);
    if (stands(c))
        return verdict(EVS_LAG_STALL, EVS_RULE_STANDS);
    if (grows(c))
        return verdict(EVS_LAG_WARN, EVS_RULE_GROWS);
    return verdict(EVS_LAG_OK, EVS_RULE_MOVING);
}

static bool graver(struct evs_lag_verdict a, struct evs_lag_verdict b)
{
    return a.status != b.status ? a.status > b.status : a.rule > b.rule;
}

void evs_lag_judge_group(const struct evs_lag_part_view *parts, size_t n, bool no_member,
                         struct evs_lag_group_view *ret_g)
{
    struct evs_lag_group_view g = {.total = EVS_LAG_NULL};
    size_t known = 0, judged = 0;
    for (size_t i = 0; i < n; i++) {
        const struct evs_lag_part_view *p = &parts[i];
        /* A partition without a commit says nothing while another one has one. */
        bool mute = p->verdict.rule == EVS_RULE_NO_COMMIT && p->verdict.status <= EVS_LAG_UNKNOWN;
        if (!mute && (!judged++ || graver(p->verdict, parts[g.worst].verdict)))
            g.worst = i;
        if (p->lag >= 0) {
            g.total = (g.total < 0 ? 0 : g.total) + p->lag;
            g.top = !known++ || p->lag > parts[g.top].lag ? i : g.top;
        } else if (p->verdict.rule != EVS_RULE_NO_COMMIT) {
            g.partial = true;
        }
    }
    if (g.total > 0)
        g.top_share = (double)parts[g.top].lag / (double)g.total;
    g.verdict = n ? parts[g.worst].verdict
                  : verdict(no_member ? EVS_LAG_EMPTY : EVS_LAG_UNKNOWN, EVS_RULE_NO_COMMIT);
    bool skewed = known > 1 && g.top_share >= SKEW_SHARE && parts[g.top].lag >= SKEW_MIN_LAG;
    bool milder = g.verdict.status <= EVS_LAG_WARN &&
                  (g.verdict.status != EVS_LAG_WARN || g.verdict.rule == EVS_RULE_GROWS);
    if (skewed && milder) {
        g.worst = g.top;
        g.verdict = verdict(EVS_LAG_SKEWED, EVS_RULE_SKEWED);
    }
    *ret_g = g;
}
