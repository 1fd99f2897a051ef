#include "ui/theme.h"

#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/opt.h"
#include "ui/builtin.h"

static const struct {
    const char *name;
    enum evs_role fallback;
} roles[EVS_ROLE_N] = {
#define EVS_ROLE(id, name, fallback) {name, EVS_ROLE_##fallback},
#include "ui/roles.def"
#undef EVS_ROLE
};

static const char *const color_names[16] = {
    "black",      "red",           "green",       "yellow",     "blue",        "magenta",
    "cyan",       "white",         "brightblack", "brightred",  "brightgreen", "brightyellow",
    "brightblue", "brightmagenta", "brightcyan",  "brightwhite"};

static const struct {
    const char *name;
    unsigned bit;
} attr_names[] = {{"bold", EVS_ATTR_BOLD},
                  {"dim", EVS_ATTR_DIM},
                  {"reverse", EVS_ATTR_REVERSE},
                  {"underline", EVS_ATTR_UNDERLINE}};

enum { THEME_FILE_CAP = 256 * 1024, INHERIT_MAX = 8 };

struct span {
    const char *p;
    size_t n;
};

const char *evs_role_name(enum evs_role role)
{
    return roles[role].name;
}

enum evs_role evs_role_find(const char *name, size_t len)
{
    for (int i = 0; i < EVS_ROLE_N; i++)
        if (strlen(roles[i].name) == len && !memcmp(roles[i].name, name, len))
            return (enum evs_role)i;
    return EVS_ROLE_N;
}

static struct span trim(struct span s)
{
    while (s.n && (*s.p == ' ' || *s.p == '\t'))
        s.p++, s.n--;
    while (s.n && strchr(" \t\r", s.p[s.n - 1]))
        s.n--;
    return s;
}

/* Cuts up to the separator off *rest; false when nothing is left. */
static bool cut(struct span *rest, char sep, struct span *ret_part)
{
    if (!rest->p)
        return false;
    const char *at = memchr(rest->p, sep, rest->n);
    size_t n = at ? (size_t)(at - rest->p) : rest->n;
    *ret_part = trim((struct span){rest->p, n});
    *rest = at ? (struct span){at + 1, rest->n - n - 1} : (struct span){NULL, 0};
    return true;
}

static bool is(struct span s, const char *word)
{
    return strlen(word) == s.n && !memcmp(s.p, word, s.n);
}

static int hex_digit(char c)
{
    const char *at = memchr("0123456789abcdefABCDEF", c, 22);
    if (!at)
        return -1;
    int v = (int)(strchr("0123456789abcdefABCDEF", c) - "0123456789abcdefABCDEF");
    return v < 16 ? v : v - 6;
}

static bool parse_color(struct span s, int32_t *ret_color)
{
    if (is(s, "-")) {
        *ret_color = EVS_COLOR_OWN;
        return true;
    }
    for (int i = 0; i < 16; i++)
        if (is(s, color_names[i])) {
            *ret_color = i;
            return true;
        }
    if (s.n != 7 || *s.p != '#')
        return false;
    int32_t v = 0;
    for (int i = 1; i < 7; i++) {
        int d = hex_digit(s.p[i]);
        if (d < 0)
            return false;
        v = v * 16 + d;
    }
    *ret_color = EVS_COLOR_RGB | v;
    return true;
}

static bool parse_attrs(struct span s, uint8_t *ret_attrs)
{
    *ret_attrs = 0;
    if (is(s, "-"))
        return true;
    struct span word;
    while (cut(&s, '+', &word)) {
        unsigned bit = 0;
        for (size_t i = 0; i < EVS_COUNT(attr_names); i++)
            if (is(word, attr_names[i].name))
                bit = attr_names[i].bit;
        if (!bit)
            return false;
        *ret_attrs |= (uint8_t)bit;
    }
    return true;
}

static const char *nth_role(const void *ctx, size_t i)
{
    (void)ctx;
    return i < EVS_ROLE_N ? roles[i].name : NULL;
}

static enum evs_rc bad_role(struct span name, const char *origin, int line, struct evs_err *err)
{
    char text[64];
    snprintf(text, sizeof(text), "%.*s", (int)(name.n < 60 ? name.n : 60), name.p);
    evs_fail(err, EVS_INVALID, "%s:%d: unknown role '%s'", origin, line, text);
    const char *near = evs_suggest(text, nth_role, NULL);
    return near ? evs_hint(err, "did you mean '%s'?", near) : EVS_INVALID;
}

static enum evs_rc parse_style(struct span value, const char *origin, int line,
                               struct evs_style *ret_st, struct evs_err *err)
{
    struct span part[3], rest = value, extra;
    int n = 0;
    while (n < 3 && cut(&rest, ',', &part[n]))
        n++;
    if (n < 3 || cut(&rest, ',', &extra))
        return evs_fail(err, EVS_INVALID, "%s:%d: expected foreground, background, attributes",
                        origin, line);
    struct evs_style st = {EVS_COLOR_OWN, EVS_COLOR_OWN, 0, true};
    int wrong = !parse_color(part[0], &st.fg)      ? 0
                : !parse_color(part[1], &st.bg)    ? 1
                : !parse_attrs(part[2], &st.attrs) ? 2
                                                   : 3;
    if (wrong < 2)
        return evs_fail(err, EVS_INVALID,
                        "%s:%d: '%.*s' is no colour (a name such as brightblue, #rrggbb or -)",
                        origin, line, (int)part[wrong].n, part[wrong].p);
    if (wrong == 2)
        return evs_fail(err, EVS_INVALID,
                        "%s:%d: '%.*s' is no attribute (bold, dim, reverse, underline or -)",
                        origin, line, (int)part[2].n, part[2].p);
    *ret_st = st;
    return EVS_OK;
}

