/* SPDX-License-Identifier: MIT */
/*
 * setuid and its like. glibc has every thread make the call; each finds the ids of its carrier set already,
 * or sets them for all carriers (core/credentials.h). A program that makes the call itself, by syscall(2),
 * changes those of one thread natively; here it changes the process's.
 */
#include "../core/credentials.h"

#include "call.h"
#include "hooks.h"
#include "schedule.h"

WEFT_HOOK(set_ids)
{
    long result = weft_call_raw(call);
    if (result == 0) {
        weft_credentials_publish(weft_current->carrier);
        weft_probe_renew();
    }
    return result;
}
