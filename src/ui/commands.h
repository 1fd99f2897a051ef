/* commands.h - the actions of the interface, one row each in commands.def.
 *
 * Threads  any: constants.   Owns  static rows.   Errors  EVS_CMD_NONE for an unknown name.
 * Cost     linear search by name.
 */
#ifndef EVS_UI_COMMANDS_H
#define EVS_UI_COMMANDS_H

#include <stddef.h>

enum evs_command {
    EVS_CMD_NONE = -1,
#define EVS_COMMAND(id, name, text, group) EVS_CMD_##id,
#include "ui/commands.def"
#undef EVS_COMMAND
    EVS_CMD_N
};

enum evs_command_group {
    EVS_GROUP_MOVE,
    EVS_GROUP_LIST,
    EVS_GROUP_VIEW,
    EVS_GROUP_GO,
    EVS_GROUP_OUT,
    EVS_GROUP_APP,
    EVS_GROUP_N
};

struct evs_command_row {
    const char *name; /* "sort-next": keymaps and scripts */
    const char *text; /* default words for help and palette */
    enum evs_command_group group;
};

const struct evs_command_row *evs_command_row(enum evs_command c); /* c must be an action */
enum evs_command evs_command_find(const char *name, size_t len);
const char *evs_command_group_title(enum evs_command_group g);

#endif
