/*
 * Between the files of the site: what can go wrong when hosts are made, and the making of one.
 */
#ifndef LANCHAT_LAB_SITE_PRIVATE_H
#define LANCHAT_LAB_SITE_PRIVATE_H

#include "tools/lab/site.h"

#define SITE_DEVICE "lab0" /* its name, on each host */

struct site_host {
	int netns;  /* -1: not made */
	int device; /* the same */
};

struct site {
	enum site_medium medium;
	size_t hosts;
	struct site_host host[SITE_HOSTS];
};

/* In the order in which they are taken. */
enum site_step {
	SITE_STEP_THREAD,
	SITE_STEP_USER,      /* unshare(CLONE_NEWUSER) */
	SITE_STEP_MAP,       /* who one is in it */
	SITE_STEP_NAMESPACE, /* unshare(CLONE_NEWNET) */
	SITE_STEP_DESCRIPTOR,
	SITE_STEP_OPEN,   /* /dev/net/tun */
	SITE_STEP_DEVICE, /* TUNSETIFF */
	SITE_STEP_INTERFACE,
};

struct site_failure {
	enum site_step step;
	int error; /* errno */
};

/* What this system says about what it allows. -1: it does not say. */
struct site_facts {
	int userns_clone;    /* kernel.unprivileged_userns_clone */
	int apparmor;        /* kernel.apparmor_restrict_unprivileged_userns */
	int user_namespaces; /* user.max_user_namespaces */
	int net_namespaces;  /* user.max_net_namespaces */
	int seccomp;         /* of this process: 2 is a filter */
	bool root;
};

void site_facts(struct site_facts *out);

/* What is missing, in words, and what would allow it. */
void site_explain(const struct site_failure *failed, const struct site_facts *facts,
	char reason[SITE_REASON]);

/* Move the calling thread into a network namespace of its own, and make the host's device there. False:
 * *failed says what failed; nothing is left open. */
bool site_make_host(
	enum site_medium medium, size_t host, struct site_host *out, struct site_failure *failed);

#endif
