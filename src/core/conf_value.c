/* conf_value.c - values that come from outside the file: environment, other files, commands. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "core/conf.h"
#include "core/xalloc.h"

enum { OUTSIDE_CAP = 1 << 20, LINE_CAP = 65536 };

static void drop_line_end(struct evs_buf *b, size_t from)
{
    while (b->len > from && (b->data[b->len - 1] == '\n' || b->data[b->len - 1] == '\r'))
        b->data[--b->len] = '\0';
}

static enum evs_rc add_file(const char *path, struct evs_buf *out, struct evs_err *err)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(OUTSIDE_CAP);
    const char *home = getenv("HOME");
    char *real = path[0] == '~' && path[1] == '/' && home ? evs_xprintf("%s%s", home, path + 1)
                                                          : evs_xstrdup(path);
    enum evs_rc rc = evs_buf_read_file(&text, real, err);
    evs_free(real);
    if (rc) {
        err->code = EVS_INVALID;
        return evs_wrap(err, "${file:%s}", path);
    }
    drop_line_end(&text, 0);
    if (memchr(evs_buf_str(&text), 0, text.len))
        return evs_fail(err, EVS_INVALID, "${file:%s}: holds a NUL byte", path);
    evs_buf_add(out, evs_buf_str(&text), text.len);
    return EVS_OK;
}

static enum evs_rc add_reference(const char *ref, struct evs_buf *out, struct evs_err *err)
{
    if (!strncmp(ref, "env:", 4)) {
        const char *value = getenv(ref + 4);
        if (!value)
            return evs_fail(err, EVS_INVALID, "${%s}: the environment has no %s", ref, ref + 4);
        evs_buf_adds(out, value);
        return EVS_OK;
    }
    if (!strncmp(ref, "file:", 5))
        return add_file(ref + 5, out, err);
    evs_fail(err, EVS_INVALID, "${%s}: neither ${env:NAME} nor ${file:PATH}", ref);
    return evs_hint(err, "$$ writes a dollar");
}

enum evs_rc evs_conf_expand(const char *value, struct evs_buf *out, bool *ret_outside,
                            struct evs_err *err)
{
    bool outside = false;
    for (const char *s = value; *s;) {
        const char *close = s[0] == '$' && s[1] == '{' ? strchr(s, '}') : NULL;
        if (s[0] == '$' && s[1] == '$') {
            evs_buf_addc(out, '$');
            s += 2;
        } else if (s[0] == '$' && s[1] == '{' && !close) {
            return evs_fail(err, EVS_INVALID, "'${' without its '}'");
        } else if (close) {
            char *ref = evs_xstrndup(s + 2, (size_t)(close - s) - 2);
            enum evs_rc rc = add_reference(ref, out, err);
            evs_free(ref);
            if (rc)
                return rc;
            outside = true;
            s = close + 1;
        } else {
            evs_buf_addc(out, *s++);
        }
    }
    if (ret_outside)
        *ret_outside = outside;
    return evs_buf_check(out, "configuration value", err);
}

enum evs_rc evs_conf_command(const char *command, struct evs_buf *out, struct evs_err *err)
{
    size_t before = out->len;
    char line[LINE_CAP];
    FILE *f = popen(command, "r");
    if (!f)
        return evs_fail_errno(err, errno, "command '%s'", command);
    if (fgets(line, sizeof(line), f)) {
        evs_buf_adds(out, line);
        while (fgets(line, sizeof(line), f))
            ; /* so that it does not die of a closed pipe */
    }
    int status = pclose(f);
    drop_line_end(out, before);
    if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status))
        return evs_fail(err, EVS_INVALID, "command '%s' failed (status %d)", command,
                        WIFEXITED(status) ? WEXITSTATUS(status) : status);
    if (out->len == before)
        return evs_fail(err, EVS_INVALID, "command '%s' printed nothing", command);
    return EVS_OK;
}
