/* options.c - the options common to all, and the groups "where to read", "what to keep". */
#include "cli/cli.h"

static const struct evs_opt global_opts[] = {
    {'b', "brokers", EVS_OPT_STR, "LIST", NULL, "bootstrap brokers, host:port,host:port"},
    {'C', "cluster", EVS_OPT_STR, "NAME", NULL, "a profile of the configuration file"},
    {'F', "config", EVS_OPT_STR, "FILE", NULL,
     "configuration: eventscope's own, a kcat config or a Java client.properties"},
    {'X', "property", EVS_OPT_STR, "PROP=VALUE", NULL, "any librdkafka property; last wins",
     .many = true},
    {0, "json", EVS_OPT_FLAG, NULL, NULL, "JSON for programs"},
    {'J', NULL, EVS_OPT_FLAG, NULL, NULL, NULL, .same_as = "json"},
    {0, "tui", EVS_OPT_FLAG, NULL, NULL, "open the terminal interface at this place"},
    {0, "theme", EVS_OPT_STR, "NAME", NULL, "colours of the interface"},
    {0, "ascii", EVS_OPT_FLAG, NULL, NULL, "draw with ASCII characters only"},
    {0, "no-color", EVS_OPT_FLAG, NULL, NULL, "no colours (NO_COLOR does the same)"},
    {0, "utc", EVS_OPT_FLAG, NULL, NULL, "times in UTC instead of the local zone"},
    {0, "timeout", EVS_OPT_DURATION, "DURATION", "10s", "longest wait for one cluster request"},
    {0, "log", EVS_OPT_STR, "FILE", NULL, "append a log; never holds secrets or event data"},
    {'v', "verbose", EVS_OPT_FLAG, NULL, NULL, "more on stderr and in the log; repeatable",
     .many = true},
    {'q', "quiet", EVS_OPT_FLAG, NULL, NULL, "no progress and no warnings on stderr"},
    {0, "allow-writes", EVS_OPT_FLAG, NULL, NULL, "let commands that write to a cluster do so"},
    {0, "version", EVS_OPT_FLAG, NULL, NULL, "version, linked libraries, sinks and decoders"},
    {'h', "help", EVS_OPT_FLAG, NULL, NULL, "this help; after a command, its own"},
    {0},
};

static const struct evs_opt topic_opts[] = {
    {'t', "topic", EVS_OPT_STR, "TOPIC", NULL, "the topic, in place of the argument (as kcat's)"},
    {0},
};

static const struct evs_opt read_opts[] = {
    {'p', "partitions", EVS_OPT_STR, "LIST", NULL, "partitions, such as 0,3-5 (default: all)"},
    {'o', "offset", EVS_OPT_STR, "FROM", NULL,
     "beginning, end, N, -N (the last N), s@MS, group:NAME (its commits), and as the end e@MS (as "
     "kcat's; repeatable)",
     .many = true},
    {0, "since", EVS_OPT_STR, "T", NULL,
     "from this time: 15m, 2h, 3d back, RFC 3339, 'YYYY-MM-DD[ HH:MM[:SS]]', epoch s or ms"},
    {0, "until", EVS_OPT_STR, "T", NULL, "up to this time, the same forms"},
    {'c', "count", EVS_OPT_INT, "N", NULL, "stop after N kept records", .min = 1},
    {0, "isolation", EVS_OPT_CHOICE, "LEVEL", "read_committed", "which records are seen",
     "read_committed|read_uncommitted"},
    {0, "follow", EVS_OPT_FLAG, NULL, NULL, "after the end, go on with what arrives"},
    {'e', "exit", EVS_OPT_FLAG, NULL, NULL, "stop at the end (the default; as kcat's)"},
    {0},
};

static const struct evs_opt keep_opts[] = {
    {'k', "key", EVS_OPT_STR, "GLOB", NULL, "keys like this: a glob, re:PATTERN or =TEXT exactly",
     .many = true},
    {0, "grep", EVS_OPT_STR, "TEXT", NULL, "these bytes in key or value", .many = true},
    {'i', "ignore-case", EVS_OPT_FLAG, NULL, NULL, "keys and text ignore case"},
    {0, "header", EVS_OPT_STR, "NAME[=GLOB]", NULL, "a header of this name (and value)",
     .many = true},
    {0, "jq", EVS_OPT_STR, "EXPR", NULL,
     "jq on {topic,partition,offset,timestamp,key,value,headers}; true keeps", .many = true},
    {0, "not-key", EVS_OPT_STR, "GLOB", NULL, "keys unlike this", .many = true},
    {0, "not-grep", EVS_OPT_STR, "TEXT", NULL, "these bytes in neither", .many = true},
    {0, "not-header", EVS_OPT_STR, "NAME[=GLOB]", NULL, "no such header", .many = true},
    {0, "not-jq", EVS_OPT_STR, "EXPR", NULL, "what is false (an error keeps nothing)",
     .many = true},
    {0},
};

const struct evs_opt *evs_cli_options(unsigned group)
{
    switch (group) {
    case EVS_CMD_TOPIC: return topic_opts;
    case EVS_CMD_READ: return read_opts;
    case EVS_CMD_KEEP: return keep_opts;
    default: return global_opts;
    }
}
