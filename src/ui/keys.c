#include "ui/keys.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/opt.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "ui/builtin.h"

static const struct {
    const char *name;
    int key;
} key_names[] = {{"Up", EVS_KEY_UP},
                 {"Down", EVS_KEY_DOWN},
                 {"Left", EVS_KEY_LEFT},
                 {"Right", EVS_KEY_RIGHT},
                 {"PgUp", EVS_KEY_PGUP},
                 {"PgDn", EVS_KEY_PGDN},
                 {"Home", EVS_KEY_HOME},
                 {"End", EVS_KEY_END},
                 {"Enter", EVS_KEY_ENTER},
                 {"Esc", EVS_KEY_ESC},
                 {"Tab", EVS_KEY_TAB},
                 {"S-Tab", EVS_KEY_BACKTAB},
                 {"Space", ' '},
                 {"Backspace", EVS_KEY_BACKSPACE},
                 {"Delete", EVS_KEY_DELETE},
                 {"Insert", EVS_KEY_INSERT},
                 {"comma", ','},
                 {"equals", '='},
                 {"hash", '#'}};

enum { KEYS_MAX = 16 };

struct word {
    const char *p;
    size_t n;
};

static bool same(const char *name, const char *p, size_t n)
{
    return strlen(name) == n && !memcmp(name, p, n);
}

int evs_key_parse(const char *name, size_t len)
{
    for (size_t i = 0; i < EVS_COUNT(key_names); i++)
        if (same(key_names[i].name, name, len))
            return key_names[i].key;
    for (int f = 1; f <= 12; f++) {
        char text[16];
        snprintf(text, sizeof(text), "F%d", f);
        if (same(text, name, len))
            return EVS_KEY_F1 + f - 1;
    }
    if (len == 3 && name[0] == 'C' && name[1] == '-' && name[2] >= 'a' && name[2] <= 'z')
        return EVS_KEY_CTRL(name[2]);
    uint32_t cp;
    if (len && evs_text_decode((const uint8_t *)name, len, &cp) == (int)len && cp > 32)
        return (int)cp;
    return -1;
}

static size_t put_utf8(int cp, char *to)
{
    if (cp < 0x80) {
        to[0] = (char)cp;
        return 1;
    }
    size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, cp >>= 6)
        to[i] = (char)(0x80 | (cp & 0x3f));
    to[0] = (char)((0xf00 >> n & 0xff) | cp);
    return n;
}

char *evs_key_name(int key, char *to)
{
    to[0] = '\0';
    for (size_t i = 0; i < EVS_COUNT(key_names); i++)
        if (key_names[i].key == key && (key < 33 || key > 126)) {
            snprintf(to, EVS_KEY_NAME, "%s", key_names[i].name);
            return to;
        }
    if (key >= EVS_KEY_F1 && key <= EVS_KEY_F12)
        snprintf(to, EVS_KEY_NAME, "F%d", key - EVS_KEY_F1 + 1);
    else if (key > 0 && key < 27)
        snprintf(to, EVS_KEY_NAME, "C-%c", key + 'a' - 1);
    else if (key >= 32 && key < EVS_KEY_UP)
        to[put_utf8(key, to)] = '\0';
    return to;
}

static struct evs_key_row *find_row(const struct evs_keymap *km, const char *section, int key)
{
    for (size_t i = 0; i < km->n; i++)
        if (km->rows[i].key == key && !strcmp(km->rows[i].section, section))
            return &km->rows[i];
    return NULL;
}

/* A key that is bound again moves to the end, so that keys of an action show in the order of the
 * file. */
static void bind(struct evs_keymap *km, const char *section, int key, enum evs_command c)
{
    struct evs_key_row *old = find_row(km, section, key);
    if (old) {
        size_t at = (size_t)(old - km->rows);
        memmove(old, old + 1, (km->n - at - 1) * sizeof(*old));
        km->n--;
    }
    if (km->n == km->alloc) {
        km->alloc = km->alloc ? km->alloc * 2 : 128;
        km->rows = evs_xgrow(km->rows, km->alloc, sizeof(*km->rows));
    }
    struct evs_key_row *row = &km->rows[km->n++];
    *row = (struct evs_key_row){.key = key, .command = c};
    snprintf(row->section, sizeof(row->section), "%s", section);
}

static struct word trim(const char *p, size_t n)
{
    while (n && (*p == ' ' || *p == '\t'))
        p++, n--;
    while (n && strchr(" \t\r", p[n - 1]))
        n--;
    return (struct word){p, n};
}

static int split(struct word s, struct word parts[KEYS_MAX])
{
    int n = 0;
    while (n < KEYS_MAX) {
        const char *comma = s.n > 1 ? memchr(s.p + 1, ',', s.n - 1) : NULL;
        size_t len = comma ? (size_t)(comma - s.p) : s.n;
        parts[n++] = trim(s.p, len);
        if (!comma)
            return n;
        s = (struct word){comma + 1, s.n - len - 1};
        s = trim(s.p, s.n);
    }
    return n;
}

static const char *nth_command(const void *ctx, size_t i)
{
    (void)ctx;
    return i < EVS_CMD_N ? evs_command_row((enum evs_command)i)->name : NULL;
}

