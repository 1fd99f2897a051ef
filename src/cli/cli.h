/* cli.h - the command line: commands, options common to all, exit codes.
 *
 * A command is one row (struct evs_cmd) exported by its own file and listed in cmds.h. Its option
 * groups say what else it takes: where to read, what to keep. `run` returns an exit code; it
 * prints results to stdout, and errors only through evs_cli_fail.
 *
 * Threads  main only; `stop` is raised from signal handlers.   Owns  what evs_cli_run sets up.
 * Errors   as exit codes.   Source  contract: exit codes, global options.
 */
#ifndef EVS_CLI_CLI_H
#define EVS_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/opt.h"
#include "core/thread.h"

enum evs_exit {
    EVS_EXIT_OK = 0,
    EVS_EXIT_FAILED = 1,  /* cluster, sink, I/O */
    EVS_EXIT_USAGE = 2,   /* command line or configuration */
    EVS_EXIT_STOPPED = 3, /* stopped early; what was printed is marked incomplete */
    EVS_EXIT_FOUND = 4    /* done, and found what it was asked to look for */
};

enum {
    EVS_CMD_CLUSTER = 1, /* talks to a cluster */
    EVS_CMD_TOPIC = 2,   /* the first argument is a topic; -t TOPIC stands in for it */
    EVS_CMD_READ = 4,    /* where to read: -p -o --since --until -c --isolation --follow */
    EVS_CMD_KEEP = 8     /* what to keep: -k --grep -i --header --jq */
};

/* The interface, which main.c hands over: cli and ui do not know each other. */
struct evs_client;
struct evs_cli_face {
    struct evs_client *client;  /* NULL: no broker is known */
    const char *screen;         /* opens there; NULL: Topics */
    const char *topic, *key, *group;
    size_t key_len;             /* bytes of key */
    const char *offset;         /* a plain one */
    const char *words;          /* other options, as words of the search entry */
    int32_t partition;          /* -1: all */
    const char *const *groups;  /* groups by name, NULL ends; NULL: those that are listed */
    bool demo;
    /* From the configuration file; options and environment win. NULL: not set. */
    const char *theme, *config_file;
    bool no_color, no_mouse;
    const struct evs_err *problem; /* why there is no client, or NULL */
};
struct evs_cli;
/* The First run screen's choices: 's' sample cluster, 'b' brokers, 'f' a configuration file, 'w'
 * write a starter; `:cluster`'s: 'c' a profile. The client lives until the face is closed. */
enum evs_rc evs_cli_connect(struct evs_cli *cli, char how, const char *text,
                            struct evs_client **ret_client, char ret_said[200],
                            struct evs_err *err);
typedef int evs_cli_open_face(struct evs_cli *cli, const struct evs_cli_face *face);

struct evs_cli {
    const struct evs_cmd *cmd;
    struct evs_opts opts; /* given before and after the command */
    char **args;          /* words after the command, -t TOPIC put first */
    int n_args;
    bool json, quiet;
    int verbose;
    int64_t timeout_ms;    /* --timeout, per cluster request */
    struct evs_stop *stop; /* raised by SIGINT and SIGTERM */
    int stop_signal;       /* reserved */
    evs_cli_open_face *open_face; /* returns an exit code */
};

struct evs_cmd {
    const char *name;
    const char *args;           /* "TOPIC [GLOB...]"; "" for none */
    const char *summary;        /* one line for lists */
    const char *about;          /* paragraphs for --help and the man page; may be NULL */
    const char *example;        /* lines for --help and the man page; may be NULL */
    const struct evs_opt *opts; /* its own; NULL for none */
    unsigned groups;
    int min_args, max_args; /* max -1: any number */
    int (*run)(struct evs_cli *cli);
    bool probe; /* a wrong command line is a monitoring probe's "unknown", 3 */
};

/* All commands, NULL-terminated; and the option tables, by group bit (0: global). */
extern const struct evs_cmd *const evs_cmds[];
const struct evs_opt *evs_cli_options(unsigned group);
const struct evs_cmd *evs_cli_find(const char *name);

/* Prints "eventscope: WHAT: WHY" and the hint to stderr, escaped; returns the exit code of err's
 * class. */
int evs_cli_fail(const struct evs_err *err);
/* A warning line on stderr; silent with -q. */
void evs_cli_warn(const struct evs_cli *cli, const char *fmt, ...) EVS_PRINTF(2, 3);

/* --help of everything (NULL) or one command; --version. */
void evs_cli_help(const struct evs_cmd *cmd);
void evs_cli_version(void);

/* Opens the interface where a command points: its client, a screen, the first argument as topic. */
int evs_cli_tui(struct evs_cli *cli, const char *screen);

/* The whole program without its faces' start-up. stop must be ready. */
int evs_cli_run(int argc, char **argv, struct evs_stop *stop, evs_cli_open_face *open_face);

#endif
