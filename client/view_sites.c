#include "client/view.h"

#include "client/status.h"
#include "client/wrap.h"
#include "common/text.h"

#include <stdio.h>
#include <string.h>

/* Columns of the list: where there is room for all, and where there is less. Two servers of one name
 * differ in their addresses, so the people go first; 22 columns take any IPv4 address and port. */
#define WIDE            70
#define ADDRESS_COLUMNS 28
#define PEOPLE_COLUMNS  12
#define TIME_COLUMNS    9
#define MEDIUM          46
#define FEW_PEOPLE      7
#define NARROW          34
#define SHORT_ADDRESS   22

static const char title[] = " lanchat: servers on this network";
/* The keys, in as many words as there are columns for. */
static const char *const keys[] = {
	" Enter joins  h hosts one here  a types an address  r looks again  q leaves",
	" Enter joins  h hosts  a address  r again  q leaves",
	" Enter h:host a:address q:leave",
};
static const char address_keys[] = " Enter joins  Esc goes back to the list";

static const char *const nothing[] = {
	"No server was found on this network. What usually causes that:",
	"",
	"- No server is running yet: h starts one on this machine.",
	"- The server is in another subnet, beyond a router: type its address (a).",
	"- A firewall on the server's machine: open port 19830 there, TCP and UDP.",
	"- Wi-Fi that isolates its clients from each other, as guest networks do.",
	"- A VPN that takes all the traffic, or that the server is not in.",
	"",
	"A server that appears will be listed here by itself.",
};

/* The same where there is little room. */
static const char nothing_short[] =
	"No server was found. Usual causes: another subnet; a firewall (open port 19830, TCP and "
	"UDP); "
	"Wi-Fi that isolates its clients; a VPN. Type an address (a), or host one here (h).";
#define ROOMY_LINES   12 /* of the body */
#define ROOMY_COLUMNS 60

#define HELP_COLUMNS 80
#define HELP_WORDS   18 /* the column where they begin */

static char help[][HELP_COLUMNS] = {
	"Enter             join the server that is chosen",
	"Up, Down, k, j    choose another one",
	"h                 start a server on this machine, and join it",
	"a, /              type an address: HOST, HOST:PORT or [IPv6]:PORT",
	"a digit, [        begin an address with it",
	"r                 look again",
	"q, Ctrl-C         leave lanchat",
	"Ctrl-Z            back to the shell; fg returns",
	"Ctrl-L            draw the screen anew",
	"F1                this help",
	"Mouse             a click chooses a server, another one joins it",
	"",
	"Once a server is joined, F1 lists the keys there, and /help the commands.",
};
#define HELP_LINES (sizeof help / sizeof help[0])

struct box view_sites_help(void)
{
	static char *lines[HELP_LINES];

	for (size_t i = 0; i < HELP_LINES; i++)
		lines[i] = help[i];
	return (struct box){
		.title = " Help ",
		.lines = lines,
		.count = HELP_LINES,
		.hang = HELP_WORDS,
		.footer = " Esc: close ",
	};
}

static int put(struct canvas *c, struct rect r, int y, int x, int ink, const char *text)
{
	return canvas_text(c, r, y, x, ink, text, strlen(text));
}

/* A text from line `y` on, wrapped; returns the line after it. */
static int put_paragraph(struct canvas *c, struct rect r, int y, int ink, const char *text)
{
	size_t length = strlen(text), at = 0, end;
	size_t hang = strncmp(text, "- ", 2) == 0 ? 2 : 0;
	struct rect inside = {r.y, r.x + 1, r.lines, r.columns - 2};

	if (inside.columns < 10) {
		inside = r;
		hang = 0;
	}
	do {
		size_t indent = at > 0 ? hang : 0;
		size_t next = wrap_row(text, length, at, (size_t)inside.columns - indent, &end);
		canvas_text(c, inside, y++, inside.x + (int)indent, ink, text + at, end - at);
		at = next;
	} while (at < length);
	return y;
}

static struct rect part(struct rect r, int *x, int columns)
{
	struct rect p = {r.y, *x, r.lines, columns};

	*x += columns;
	return p;
}

/* A field in its rectangle, with a blank after it. */
static void put_field(
	struct canvas *c, struct rect r, int *x, int columns, int y, int ink, const char *text)
{
	struct rect p = part(r, x, columns);

	p.columns--;
	put(c, p, y, p.x, ink, text);
}

/* One row of the list, with as many of the fields as there are columns for. */
static void put_fields(struct canvas *c, struct rect r, int y, int ink, const char *const fields[4])
{
	bool wide = r.columns >= WIDE;
	int address = wide ? ADDRESS_COLUMNS : r.columns >= NARROW ? SHORT_ADDRESS : 0;
	int people = wide ? PEOPLE_COLUMNS : r.columns >= MEDIUM ? FEW_PEOPLE : 0;
	int time = wide ? TIME_COLUMNS : 0;
	int x = r.x + 1;

	put_field(c, r, &x, r.columns - 1 - address - people - time, y, ink, fields[0]);
	put_field(c, r, &x, address, y, ink, fields[1]);
	put_field(c, r, &x, people, y, ink, fields[2]);
	put_field(c, r, &x, time, y, ink, fields[3]);
}

