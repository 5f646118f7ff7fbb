/*
 * Opening files that people name.
 */
#ifndef LANCHAT_FILE_H
#define LANCHAT_FILE_H

#include <stdio.h>

/* Open a regular file for reading. NULL with errno: as fopen(3); EISDIR for a folder; ENOTSUP for
 * anything else that is no file, such as a pipe, which could make the program wait for ever. */
FILE *file_open(const char *path);

#endif
