/* topic_name.c - names that are not <domain>.<entity>.<event-type>, with the nearest that would
 * be. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "kafka/meta.h"
#include "lint/rules.h"

enum { WORDS = 16, WORD_LEN = 64, NAME_LEN = 256, BETTER_LEN = 2048 };

/* Lower-case words with single dashes inside, three or more between dots. */
static bool is_good(const char *name)
{
    int parts = 1;
    for (const char *s = name; *s; s++) {
        bool plain = islower((unsigned char)*s) || isdigit((unsigned char)*s);
        bool inside = s > name && isalnum((unsigned char)s[-1]) && isalnum((unsigned char)s[1]);
        if (!plain && !((*s == '.' || *s == '-') && inside))
            return false;
        parts += *s == '.';
    }
    return parts >= 3;
}

struct words {
    char word[WORDS][WORD_LEN];
    int n;
    bool versioned;
};

/* "topic", "events", "queue", ... say nothing; v2 says that the old one still lives. */
static void add_word(struct words *w, const char *s, size_t len)
{
    static const char *const noise[] = {"topic", "topics", "event", "events",
                                        "queue", "stream", "kafka"};
    char word[WORD_LEN];
    if (!len || len >= WORD_LEN || w->n == WORDS)
        return;
    for (size_t i = 0; i < len; i++)
        word[i] = (char)tolower((unsigned char)s[i]);
    word[len] = '\0';
    for (size_t i = 0; i < EVS_COUNT(noise); i++)
        if (!strcmp(word, noise[i]))
            return;
    if (word[0] == 'v' && len > 1 && strspn(word + 1, "0123456789") == len - 1) {
        w->versioned = true;
        return;
    }
    memcpy(w->word[w->n++], word, len + 1);
}

/* At separators and where a capital follows a small letter. */
static void split(const char *name, struct words *w)
{
    const char *from = name, *s = name;
    for (; *s; s++) {
        bool separator = !isalnum((unsigned char)*s);
        bool hump = s > from && isupper((unsigned char)*s) && islower((unsigned char)s[-1]);
        if (!separator && !hump)
            continue;
        add_word(w, from, (size_t)(s - from));
        from = separator ? s + 1 : s;
    }
    add_word(w, from, (size_t)(s - from));
}

/* The domain under which another topic has this entity, or NULL. */
static const char *domain_of(const struct evs_meta *m, const char *entity, char *to)
{
    for (int i = 0; i < m->n_topics; i++) {
        const char *name = m->topics[i].name, *dot = strchr(name, '.');
        size_t len = strlen(entity);
        if (!is_good(name) || strlen(name) >= NAME_LEN)
            continue;
        if (!strncmp(dot + 1, entity, len) && dot[1 + len] == '.') {
            snprintf(to, NAME_LEN, "%.*s", (int)(dot - name), name);
            return to;
        }
    }
    return NULL;
}

/* What it could be called; parts that nothing tells stay as <domain>, <entity>, <event-type>. */
static void suggest(const struct evs_lint_topic *t, const struct words *w, char *to)
{
    char domain[NAME_LEN];
    const char *known = w->n ? domain_of(t->meta, w->word[0], domain) : NULL;
    if (w->n >= 3) {
        size_t at = 0;
        for (int i = 0; i < w->n; i++)
            at += (size_t)snprintf(to + at, BETTER_LEN - at, "%s%s", i ? i < 3 ? "." : "-" : "",
                                   w->word[i]);
    } else if (w->n == 2) {
        snprintf(to, BETTER_LEN, "%s.%s.%s", known ? known : "<domain>", w->word[0], w->word[1]);
    } else if (w->n == 1) {
        snprintf(to, BETTER_LEN, "%s.%s.%s", known ? known : "<domain>", w->word[0],
                 w->versioned && known ? "legacy" : "<event-type>");
    } else {
        snprintf(to, BETTER_LEN, "<domain>.<entity>.<event-type>");
    }
}

static void judge(void *state, const struct evs_lint_topic *t, struct evs_lint_out *out)
{
    (void)state;
    char better[BETTER_LEN];
    struct words w = {.n = 0};
    if (t->self->internal || t->name[0] == '_' || is_good(t->name))
        return;
    split(t->name, &w);
    suggest(t, &w, better);
    struct evs_jsonw *e =
        evs_lint_add(out, EVS_SEV_WARN, -1, "not <domain>.<entity>.<event-type>; try %s", better);
    evs_jsonw_str(e, "try", strchr(better, '<') ? NULL : better);
    evs_jsonw_str(e, "pattern", better);
    evs_lint_close(out,
                   "Topics cannot be renamed: create %s and let producers move there. The name is "
                   "what access rules and dashboards match on.",
                   better);
}

const struct evs_lint_rule evs_lint_topic_name = {
    .name = "topic-name",
    .help = "names that are not <domain>.<entity>.<event-type>",
    .judge = judge,
};
