/* trace_words.c - what a trace reads, as words that `f` edits: with:TOPIC,HOW by:HOW since:T
 * until:T p:LIST isolation:LEVEL fold:RULE all map:JQ. */
#include <string.h>

#include "core/text.h"
#include "core/xalloc.h"
#include "ui/screens/trace_int.h"

#define LEAD "trace: " /* of the words that a command line carries to the screen */

/* The next word, cut in place; quotes keep blanks. map: takes the rest of the line. */
static char *next_word(char **at)
{
    char *from = *at + strspn(*at, " "), *to = from;
    bool quoted = false, rest = !strncmp(from, "map:", 4);
    if (!*from)
        return NULL;
    const char *p = from;
    for (; *p && (quoted || rest || *p != ' '); p++)
        if (*p == '"' && !rest)
            quoted = !quoted;
        else
            *to++ = *p;
    *at = from + (p - from) + (*p != '\0');
    *to = '\0';
    return from;
}

static enum evs_rc take_rule(struct trace_ask *a, const char *name, struct evs_err *err)
{
    for (a->rule = 0; a->rule < EVS_FOLD_RULES; a->rule++)
        if (a->rule != EVS_FOLD_MAP && !strcmp(evs_fold_rule_name(a->rule), name))
            return EVS_OK;
    return evs_fail(err, EVS_INVALID, "fold:%.60s: none of last merge none", name);
}

static enum evs_rc take_level(struct trace_ask *a, const char *name, struct evs_err *err)
{
    a->leveled = true;
    a->uncommitted = !strcmp(name, "read_uncommitted");
    return a->uncommitted || !strcmp(name, "read_committed")
               ? EVS_OK
               : evs_fail(err, EVS_INVALID,
                          "isolation:%.60s: neither read_committed nor read_uncommitted", name);
}

static enum evs_rc take(struct trace_ask *a, char *word, const char **ret_by, struct evs_err *err)
{
    static const struct {
        const char *lead;
        size_t at;
    } places[] = {{"since:", offsetof(struct evs_range_spec, since)},
                  {"until:", offsetof(struct evs_range_spec, until)},
                  {"p:", offsetof(struct evs_range_spec, partitions)}};
    for (size_t i = 0; i < EVS_COUNT(places); i++) {
        size_t n = strlen(places[i].lead);
        if (!strncmp(word, places[i].lead, n)) {
            *(const char **)(void *)((char *)&a->o.where + places[i].at) = word + n;
            return EVS_OK;
        }
    }
    if (!strncmp(word, "fold:", 5))
        return take_rule(a, word + 5, err);
    if (!strncmp(word, "isolation:", 10))
        return take_level(a, word + 10, err);
    if (!strcmp(word, "all"))
        a->all = true;
    else if (!strncmp(word, "by:", 3))
        *ret_by = word + 3;
    else if (!strncmp(word, "map:", 4))
        a->map = word + 4;
    else if (!strncmp(word, "with:", 5) && a->n_with < EVS_TRACE_LANES)
        a->with[a->n_with++] = word + 5;
    else
        return evs_fail(err, EVS_INVALID,
                        "'%.60s': none of with: by: since: until: p: isolation: fold: all "
                        "map:",
                        word);
    return EVS_OK;
}

enum evs_rc evs_trace_ask_read(const char *words, const char *topic, struct trace_ask *ret_a,
                               struct evs_err *err)
{
    struct trace_ask a = {
        .words = evs_xstrdup(words), .text = evs_xstrdup(words), .rule = EVS_FOLD_RULES};
    const char *by = "key";
    char *at = a.text, *word;
    enum evs_rc rc = EVS_OK;
    for (word = next_word(&at); word && !rc; word = next_word(&at))
        rc = take(&a, word, &by, err);
    if (!rc)
        rc = evs_trace_lane_first(topic, by, &a.o, err);
    for (size_t i = 0; i < a.n_with && !rc; i++)
        rc = evs_trace_lane_add(a.with[i], by, &a.o, err);
    if (!rc && a.map && *a.map) { /* it must compile */
        struct evs_fold *fold = NULL;
        rc = evs_fold_new(EVS_FOLD_MAP, a.map, &fold, err);
        evs_fold_free(fold);
    }
    if (rc)
        evs_trace_ask_done(&a);
    else
        *ret_a = a;
    return rc;
}

void evs_trace_ask_done(struct trace_ask *a)
{
    evs_free(a->words);
    evs_free(a->text);
    *a = (struct trace_ask){0};
}

const char *evs_trace_ask_words(const char *text)
{
    return text && !strncmp(text, LEAD, strlen(LEAD)) ? text + strlen(LEAD) : NULL;
}

/* As options of the command. */
void evs_trace_ask_options(const struct trace_ask *a, struct evs_buf *out)
{
    static const struct {
        const char *lead, *option;
    } options[] = {{"with:", "--with"},   {"by:", "--by"}, {"since:", "--since"},
                   {"until:", "--until"}, {"p:", "-p"},    {"map:", "--map"}};
    char *copy = evs_xstrdup(a->words ? a->words : ""), *at = copy, *word;
    while ((word = next_word(&at)) != NULL)
        for (size_t i = 0; i < EVS_COUNT(options); i++) {
            size_t n = strlen(options[i].lead);
            if (strncmp(word, options[i].lead, n))
                continue;
            evs_buf_printf(out, " %s '", options[i].option);
            for (const char *p = word + n; *p; p++) {
                if (*p == '\'')
                    evs_buf_adds(out, "'\\''");
                else
                    evs_buf_addc(out, *p);
            }
            evs_buf_addc(out, '\'');
        }
    evs_free(copy);
}
