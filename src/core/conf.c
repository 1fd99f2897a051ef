#include "core/conf.h"

#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/xalloc.h"

/* Stands before a ';' that inih would take for a comment inside a value. */
enum { GUARD = '\x01' };

void evs_conf_done(struct evs_conf *conf)
{
    for (size_t i = 0; i < conf->n; i++) {
        evs_free(conf->items[i].section);
        evs_free(conf->items[i].name);
        evs_free(conf->items[i].value);
    }
    evs_free(conf->items);
    evs_free(conf->path);
    evs_free(conf->shown);
    memset(conf, 0, sizeof(*conf));
}

static void add_item(struct evs_conf *conf, const char *section, const char *name,
                     const char *value, int line)
{
    conf->items = evs_xgrow(conf->items, conf->n + 1, sizeof(*conf->items));
    conf->items[conf->n++] =
        (struct evs_conf_item){evs_xstrdup(section), evs_xstrdup(name), evs_xstrdup(value), line};
}

const struct evs_conf_item *evs_conf_find(const struct evs_conf *conf, const char *section,
                                          const char *name)
{
    for (size_t i = conf->n; i > 0; i--)
        if (!strcmp(conf->items[i - 1].section, section) && !strcmp(conf->items[i - 1].name, name))
            return &conf->items[i - 1];
    return NULL;
}

const char *evs_conf_origin(const struct evs_conf *conf, const struct evs_conf_item *item, char *to,
                            size_t n)
{
    snprintf(to, n, "%s:%d", conf->shown, item->line);
    return to;
}

