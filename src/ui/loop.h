/* loop.h - the terminal loop behind evs_ui_run (ui.h).
 *
 * Input first, data at most 20 frames a second, nothing when nothing changed; frames are skipped
 * while the output is blocked; a burst of resizes is drawn once.
 *
 * Threads  main.   Owns  the interface for its run.   Errors  those of ui.h.   Cost  idle: one
 * poll().
 */
#ifndef EVS_UI_LOOP_H
#define EVS_UI_LOOP_H

#include "ui/ui.h"

#endif
