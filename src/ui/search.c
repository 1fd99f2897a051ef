#include "ui/search.h"

#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/num.h"

static const struct {
    const char *name;
    enum evs_filter_kind kind;
    const char *option, *inverted;
} kinds[] = {{"grep:", EVS_FILTER_GREP, "--grep", "--not-grep"},
             {"key:", EVS_FILTER_KEY, "-k", "--not-key"},
             {"header:", EVS_FILTER_HEADER, "--header", "--not-header"},
             {"jq:", EVS_FILTER_JQ, "--jq", "--not-jq"}};

void evs_search_init(struct evs_search *s)
{
    memset(s, 0, sizeof(*s));
}

/* Where the quotes that p begins with end; n: nowhere. */
static size_t closing(const char *p, size_t n)
{
    size_t i = 1;
    for (; i < n && p[i] != '"'; i++)
        if (p[i] == '\\' && i + 1 < n)
            i++;
    return i < n ? i : n;
}

/* A value without the quotes around it; quotes within are its own. */
static const char *keep(struct evs_search *s, const char *p, size_t n)
{
    if (s->used + n + 1 > sizeof(s->text))
        return NULL;
    char *to = s->text + s->used;
    size_t out = 0, end = n && *p == '"' ? closing(p, n) : 0;
    bool quoted = end && end + 1 >= n; /* or not closed yet */
    for (size_t i = quoted; i < (quoted ? end : n); i++) {
        if (quoted && p[i] == '\\' && i + 1 < end)
            i++;
        to[out++] = p[i];
    }
    to[out] = '\0';
    s->used += out + 1;
    return to;
}

size_t evs_search_word(const char *p)
{
    const char *word = *p == '!' ? p + 1 : p;
    if (!strncmp(word, "jq:", 3)) {
        size_t n = strlen(p);
        while (n && p[n - 1] == ' ')
            n--;
        return n;
    }
    size_t n = 0;
    for (bool quoted = false; p[n] && (quoted || p[n] != ' '); n++) {
        if (p[n] == '"')
            quoted = !quoted;
        else if (quoted && p[n] == '\\' && p[n + 1])
            n++;
    }
    return n;
}

static enum evs_rc add_term(struct evs_search *s, const char *p, size_t n, struct evs_err *err)
{
    bool invert = n > 1 && *p == '!';
    enum evs_filter_kind kind = EVS_FILTER_GREP;
    p += invert;
    n -= invert;
    bool raw = false;
    for (size_t i = 0; i < EVS_COUNT(kinds); i++) {
        size_t len = strlen(kinds[i].name);
        if (n >= len && !strncmp(p, kinds[i].name, len)) {
            kind = kinds[i].kind;
            raw = kind == EVS_FILTER_JQ;
            p += len;
            n -= len;
        }
    }
    if (!n)
        return evs_fail(err, EVS_INVALID, "a word is not finished");
    if (s->n_terms == EVS_SEARCH_TERMS)
        return evs_fail(err, EVS_INVALID, "more than %d words", EVS_SEARCH_TERMS);
    const char *text;
    if (raw && s->used + n + 1 <= sizeof(s->text)) { /* quotes belong to jq */
        memcpy(s->text + s->used, p, n);
        text = s->text + s->used;
        s->text[s->used + n] = '\0';
        s->used += n + 1;
    } else {
        text = raw ? NULL : keep(s, p, n);
    }
    if (!text)
        return evs_fail(err, EVS_INVALID, "the search is too long");
    s->terms[s->n_terms++] = (struct evs_filter_term){.kind = kind, .text = text, .invert = invert};
    return EVS_OK;
}

