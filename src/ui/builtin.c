#include "ui/builtin.h"

#include <stddef.h>
#include <string.h>

#include "core/buf.h"
#include "ui/builtin_data.h"

bool evs_builtin_text(const char *kind, const char *name, struct evs_buf *out)
{
    for (size_t i = 0; i < EVS_COUNT(builtin_files); i++) {
        if (strcmp(builtin_files[i].kind, kind) || strcmp(builtin_files[i].name, name))
            continue;
        for (const char *const *line = builtin_files[i].lines; *line; line++) {
            evs_buf_adds(out, *line);
            evs_buf_addc(out, '\n');
        }
        return true;
    }
    return false;
}
