/* man.c - `eventscope man`: the manual page in roff, from the same tables as --help. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cmds.h"

/* Text for roff: backslashes, dashes and a leading dot or quote lose their meaning. */
static void put(const char *text)
{
    bool line_start = true;

    for (const char *p = text; *p; p++) {
        if (line_start && (*p == '.' || *p == '\''))
            fputs("\\&", stdout);
        if (*p == '\\')
            fputs("\\e", stdout);
        else if (*p == '-')
            fputs("\\-", stdout);
        else
            putchar(*p);
        line_start = *p == '\n';
    }
}

/* Paragraphs are parted by empty lines; indented lines are kept as they are. */
static void put_paragraphs(const char *text)
{
    bool kept = false;

    while (*text) {
        size_t n = strcspn(text, "\n");
        char line[2048];
        snprintf(line, sizeof(line), "%.*s", (int)n, text);
        if ((line[0] == ' ') != kept) {
            kept = !kept;
            puts(kept ? ".PP\n.nf" : ".fi");
        }
        if (n == 0)
            fputs(".PP", stdout);
        else
            put(line);
        putchar('\n');
        text += n + (text[n] == '\n');
    }
    if (kept)
        puts(".fi");
}

static void put_option(const struct evs_opt *r)
{
    if (r->same_as || !r->name)
        return;
    bool maybe = r->type == EVS_OPT_MAYBE || r->type == EVS_OPT_MAYBE_NEXT;
    fputs(".TP\n", stdout);
    if (r->letter)
        printf("\\fB\\-%c\\fR, ", r->letter);
    fputs("\\fB\\-\\-", stdout);
    put(r->name);
    fputs("\\fR", stdout);
    if (r->arg) {
        fputs(maybe ? "[=\\fI" : " \\fI", stdout);
        put(r->arg);
        fputs(maybe ? "\\fR]" : "\\fR", stdout);
    }
    putchar('\n');
    put(r->help);
    if (r->choices) {
        fputs(": ", stdout);
        put(r->choices);
    }
    if (r->def) {
        fputs(" (default ", stdout);
        put(r->def);
        putchar(')');
    }
    putchar('\n');
}

static void put_options(const char *title, const struct evs_opt *rows)
{
    if (!rows || (!rows->name && !rows->letter))
        return;
    if (title)
        printf(".SS %s\n", title);
    for (; rows->name || rows->letter; rows++)
        put_option(rows);
}

static void put_command(const struct evs_cmd *cmd)
{
    fputs(".SS \"eventscope ", stdout);
    put(cmd->name);
    if (cmd->args[0])
        putchar(' ');
    put(cmd->args);
    puts("\"");
    put(cmd->summary);
    puts(".");
    if (cmd->about) {
        puts(".PP");
        put_paragraphs(cmd->about);
    }
    if (cmd->opts && cmd->opts->help)
        put_options(NULL, cmd->opts);
    if (cmd->groups & EVS_CMD_TOPIC)
        put_options(NULL, evs_cli_options(EVS_CMD_TOPIC));
    if (cmd->groups & (EVS_CMD_READ | EVS_CMD_KEEP))
        printf(".PP\nAlso takes: %s%s%s.\n", cmd->groups & EVS_CMD_READ ? "where to read" : "",
               (cmd->groups & EVS_CMD_READ) && (cmd->groups & EVS_CMD_KEEP) ? ", " : "",
               cmd->groups & EVS_CMD_KEEP ? "what to keep" : "");
    if (cmd->example) {
        puts(".PP\n.nf");
        put(cmd->example);
        puts("\n.fi");
    }
}

static const char intro[] =
    "eventscope shows what is in an Apache Kafka: topics by partition, messages, the distribution "
    "of keys, the lag of consumer groups, the history of one entity; and it replays events into a "
    "materialized view. Without a command it opens the terminal interface; with one it answers "
    "once, as text or, with --json, as JSON.\n\n"
    "It joins no consumer group, commits no offset, creates no topic and produces nothing, unless "
    "a command that writes was given --allow-writes, or is a replay into a sink that was named and "
    "confirmed.";

static const struct {
    const char *title, *text;
} tail[] = {
    {"OUTPUT",
     "Text output is aligned columns for people. --json prints one JSON document or, for messages "
     "and with --watch or --follow, one object a line. Times in JSON are epoch milliseconds; what "
     "cannot be known is null. Control characters of event data never reach a terminal raw.\n\n"
     "Errors go to stderr as \"eventscope: WHAT: WHY\" and, where one is known, a second line "
     "\"  hint: ...\"."},
    {"EXIT STATUS",
     "  0  done\n"
     "  1  the work failed (cluster, sink, I/O)\n"
     "  2  the command line or the configuration is wrong\n"
     "  3  stopped early; what was printed is marked incomplete\n"
     "  4  done, and found what it was asked to look for (lint, replay --verify, lag --fail-over)\n"
     "\ncheck alone has a probe's codes: 0 fine, 1 warning, 2 critical, 3 unknown."},
    {"ENVIRONMENT",
     "  EVENTSCOPE_CONFIG   the configuration file\n"
     "  EVENTSCOPE_CLUSTER  the profile\n"
     "  EVENTSCOPE_THEME    the theme\n"
     "  NO_COLOR            no colours, when set and not empty\n"
     "  COLORTERM, TERM     what the terminal can do\n"
     "  PAGER, EDITOR       for opening a record elsewhere\n"
     "  XDG_CONFIG_HOME, XDG_STATE_HOME\n"
     "\nPrecedence: option, environment, profile, [defaults], built in."},
    {"FILES", "  $XDG_CONFIG_HOME/eventscope/eventscope.conf    profiles and defaults\n"
              "  $XDG_CONFIG_HOME/eventscope/themes/*.theme     your themes\n"
              "  $XDG_STATE_HOME/eventscope/                    replay journal, history"},
};

static int run(struct evs_cli *cli)
{
    (void)cli;
    printf(".TH EVENTSCOPE 1 \"\" \"eventscope %s\" \"User Commands\"\n"
           ".SH NAME\neventscope \\- a terminal UI event inspector for Apache Kafka\n"
           ".SH SYNOPSIS\n.B eventscope\n[\\fIOPTIONS\\fR] [\\fICOMMAND\\fR ...]\n"
           ".SH DESCRIPTION\n",
           PACKAGE_VERSION);
    put_paragraphs(intro);
    puts(".SH COMMANDS");
    for (const struct evs_cmd *const *c = evs_cmds; *c; c++)
        put_command(*c);
    puts(".SH OPTIONS");
    put_options("Common", evs_cli_options(0));
    put_options("\"Where to read\"", evs_cli_options(EVS_CMD_READ));
    put_options("\"What to keep\"", evs_cli_options(EVS_CMD_KEEP));
    for (size_t i = 0; i < sizeof(tail) / sizeof(tail[0]); i++) {
        printf(".SH \"%s\"\n", tail[i].title);
        put_paragraphs(tail[i].text);
    }
    puts(".SH \"SEE ALSO\"\nkcat(1)");
    return EVS_EXIT_OK;
}

const struct evs_cmd evs_cmd_man = {
    .name = "man",
    .args = "",
    .summary = "prints this manual page (eventscope man | man -l -)",
    .run = run,
};