static enum evs_rc load_depth(const char *name, const char *dir, struct evs_theme *theme, int depth,
                              struct evs_err *err);

static enum evs_rc parse_line(struct span line, int number, const char *origin, const char *dir,
                              struct evs_theme *theme, int depth, struct evs_err *err)
{
    struct span name, value = line;
    if (!cut(&value, '=', &name) || !value.p)
        return evs_fail(err, EVS_INVALID, "%s:%d: expected 'role = fg, bg, attrs'", origin, number);
    value = trim(value);
    if (is(name, "inherit")) {
        char parent[EVS_THEME_NAME];
        snprintf(parent, sizeof(parent), "%.*s", (int)value.n, value.p);
        if (depth >= INHERIT_MAX)
            return evs_fail(err, EVS_INVALID, "%s:%d: themes inherit in a circle", origin, number);
        return load_depth(parent, dir, theme, depth + 1, err)
                   ? evs_wrap(err, "%s:%d", origin, number)
                   : EVS_OK;
    }
    enum evs_role role = evs_role_find(name.p, name.n);
    if (role == EVS_ROLE_N)
        return bad_role(name, origin, number, err);
    return parse_style(value, origin, number, &theme->role[role], err);
}

static enum evs_rc parse_depth(const char *text, size_t len, const char *origin, const char *dir,
                               struct evs_theme *theme, int depth, struct evs_err *err)
{
    struct span rest = {text, len}, line;
    for (int number = 1; rest.p; number++) {
        const char *start = rest.p;
        if (!cut(&rest, '\n', &line))
            break;
        if (!line.n || *start == '#')
            continue;
        enum evs_rc rc = parse_line(line, number, origin, dir, theme, depth, err);
        if (rc)
            return rc;
    }
    return EVS_OK;
}

enum evs_rc evs_theme_parse(const char *text, size_t len, const char *origin, const char *dir,
                            struct evs_theme *theme, struct evs_err *err)
{
    return parse_depth(text, len, origin, dir, theme, 0, err);
}

static const char *nth_theme(const void *ctx, size_t i)
{
    (void)ctx;
    return evs_theme_builtin(i);
}

static enum evs_rc load_builtin(const char *name, const char *dir, struct evs_theme *theme,
                                int depth, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(THEME_FILE_CAP);
    if (evs_builtin_text("theme", name, &text)) {
        char origin[EVS_THEME_NAME + 8];
        snprintf(origin, sizeof(origin), "%s.theme", name);
        return parse_depth(evs_buf_str(&text), text.len, origin, dir, theme, depth, err);
    }
    evs_fail(err, EVS_INVALID, "unknown theme '%s'", name);
    const char *near = evs_suggest(name, nth_theme, NULL);
    return evs_hint(
        err, near ? "did you mean '%s'?" : "there are default, light, contrast, solar, mono%s",
        near ? near : "");
}

static enum evs_rc load_depth(const char *name, const char *dir, struct evs_theme *theme, int depth,
                              struct evs_err *err)
{
    char path[512];
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(THEME_FILE_CAP);
    struct evs_err no_file = EVS_ERR_INIT;
    bool plain = name[0] && !strchr(name, '/') && name[0] != '.';
    if (plain && dir &&
        snprintf(path, sizeof(path), "%s/%s.theme", dir, name) < (int)sizeof(path) &&
        !evs_buf_read_file(&text, path, &no_file))
        return parse_depth(evs_buf_str(&text), text.len, path, dir, theme, depth, err);
    return load_builtin(name, dir, theme, depth, err);
}

enum evs_rc evs_theme_load(const char *name, const char *dir, struct evs_theme *ret_theme,
                           struct evs_err *err)
{
    struct evs_theme theme;
    memset(&theme, 0, sizeof(theme));
    enum evs_rc rc = load_depth(name, dir, &theme, 0, err);
    if (rc)
        return rc;
    snprintf(theme.name, sizeof(theme.name), "%s", name);
    evs_theme_resolve(&theme);
    *ret_theme = theme;
    return EVS_OK;
}

static struct evs_style resolved(const struct evs_theme *theme, enum evs_role role)
{
    while (!theme->role[role].set && roles[role].fallback != role)
        role = roles[role].fallback;
    struct evs_style st = theme->role[role];
    return st.set ? st : (struct evs_style){EVS_COLOR_OWN, EVS_COLOR_OWN, 0, true};
}

void evs_theme_resolve(struct evs_theme *theme)
{
    struct evs_theme out = *theme;
    for (int i = 0; i < EVS_ROLE_N; i++)
        out.role[i] = resolved(theme, (enum evs_role)i);
    enum evs_role on_prompt[] = {EVS_ROLE_PROMPT_OK, EVS_ROLE_PROMPT_BAD};
    for (size_t i = 0; i < EVS_COUNT(on_prompt); i++)
        if (!theme->role[on_prompt[i]].set)
            out.role[on_prompt[i]].bg = out.role[EVS_ROLE_PROMPT].bg;
    *theme = out;
}

const char *evs_theme_builtin(size_t i)
{
    static const char *const names[] = {"default", "light", "contrast", "solar", "mono"};
    return i < EVS_COUNT(names) ? names[i] : NULL;
}
