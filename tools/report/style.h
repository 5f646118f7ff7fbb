/*
 * The stylesheet of a page, style.css as it is, compiled in.
 */
#ifndef LANCHAT_STYLE_H
#define LANCHAT_STYLE_H

/* Terminated; constant. */
extern const char style_css[];

#endif
