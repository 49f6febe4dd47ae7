/* SPDX-License-Identifier: MIT */
/*
 * Calls that take the id of any thread and mean its process. The kernel does not know a coroutine's id, so it
 * is told the process's.
 */
#include "call.h"
#include "hooks.h"

static long process_of(long id)
{
    return weft_coroutine_find((int)id) ? weft_raw0(SYS_getpid) : id;
}

/* getpgid, getsid, prlimit64, process_vm_readv, process_vm_writev, migrate_pages, move_pages */
WEFT_HOOK(of_process)
{
    struct weft_call of_process = *call;
    of_process.arguments[0] = process_of(call->arguments[0]);
    return weft_call_raw(&of_process);
}

WEFT_HOOK(kcmp)
{
    struct weft_call of_processes = *call;
    of_processes.arguments[0] = process_of(call->arguments[0]);
    of_processes.arguments[1] = process_of(call->arguments[1]);
    return weft_call_raw(&of_processes);
}
