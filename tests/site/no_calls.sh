#!/bin/sh
# SPDX-License-Identifier: MIT
# no_calls.sh ARCHIVE: the code that runs while libc is not executable refers to nothing but the slots.
calls=$(nm -u "$1" | sed -n 's/^ *U //p' | grep -vx weft_slots)
[ -z "$calls" ] || { echo "site_patch.c calls: $calls"; exit 1; }
