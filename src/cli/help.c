/* help.c - --help and --version, from the tables. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "decode/decoder.h"
#include "filter/jq.h"
#include "kafka/client.h"
#include "sinks/sink.h"

enum { OPT_COL = 30, WIDTH = 100 };

/* Wraps text at WIDTH, continued at col. */
static void print_wrapped(const char *text, int col)
{
    int at = col;
    while (*text) {
        int len = (int)strcspn(text, " ");
        if (at > col && at + 1 + len > WIDTH) {
            printf("\n%*s", col, "");
            at = col;
        } else if (at > col) {
            putchar(' ');
            at++;
        }
        printf("%.*s", len, text);
        at += len;
        text += len;
        while (*text == ' ')
            text++;
    }
    putchar('\n');
}

/* Lines that start with a space are kept as they are, the others wrapped. */
static void print_paragraphs(const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        char line[2048];
        snprintf(line, sizeof(line), "%.*s", (int)n, text);
        if (line[0] == ' ')
            puts(line);
        else
            print_wrapped(line, 0);
        text += n + (text[n] == '\n');
    }
}

static void print_opt(const struct evs_opt *r)
{
    if (r->same_as)
        return;
    char left[80];
    const char *eq = r->type == EVS_OPT_MAYBE || r->type == EVS_OPT_MAYBE_NEXT ? "[="
                     : r->arg                                                  ? " "
                                                                               : "";
    snprintf(left, sizeof(left), "  %c%c%s--%s%s%s%s", r->letter ? '-' : ' ',
             r->letter ? r->letter : ' ', r->letter ? ", " : "  ", r->name, eq,
             r->arg ? r->arg : "", eq[0] == '[' ? "]" : "");
    int n = printf("%s", left);
    if (n >= OPT_COL) {
        putchar('\n');
        n = 0;
    }
    printf("%*s", OPT_COL - n, "");
    char help[400];
    snprintf(help, sizeof(help), "%s%s%s%s%s%s%s", r->help, r->choices ? ": " : "",
             r->choices ? r->choices : "", r->def ? " (" : "", r->def ? r->def : "",
             r->def ? ")" : "", "");
    print_wrapped(help, OPT_COL);
}

static void print_table(const char *title, const struct evs_opt *rows)
{
    if (!rows || (!rows->name && !rows->letter))
        return;
    printf("\n%s\n", title);
    for (; rows->name || rows->letter; rows++)
        print_opt(rows);
}

static void help_command(const struct evs_cmd *cmd)
{
    printf("eventscope %s%s%s: %s\n", cmd->name, cmd->args[0] ? " " : "", cmd->args, cmd->summary);
    if (cmd->about) {
        putchar('\n');
        print_paragraphs(cmd->about);
    }
    print_table("Options", cmd->opts);
    if (cmd->groups & EVS_CMD_TOPIC)
        print_table("Which topic", evs_cli_options(EVS_CMD_TOPIC));
    if (cmd->groups & EVS_CMD_READ)
        print_table("Where to read", evs_cli_options(EVS_CMD_READ));
    if (cmd->groups & EVS_CMD_KEEP)
        print_table("What to keep", evs_cli_options(EVS_CMD_KEEP));
    print_table("Common options", evs_cli_options(0));
    if (cmd->example)
        printf("\nExamples\n%s\n", cmd->example);
}

void evs_cli_help(const struct evs_cmd *cmd)
{
    if (cmd) {
        help_command(cmd);
        return;
    }
    puts("eventscope: a terminal UI event inspector for Apache Kafka\n\n"
         "  eventscope [OPTIONS]                the terminal interface on the configured cluster\n"
         "  eventscope [OPTIONS] COMMAND ...    one answer, as text or --json\n\n"
         "Commands");
    for (const struct evs_cmd *const *c = evs_cmds; *c; c++) {
        int n = printf("  %s %s", (*c)->name, (*c)->args);
        if (n >= OPT_COL) {
            putchar('\n');
            n = 0;
        }
        printf("%*s", OPT_COL - n, "");
        print_wrapped((*c)->summary, OPT_COL);
    }
    print_table("Common options", evs_cli_options(0));
    puts("\neventscope COMMAND --help explains one command; the manual page is eventscope(1).");
}

/* The version, the library that talks to Kafka, and what this build can write and read. */
void evs_cli_version(void)
{
    printf("eventscope %s\nlibrdkafka %s\nsinks     ", PACKAGE_VERSION,
           evs_client_library_version());
    for (size_t i = 0; evs_sinks[i]; i++)
        printf(" %s", evs_sinks[i]->name);
    for (size_t i = 0; evs_sinks_missing[i]; i += 2)
        printf("\n           no %s: %s", evs_sinks_missing[i], evs_sinks_missing[i + 1]);
    printf("\ndecoders  ");
    for (size_t i = 0; evs_decoders[i]; i++)
        printf(" %s", evs_decoders[i]->name);
    printf("\njq         %s\n", evs_jq_available() ? "yes" : "no: built without libjq");
}
