/*
 * What the values of some fields are called: docs/PROTOCOL.md has the same names in its tables.
 */
#ifndef LANCHAT_WIRESHARK_VALUES_H
#define LANCHAT_WIRESHARK_VALUES_H

/* Print to stdout, as Lua: the table VALUES of all sets, each of them a table from numbers to names;
 * BITS, the same for sets of bits; and SENTENCES, what the codes mean. For one thread. */
void values_print(void);

#endif
