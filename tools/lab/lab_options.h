/*
 * The options of lanchat-lab, and what the network of a scenario is made of.
 *
 * One thread.
 */
#ifndef LANCHAT_LAB_OPTIONS_H
#define LANCHAT_LAB_OPTIONS_H

#include "common/options.h"
#include "tools/lab/stage.h"

#include <stdbool.h>
#include <stddef.h>

/* Whose view a capture is. */
enum lab_view_of {
	LAB_VIEW_BOTH,
	LAB_VIEW_CLIENT,
	LAB_VIEW_SERVER,
};

/* As they were given; a number of 0 and a text of NULL: not given. */
struct lab_settings {
	char *loss, *duplicate, *reorder, *delay, *jitter, *rate, *queue;
	long mtu, seed, count, size;
	bool loopback;
	char *json, *pcap, *report;
	int pcap_host; /* enum lab_view_of */
	char *script;
	bool terminals;
	int lines_fd; /* no option: what `script` names, open; else standard input */
	bool help, version;
};

const struct option_table *lab_options(void);

/* What a scenario is played with: its own values but where options say otherwise. ERR_ARGUMENT, with one
 * line in `error`. */
int lab_options_stage(const struct lab_settings *t, const struct scenario *x,
	struct stage_options *out, char *error, size_t size);

/* "5%", "0.5%", "5": a chance, in percent. ERR_ARGUMENT. */
int lab_chance(const char *text, double *out);

/* "20ms", "1.5s", "500us"; a bare number is milliseconds. Nanoseconds. ERR_ARGUMENT. */
int lab_time(const char *text, uint64_t *ns);

/* "1mbit", "500kbit", "2gbit", "9600bit"; a bare number is bits a second; "off": no limit, 0.
 * ERR_ARGUMENT. */
int lab_rate(const char *text, uint64_t *bps);

/* "64k", "1M" (of 1024), "1500"; "off": no bound, 0. ERR_ARGUMENT. */
int lab_bytes(const char *text, uint32_t *bytes);

#endif
