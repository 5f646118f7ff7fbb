/*
 * Text from anywhere as part of a page.
 *
 * What is not well-formed UTF-8, and what must not be shown (controls, direction
 * overrides), becomes U+FFFD as text_sanitize does it; what means something in
 * HTML, in SVG or inside of an attribute's quotes is escaped. So a nick, a
 * command line or a server's name can neither end the element that it stands in
 * nor turn the line around. Nothing is flushed; write errors show in ferror. Any
 * thread, one for a stream.
 */
#ifndef LANCHAT_MARKUP_H
#define LANCHAT_MARKUP_H

#include <stdio.h>

/* One line of text, or an attribute's value between quotes. ERR_MEMORY, else 0. */
int markup_text(FILE *out, const char *text);

/* The same with its line ends kept, for what is preformatted. */
int markup_block(FILE *out, const char *text);

#endif