static enum evs_rc add_word(struct evs_search *s, const char *p, size_t n, struct evs_err *err)
{
    const struct {
        const char *name;
        const char **to;
    } places[] = {
        {"since:", &s->since}, {"until:", &s->until}, {"p:", &s->partitions}, {"o:", &s->from}};
    for (size_t i = 0; i < EVS_COUNT(places); i++) {
        size_t len = strlen(places[i].name);
        if (n < len || strncmp(p, places[i].name, len))
            continue;
        *places[i].to = keep(s, p + len, n - len);
        return *places[i].to && **places[i].to
                   ? EVS_OK
                   : evs_fail(err, EVS_INVALID, "%s needs a value", places[i].name);
    }
    if (n > 2 && !strncmp(p, "n:", 2)) {
        const char *number = keep(s, p + 2, n - 2);
        return number ? evs_num_i64(number, 1, INT64_MAX, &s->count, err)
                      : evs_fail(err, EVS_INVALID, "the search is too long");
    }
    if (n == 2 && !strncmp(p, "-i", 2)) {
        s->ignore_case = true;
        return EVS_OK;
    }
    return add_term(s, p, n, err);
}

static enum evs_rc finish(struct evs_search *s, struct evs_err *err)
{
    int64_t when;
    for (size_t i = 0; i < s->n_terms; i++)
        s->terms[i].ignore_case = s->ignore_case;
    s->every = s->every || (s->partitions && !strcmp(s->partitions, "all"));
    if (s->partitions && (s->every || !strcmp(s->partitions, "key")))
        s->partitions = NULL;
    if (s->since && evs_num_time(s->since, 1, &when, err))
        return evs_wrap(err, "since:");
    if (s->until && strcmp(s->until, "now") && evs_num_time(s->until, 1, &when, err))
        return evs_wrap(err, "until:");
    if (s->until && !strcmp(s->until, "now"))
        s->until = NULL;
    return EVS_OK;
}

enum evs_rc evs_search_parse(struct evs_search *s, const char *line, struct evs_err *err)
{
    while (*line) {
        if (*line == ' ') {
            line++;
            continue;
        }
        size_t n = evs_search_word(line);
        enum evs_rc rc = add_word(s, line, n, err);
        if (rc)
            return rc;
        line += n;
    }
    return finish(s, err);
}

enum evs_rc evs_search_check(const struct evs_search *s, struct evs_err *err)
{
    struct evs_filter *f = NULL;
    enum evs_rc rc = evs_filter_new(s->terms, s->n_terms, &f, err);
    if (!rc)
        evs_filter_free(f);
    return rc;
}

const char *evs_search_key(const struct evs_search *s)
{
    const char *key = NULL;
    for (size_t i = 0; i < s->n_terms; i++) {
        const struct evs_filter_term *t = &s->terms[i];
        if (t->kind != EVS_FILTER_KEY || t->invert || t->ignore_case)
            continue;
        if (*t->text == '=')
            key = t->text + 1;
        else if (strncmp(t->text, "re:", 3) && !strpbrk(t->text, "*?[\\"))
            key = t->text;
    }
    return key;
}

void evs_shell_word(struct evs_buf *out, const char *word)
{
    bool plain = *word != '\0';
    for (const char *p = word; *p; p++)
        plain = plain && (strchr("-_.,:=/@%+", *p) || (*p >= '0' && *p <= '9') ||
                          (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'));
    if (plain) {
        evs_buf_adds(out, word);
        return;
    }
    evs_buf_addc(out, '\'');
    for (const char *p = word; *p; p++)
        if (*p == '\'')
            evs_buf_adds(out, "'\\''");
        else
            evs_buf_addc(out, *p);
    evs_buf_addc(out, '\'');
}

static void option(struct evs_buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    evs_buf_printf(out, " %s ", name);
    evs_shell_word(out, value);
}

void evs_search_options(const struct evs_search *s, struct evs_buf *out)
{
    option(out, "-p", s->partitions);
    option(out, "-o", s->from);
    option(out, "--since", s->since);
    option(out, "--until", s->until);
    if (s->count)
        evs_buf_printf(out, " -c %lld", (long long)s->count);
    for (size_t i = 0; i < s->n_terms; i++)
        for (size_t k = 0; k < EVS_COUNT(kinds); k++)
            if (kinds[k].kind == s->terms[i].kind)
                option(out, s->terms[i].invert ? kinds[k].inverted : kinds[k].option,
                       s->terms[i].text);
    if (s->ignore_case)
        evs_buf_adds(out, " -i");
}
