#include "ui/commands.h"

#include <assert.h>
#include <string.h>

static const struct evs_command_row rows[EVS_CMD_N] = {
#define EVS_COMMAND(id, name, text, group) {name, text, EVS_GROUP_##group},
#include "ui/commands.def"
#undef EVS_COMMAND
};

const struct evs_command_row *evs_command_row(enum evs_command c)
{
    assert(c > EVS_CMD_NONE && c < EVS_CMD_N);
    return &rows[c];
}

enum evs_command evs_command_find(const char *name, size_t len)
{
    for (int i = 0; i < EVS_CMD_N; i++)
        if (strlen(rows[i].name) == len && !memcmp(rows[i].name, name, len))
            return (enum evs_command)i;
    return EVS_CMD_NONE;
}

const char *evs_command_group_title(enum evs_command_group g)
{
    static const char *const titles[EVS_GROUP_N] = {"MOVE", "LISTS", "VIEW",
                                                    "GO",   "OUT",   "PROGRAM"};
    return titles[g];
}
