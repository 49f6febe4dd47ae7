// SPDX-License-Identifier: MIT
//
// A shared object that does nothing: what the tests of `weft run` have it preload.
extern const int weft_empty_object;
const int weft_empty_object = 1;