enum evs_rc evs_conf_fail(const struct evs_conf *conf, const struct evs_conf_item *item,
                          struct evs_err *err, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return evs_fail(err, EVS_INVALID, "%s:%d: %s", conf->shown, item->line, text);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

/* --- eventscope's own: sections, by inih ------------------------------------------------------ */

struct ini_state {
    const char *at, *end;
    int line, too_long;
    struct evs_conf *conf;
};

/* One line for inih: without leading space (no continuation lines), ';' in values guarded. */
static char *feed(char *to, int room, void *stream)
{
    struct ini_state *st = stream;
    if (st->at >= st->end)
        return NULL;
    const char *eol = memchr(st->at, '\n', (size_t)(st->end - st->at));
    const char *end = eol ? eol : st->end, *s = st->at;
    int len = 0;
    st->line++;
    st->at = eol ? eol + 1 : st->end;
    while (s < end && is_space(*s))
        s++;
    const char *value = memchr(s, '=', (size_t)(end - s));
    bool comment = s < end && (*s == '#' || *s == ';');
    for (; s < end && !comment && len + 4 < room; s++) {
        if (*s == ';' && value && s > value)
            to[len++] = GUARD;
        to[len++] = *s ? *s : ' ';
    }
    if (s < end && !comment && !st->too_long)
        st->too_long = st->line;
    to[len++] = '\n';
    to[len] = '\0';
    return to;
}

static int take(void *user, const char *section, const char *name, const char *value)
{
    struct ini_state *st = user;
    if (!value)
        return 0;
    char *plain = evs_xstrdup(value), *to = plain;
    for (const char *s = plain; *s; s++)
        if (!(s[0] == GUARD && s[1] == ';'))
            *to++ = *s;
    *to = '\0';
    add_item(st->conf, section, name, plain, st->line);
    evs_free(plain);
    return 1;
}

static enum evs_rc parse_own(const char *text, size_t n, struct evs_conf *conf, struct evs_err *err)
{
    struct ini_state st = {text, text + n, 0, 0, conf};
#ifdef HAVE_INI_MAX_LINE
    ini_max_line = 16384;
#endif
    /* The same object is reader and handler: inih calls them in turn. */
    int wrong = ini_parse_stream(feed, &st, take, &st);
    if (st.too_long) {
        evs_fail(err, EVS_INVALID, "%s:%d: the line is too long", conf->shown, st.too_long);
        return evs_hint(err, "put the value into a file and write ${file:PATH}");
    }
    if (wrong)
        return evs_fail(err, EVS_INVALID, "%s:%d: neither [section] nor name = value", conf->shown,
                        wrong);
    return EVS_OK;
}

/* --- name=value files: kcat's and Java's ------------------------------------------------------ */

/* Java's rules: a line that ends in an odd number of backslashes goes on; \t \n \r \uXXXX escapes.
 * */
static void unescape(char *s)
{
    char *to = s;
    for (; *s; s++) {
        if (*s != '\\' || !s[1]) {
            *to++ = *s;
            continue;
        }
        s++;
        unsigned cp;
        if (*s == 'u' && sscanf(s + 1, "%4x", &cp) == 1 && strlen(s) > 4) {
            *to++ = cp < 0x80 ? (char)cp : '?';
            s += 4;
        } else {
            *to++ = *s == 't' ? '\t' : *s == 'n' ? '\n' : *s == 'r' ? '\r' : *s;
        }
    }
    *to = '\0';
}

static const char *next_line(const char **at, const char *end, size_t *ret_len)
{
    const char *line = *at, *eol = memchr(line, '\n', (size_t)(end - line));
    *at = eol ? eol + 1 : end;
    *ret_len = (size_t)((eol ? eol : end) - line);
    return line;
}

static bool goes_on(const char *line, size_t len)
{
    size_t back = 0;
    len -= len && line[len - 1] == '\r';
    while (back < len && line[len - 1 - back] == '\\')
        back++;
    return back % 2 == 1;
}

/* Splits a logical line and adds it; false: there is no name and value. */
static bool add_pair(struct evs_conf *conf, char *line, int number)
{
    bool java = conf->kind == EVS_CONF_JAVA;
    char *s = line + strspn(line, " \t\f\r");
    if (!*s || *s == '#' || (java && *s == '!'))
        return true;
    size_t name_len = strcspn(s, java ? "=: \t" : "=");
    char *value = s + name_len;
    if (!*value && !java)
        return false;
    value += strspn(value, " \t");
    value += *value == '=' || (java && *value == ':');
    value += strspn(value, " \t");
    while (name_len && is_space(s[name_len - 1]))
        name_len--;
    for (size_t n = strlen(value); n && is_space(value[n - 1]);)
        value[--n] = '\0';
    char *name = evs_xstrndup(s, name_len);
    if (java)
        unescape(value);
    add_item(conf, "", name, value, number);
    evs_free(name);
    return name_len > 0;
}

static enum evs_rc parse_pairs(const char *text, size_t n, struct evs_conf *conf,
                               struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf logical = EVS_BUF_INIT(EVS_CONF_CAP + 1);
    const char *at = text, *end = text + n;
    int number = 0, first = 1;
    while (at < end) {
        size_t len;
        const char *line = next_line(&at, end, &len);
        number++;
        if (!logical.len)
            first = number;
        else
            while (len && is_space(*line))
                line++, len--;
        if (conf->kind == EVS_CONF_JAVA && goes_on(line, len) && at < end) {
            len -= len && line[len - 1] == '\r';
            evs_buf_add(&logical, line, len - 1);
            continue;
        }
        evs_buf_add(&logical, line, len);
        if (memchr(evs_buf_str(&logical), 0, logical.len) ||
            !add_pair(conf, logical.data ? logical.data : (char[]){""}, first))
            return evs_fail(err, EVS_INVALID, "%s:%d: not name=value", conf->shown, first);
        evs_buf_reset(&logical);
    }
    return EVS_OK;
}

/* --- any -------------------------------------------------------------------------------------- */

/* A [section] makes it ours; a name that only Java's clients know makes it Java's. */
static enum evs_conf_kind kind_of(const char *text, size_t n)
{
    static const char *const java[] = {
        "sasl.jaas.config",  "ssl.truststore.",   "ssl.keystore.type",    "ssl.keystore.key",
        "ssl.keystore.cert", "key.deserializer",  "key.serializer",       "value.",
        "sasl.login.",       "client.dns.lookup", "sasl.client.callback", "security.providers"};
    const char *at = text, *end = text + n;
    enum evs_conf_kind kind = EVS_CONF_KCAT;
    while (at < end) {
        size_t len;
        const char *s = next_line(&at, end, &len);
        while (len && is_space(*s))
            s++, len--;
        if (len && *s == '[')
            return EVS_CONF_OWN;
        for (size_t i = 0; i < EVS_COUNT(java); i++)
            if (len > strlen(java[i]) && !strncmp(s, java[i], strlen(java[i])))
                kind = EVS_CONF_JAVA;
    }
    return kind;
}

enum evs_rc evs_conf_parse(const char *text, size_t n, const char *shown, struct evs_conf *ret_conf,
                           struct evs_err *err)
{
    struct evs_conf conf = {.shown = evs_xstrdup(shown), .kind = kind_of(text, n)};
    enum evs_rc rc = conf.kind == EVS_CONF_OWN ? parse_own(text, n, &conf, err)
                                               : parse_pairs(text, n, &conf, err);
    if (rc)
        evs_conf_done(&conf);
    else
        *ret_conf = conf;
    return rc;
}

enum evs_rc evs_conf_read(const char *path, const char *shown, struct evs_conf *ret_conf,
                          struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(EVS_CONF_CAP);
    struct stat st;
    if (evs_buf_read_file(&text, path, err))
        return evs_wrap(err, "configuration");
    enum evs_rc rc =
        evs_conf_parse(evs_buf_str(&text), text.len, shown ? shown : path, ret_conf, err);
    if (rc)
        return rc;
    ret_conf->path = evs_xstrdup(path);
    ret_conf->exposed = !stat(path, &st) && S_ISREG(st.st_mode) && (st.st_mode & 077);
    return EVS_OK;
}

char *evs_conf_home(const char *name)
{
    const char *dir = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    if (dir && *dir == '/') /* the standard says: relative ones are ignored */
        return evs_xprintf("%s/eventscope/%s", dir, name);
    return home && *home ? evs_xprintf("%s/.config/eventscope/%s", home, name) : NULL;
}
