/* key_rules.c - rules that the key analysis has judged already. */
#include "lint/rules.h"

static void judge_hot(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    (void)state;
    (void)t;
    evs_lint_from_report(out, "hot-key");
}

static void judge_split(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    (void)state;
    (void)t;
    evs_lint_from_report(out, "split-keys");
}

static void judge_mixed(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    (void)state;
    (void)t;
    evs_lint_from_report(out, "mixed-partitioners");
}

const struct evs_lint_rule evs_lint_hot_key = {
    .name = "hot-key",
    .help = "one key carries so much that its partition is overloaded",
    .records = true,
    .judge = judge_hot,
};

const struct evs_lint_rule evs_lint_split_key = {
    .name = "split-key",
    .help = "a key lies on several partitions: its order is lost",
    .records = true,
    .judge = judge_split,
};

const struct evs_lint_rule evs_lint_mixed_partitioners = {
    .name = "mixed-partitioners",
    .help = "producers place the same keys by different hashes",
    .records = true,
    .judge = judge_mixed,
};