static enum evs_rc no_action(struct word w, const char *origin, int line, struct evs_err *err)
{
    char name[40];
    snprintf(name, sizeof(name), "%.*s", (int)(w.n < 39 ? w.n : 39), w.p);
    evs_fail(err, EVS_INVALID, "%s:%d: unknown action '%s'", origin, line, name);
    const char *near = evs_suggest(name, nth_command, NULL);
    return near ? evs_hint(err, "did you mean '%s'?", near) : EVS_INVALID;
}

static enum evs_rc bind_line(struct evs_keymap *km, const char *section, struct word line,
                             const char *origin, int number, struct evs_err *err)
{
    const char *eq = line.n > 1 ? memchr(line.p + 1, '=', line.n - 1) : NULL;
    if (!eq)
        return evs_fail(err, EVS_INVALID, "%s:%d: expected 'key = action'", origin, number);
    struct word keys[KEYS_MAX], actions[KEYS_MAX];
    int n_keys = split(trim(line.p, (size_t)(eq - line.p)), keys);
    int n_actions = split(trim(eq + 1, line.n - (size_t)(eq - line.p) - 1), actions);
    if (n_actions != 1 && n_actions != n_keys)
        return evs_fail(err, EVS_INVALID, "%s:%d: %d keys for %d actions", origin, number, n_keys,
                        n_actions);
    for (int i = 0; i < n_keys; i++) {
        struct word w = actions[n_actions == 1 ? 0 : i];
        int key = evs_key_parse(keys[i].p, keys[i].n);
        if (key < 0)
            return evs_fail(err, EVS_INVALID, "%s:%d: no key is called '%.*s'", origin, number,
                            (int)(keys[i].n < 40 ? keys[i].n : 40), keys[i].p);
        enum evs_command c = evs_command_find(w.p, w.n);
        if (c == EVS_CMD_NONE && !same("none", w.p, w.n))
            return no_action(w, origin, number, err);
        bind(km, section, key, c);
    }
    return EVS_OK;
}

static enum evs_rc open_section(struct word line, const char *origin, int number,
                                bool (*known)(const char *name), char section[EVS_KEY_SECTION],
                                struct evs_err *err)
{
    if (line.p[line.n - 1] != ']' || line.n < 3 || line.n - 2 >= EVS_KEY_SECTION)
        return evs_fail(err, EVS_INVALID, "%s:%d: expected [section]", origin, number);
    snprintf(section, EVS_KEY_SECTION, "%.*s", (int)line.n - 2, line.p + 1);
    bool ours = !strcmp(section, "global") || !strcmp(section, "reading");
    if (!ours && known && !known(section))
        return evs_fail(err, EVS_INVALID, "%s:%d: there is no screen '%s'", origin, number,
                        section);
    return EVS_OK;
}

enum evs_rc evs_keymap_parse(struct evs_keymap *km, const char *text, size_t len,
                             const char *origin, bool (*known_section)(const char *name),
                             struct evs_err *err)
{
    char section[EVS_KEY_SECTION] = "global";
    const char *end = text + len;
    for (int number = 1; text < end; number++) {
        const char *nl = memchr(text, '\n', (size_t)(end - text));
        size_t n = nl ? (size_t)(nl - text) : (size_t)(end - text);
        bool comment = *text == '#';
        struct word line = trim(text, n);
        text += n + (nl != NULL);
        if (!line.n || comment)
            continue;
        /* "[, ] = ..." binds the bracket keys; a section's name has no equals sign. */
        bool heading = *line.p == '[' && !memchr(line.p, '=', line.n);
        enum evs_rc rc = heading ? open_section(line, origin, number, known_section, section, err)
                                 : bind_line(km, section, line, origin, number, err);
        if (rc)
            return rc;
    }
    return EVS_OK;
}

void evs_keymap_init(struct evs_keymap *km)
{
    *km = (struct evs_keymap){NULL, 0, 0};
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(65536);
    struct evs_err err = EVS_ERR_INIT;
    bool there = evs_builtin_text("keys", "default", &text);
    enum evs_rc rc = evs_keymap_parse(km, evs_buf_str(&text), text.len, "default.keys", NULL, &err);
    assert(there && !rc); /* a test loads it too */
    (void)there;
    (void)rc;
}

void evs_keymap_done(struct evs_keymap *km)
{
    evs_free(km->rows);
    *km = (struct evs_keymap){NULL, 0, 0};
}

enum evs_command evs_keymap_find(const struct evs_keymap *km, const char *section, bool reading,
                                 int key)
{
    const struct evs_key_row *row = find_row(km, section, key);
    if (!row && reading)
        row = find_row(km, "reading", key);
    if (!row)
        row = find_row(km, "global", key);
    return row ? row->command : EVS_CMD_NONE;
}

size_t evs_keymap_keys(const struct evs_keymap *km, const char *section, bool reading,
                       enum evs_command cmd, int *keys, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < km->n && n < max; i++) {
        const struct evs_key_row *row = &km->rows[i];
        bool here = !strcmp(row->section, section) || !strcmp(row->section, "global") ||
                    (reading && !strcmp(row->section, "reading"));
        if (here && row->command == cmd && evs_keymap_find(km, section, reading, row->key) == cmd)
            keys[n++] = row->key;
    }
    return n;
}
