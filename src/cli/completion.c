/* completion.c - `eventscope completion SHELL`: a completion script from the option tables. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cmds.h"

typedef void option_fn(const struct evs_cmd *cmd, const struct evs_opt *r);

/* Calls fn for each row that a command takes; cmd NULL: the common options alone. */
static void each_option(const struct evs_cmd *cmd, option_fn *fn)
{
    const struct evs_opt *tables[5] = {cmd ? cmd->opts : NULL};
    size_t n = 1;

    for (unsigned group = EVS_CMD_TOPIC; cmd && group <= EVS_CMD_KEEP; group *= 2)
        if (cmd->groups & group)
            tables[n++] = evs_cli_options(group);
    tables[n++] = evs_cli_options(0);
    for (size_t i = 0; i < n; i++)
        for (const struct evs_opt *r = tables[i]; r && (r->name || r->letter); r++)
            if (r->name && !r->same_as)
                fn(cmd, r);
}

static bool takes_file(const struct evs_opt *r)
{
    return r->arg && !strcmp(r->arg, "FILE");
}

/* Inside single quotes of any of the three shells; zsh also minds [ ] and : in a description. */
static void put_quoted(const char *text, const char *also)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr(also, *text))
            printf("\\%c", *text);
        else
            putchar(*text);
    }
}

static void put_choices(const struct evs_opt *r)
{
    for (const char *p = r->choices; *p; p++)
        putchar(*p == '|' ? ' ' : *p);
}

static void bash_word(const struct evs_cmd *cmd, const struct evs_opt *r)
{
    (void)cmd;
    printf(" --%s", r->name);
}

static void bash_values(const struct evs_cmd *cmd, const struct evs_opt *r)
{
    if (!r->choices && !takes_file(r))
        return;
    printf("        %s:--%s) ", cmd ? cmd->name : "", r->name);
    if (r->choices) {
        fputs("COMPREPLY=($(compgen -W '", stdout);
        put_choices(r);
        puts("' -- \"$cur\")); return ;;");
    } else {
        puts("COMPREPLY=($(compgen -f -- \"$cur\")); return ;;");
    }
}

static void bash(void)
{
    fputs("# bash completion of eventscope\n_eventscope()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd= w\n"
          "    local commands='",
          stdout);
    for (const struct evs_cmd *const *c = evs_cmds; *c; c++)
        printf("%s ", (*c)->name);
    puts("'\n    for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "        case \" $commands \" in *\" $w \"*) cmd=$w; break ;; esac\n    done\n"
         "    case $cmd:$prev in");
    each_option(NULL, bash_values);
    for (const struct evs_cmd *const *c = evs_cmds; *c; c++)
        each_option(*c, bash_values);
    puts("    esac\n    case $cmd in");
    for (const struct evs_cmd *const *c = evs_cmds; *c; c++) {
        printf("        %s) w='", (*c)->name);
        each_option(*c, bash_word);
        puts("' ;;");
    }
    fputs("        *) w=\"$commands", stdout);
    each_option(NULL, bash_word);
    puts("\" ;;\n    esac\n    COMPREPLY=($(compgen -W \"$w\" -- \"$cur\"))\n}\n"
         "complete -o default -F _eventscope eventscope");
}

static void zsh_option(const struct evs_cmd *cmd, const struct evs_opt *r)
{
    (void)cmd;
    bool maybe = r->type == EVS_OPT_MAYBE || r->type == EVS_OPT_MAYBE_NEXT;
    printf("        '%s--%s%s[", r->many ? "*" : "", r->name, r->arg ? (maybe ? "=-" : "=") : "");
    put_quoted(r->help, "[]:");
    putchar(']');
    if (r->arg) {
        printf(":%s:", maybe ? ":" : r->arg);
        if (r->choices) {
            putchar('(');
            put_choices(r);
            putchar(')');
        } else if (takes_file(r)) {
            fputs("_files", stdout);
        }
    }
    puts("' \\");
}

static void zsh(void)
{
    puts("#compdef eventscope\n_eventscope()\n{\n    local -a commands=(");
    for (const struct evs_cmd *const *c = evs_cmds; *c; c++) {
        printf("        '%s:", (*c)->name);
        put_quoted((*c)->summary, ":");
        puts("'");
    }
    puts("    )\n    local cmd w\n    for w in ${words[2,CURRENT-1]}; do\n"
         "        (( ${commands[(I)$w:*]} )) && cmd=$w && break\n    done\n    case $cmd in");
    for (const struct evs_cmd *const *c = evs_cmds; *c; c++) {
        printf("    %s) _arguments \\\n", (*c)->name);
        each_option(*c, zsh_option);
        puts("        '*:argument:' ;;");
    }
    puts("    *) _arguments \\");
    each_option(NULL, zsh_option);
    puts("        '*:command:{_describe command commands}' ;;\n    esac\n}\n_eventscope \"$@\"");
}

static void fish_option(const struct evs_cmd *cmd, const struct evs_opt *r)
{
    fputs("complete -c eventscope", stdout);
    if (cmd)
        printf(" -n '__fish_seen_subcommand_from %s'", cmd->name);
    if (r->letter)
        printf(" -s %c", r->letter);
    printf(" -l %s", r->name);
    if (r->arg)
        fputs(takes_file(r) ? " -r -F" : " -x", stdout);
    if (r->choices) {
        fputs(" -a '", stdout);
        put_choices(r);
        putchar('\'');
    }
    fputs(" -d '", stdout);
    for (const char *p = r->help; *p; p++)
        printf(*p == '\'' ? "\\'" : "%c", *p);
    puts("'");
}

static void fish(void)
{
    puts("# fish completion of eventscope\ncomplete -c eventscope -f");
    for (const struct evs_cmd *const *c = evs_cmds; *c; c++) {
        printf("complete -c eventscope -n __fish_use_subcommand -a %s -d '", (*c)->name);
        put_quoted((*c)->summary, "");
        puts("'");
    }
    each_option(NULL, fish_option);
    for (const struct evs_cmd *const *c = evs_cmds; *c; c++)
        each_option(*c, fish_option);
}

static int run(struct evs_cli *cli)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (!strcmp(cli->args[0], shells[i].name)) {
            shells[i].print();
            return EVS_EXIT_OK;
        }
    }
    struct evs_err err = EVS_ERR_INIT;
    evs_fail(&err, EVS_INVALID, "completion: unknown shell '%s'", cli->args[0]);
    evs_hint(&err, "there are bash, zsh and fish%s", "");
    return evs_cli_fail(&err);
}

const struct evs_cmd evs_cmd_completion = {
    .name = "completion",
    .args = "SHELL",
    .summary = "prints a completion script for bash, zsh or fish",
    .example = "  eventscope completion bash >~/.bash_completion.d/eventscope",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