static void put_site(
	struct canvas *c, struct rect r, int y, const struct finder_row *row, bool chosen)
{
	char address[NET_ADDRESS_MAX] = "", people[32], rtt[32] = "";
	int ink = chosen ? INK_CHOSEN : INK_NORMAL;
	const char *const fields[4] = {finder_row_name(row), address, people, rtt};

	if (row->address_count > 0)
		net_print(&row->addresses[0], address);
	(void)snprintf(people, sizeof people, "%u", row->people);
	if (!sites_is_compatible(row))
		(void)snprintf(rtt, sizeof rtt, "too %s",
			row->version_low > PROTOCOL_VERSION ? "new" : "old");
	else if (row->rtt_us >= 0)
		status_time(row->rtt_us, rtt, sizeof rtt);
	if (chosen)
		canvas_fill(c, (struct rect){y, r.x, 1, r.columns}, ink);
	put_fields(c, r, y, ink, fields);
}

static int put_list(
	struct canvas *c, struct rect r, const struct sites *s, struct sites_shown *shown)
{
	static const char *const heads[4] = {"Name", "Address", "People", "Time"};

	shown->line = r.y + 1;
	shown->count = 0;
	if (s->count == 0 || r.lines < 2)
		return r.y;
	sites_show(s, shown, (size_t)r.lines - 1);
	put_fields(c, r, r.y, INK_DIM, heads);
	for (size_t i = 0; i < shown->count; i++)
		put_site(c, r, shown->line + (int)i, &s->rows[shown->top + i],
			shown->top + i == s->chosen);
	return shown->line + (int)shown->count;
}

/* What there is to say below the list. */
static void put_words(struct canvas *c, struct rect r, int y, const struct view_sites *v)
{
	const struct sites *s = v->sites;
	char text[SERVER_NAME_MAX * 3 + 128];

	if (v->message)
		y = put_paragraph(c, r, y, INK_STRONG, v->message) + 1;
	if (sites_will_join(s)) {
		(void)snprintf(text, sizeof text,
			"One server found: %s. Joining it; press a key to stay here.",
			finder_row_name(&s->rows[0]));
		put_paragraph(c, r, y, INK_NORMAL, text);
	} else if (sites_is_nothing(s, v->now) &&
		   (r.lines < ROOMY_LINES || r.columns < ROOMY_COLUMNS)) {
		put_paragraph(c, r, y, INK_NORMAL, nothing_short);
	} else if (sites_is_nothing(s, v->now)) {
		for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
			y = put_paragraph(c, r, y, INK_NORMAL, nothing[i]);
	} else if (s->count == 0) {
		put_paragraph(c, r, y, INK_NORMAL, "Looking for servers on this network...");
	} else {
		(void)snprintf(text, sizeof text,
			s->count == 1 ? "%zu server. Enter joins it."
				      : "%zu servers. Choose one with the arrow keys, and Enter "
					"joins it.",
			s->count);
		put_paragraph(c, r, y, INK_DIM, text);
	}
}

static const char *choose_keys(int columns)
{
	size_t i = 0;

	while (i + 1 < sizeof keys / sizeof keys[0] && (int)strlen(keys[i]) > columns)
		i++;
	return keys[i];
}

void view_sites(struct canvas *c, const struct view_sites *v, struct sites_shown *shown)
{
	int lines, columns;

	canvas_size(c, &lines, &columns);
	struct rect all = {0, 0, lines, columns}, body = all;
	struct rect bottom = {lines - 1, 0, 1, columns};
	if (lines >= 3) {
		canvas_fill(c, (struct rect){0, 0, 1, columns}, INK_BAR);
		put(c, all, 0, 0, INK_BAR, title);
		body.y = 1;
		body.lines -= 2;
	}
	if (lines >= 10) {
		body.y++;
		body.lines--;
	}
	if (v->address)
		body.lines--;
	int y = put_list(c, body, v->sites, shown);
	put_words(c, body, y > body.y && lines >= 8 ? y + 1 : y, v);
	if (lines >= 3) {
		canvas_fill(c, bottom, INK_BAR);
		put(c, bottom, bottom.y, 0, INK_BAR,
			v->address ? address_keys : choose_keys(columns));
	}
	if (v->address) {
		struct rect line = {lines >= 3 ? lines - 2 : lines - 1, 0, 1, columns};
		canvas_fill(c, line, INK_NORMAL);
		*v->address_start = view_input(c, line, "Address: ", v->address, *v->address_start);
	}
}
