#include "server/logins.h"

#include "common/err.h"
#include "common/lock.h"
#include "server/tree.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define LOGIN_ENDED     1U /* a newer one has come; set under the lock, and never taken back */
#define LOGIN_APPENDING 2U

#define KEY_SIZE (PERSON_ID + INSTANCE_ID)

/* All logins of one instance of one person. Who claims another person's instance is somebody else. */
struct same_login {
	uint8_t key[KEY_SIZE]; /* first: it stands for the whole in comparisons */
	struct login *newest;
};

struct logins {
	struct lock lock;
	pthread_cond_t changed; /* one was ended, or one that was ended has appended */
	/* guarded by lock */
	struct tree tree; /* of struct same_login */
};

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, KEY_SIZE);
}

struct logins *logins_new(void)
{
	struct logins *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	lock_init(&all->lock, LOCK_LOGINS);
	lock_cond_init(&all->changed);
	all->tree.compare = compare_keys;
	return all;
}

void logins_free(struct logins *all)
{
	if (!all)
		return;
	assert(!all->tree.root);
	PTHREAD_OK(pthread_cond_destroy(&all->changed));
	lock_fini(&all->lock);
	free(all);
}

static bool is_ended(const struct login *l)
{
	return atomic_load(&l->gate) & LOGIN_ENDED;
}

/* ---- in its place ---- */

static int link_locked(struct logins *all, struct login *l, const uint8_t key[KEY_SIZE])
{
	lock_assert_held(&all->lock);
	struct same_login *same = tree_find(&all->tree, key);

	if (!same)
		same = tree_add(&all->tree, key, KEY_SIZE, sizeof(*same));
	if (!same)
		return ERR_MEMORY;
	l->same = same;
	l->newer = NULL;
	l->older = same->newest;
	if (l->older)
		l->older->newer = l;
	same->newest = l;
	return 0;
}

static void unlink_locked(struct logins *all, struct login *l)
{
	lock_assert_held(&all->lock);
	if (l->newer)
		l->newer->older = l->older;
	else
		l->same->newest = l->older;
	if (l->older)
		l->older->newer = l->newer;
	if (!l->same->newest) {
		tree_remove(&all->tree, l->same);
		free(l->same);
	}
	l->same = NULL;
}

/* ---- who is older ---- */

static void end_older_locked(struct logins *all, struct login *l)
{
	static const struct login_end again = {.why = CODE_ALREADY};

	lock_assert_held(&all->lock);
	for (struct login *o = l->older; o; o = o->older) {
		if (!(atomic_fetch_or(&o->gate, LOGIN_ENDED) & LOGIN_ENDED))
			o->end(o->context, &again);
	}
	PTHREAD_OK(pthread_cond_broadcast(&all->changed)); /* one of them may be waiting itself */
}

static bool older_appends_locked(const struct logins *all, const struct login *l)
{
	lock_assert_held(&all->lock);
	for (const struct login *o = l->older; o; o = o->older) {
		if (atomic_load(&o->gate) & LOGIN_APPENDING)
			return true;
	}
	return false;
}

int logins_enter(struct logins *all, struct login *l, const uint8_t person[PERSON_ID],
	const uint8_t instance[INSTANCE_ID], int64_t deadline)
{
	uint8_t key[KEY_SIZE];

	memcpy(key, person, PERSON_ID);
	memcpy(key + PERSON_ID, instance, INSTANCE_ID);
	atomic_store(&l->gate, 0);
	lock_take(&all->lock);
	int r = link_locked(all, l, key);
	if (r == 0)
		end_older_locked(all, l);
	while (r == 0 && !is_ended(l) && older_appends_locked(all, l)) {
		if (!lock_wait(&all->lock, &all->changed, deadline))
			r = ERR_TIMEOUT;
	}
	if (r == ERR_TIMEOUT)
		unlink_locked(all, l);
	lock_drop(&all->lock);
	if (r == 0)
		l->all = all;
	return r;
}

void logins_leave(struct login *l)
{
	struct logins *all = l->all;

	if (!all)
		return;
	assert(!(atomic_load(&l->gate) & LOGIN_APPENDING));
	lock_take(&all->lock);
	unlink_locked(all, l);
	lock_drop(&all->lock);
	l->all = NULL;
}

/* ---- sending away ---- */

struct ending {
	bool (*fits)(const void *context, const struct login *l);
	const void *context;
	const struct login_end *end;
};

static void end_fitting(const void *node, VISIT visit, void *closure)
{
	const struct same_login *same = *(const struct same_login *const *)node;
	const struct ending *e = closure;

	if (visit != postorder && visit != leaf)
		return;
	for (struct login *l = same->newest; l; l = l->older) {
		if (l->peer && e->fits(e->context, l))
			l->end(l->context, e->end);
	}
}

void logins_end(struct logins *all, bool (*fits)(const void *context, const struct login *l),
	const void *context, const struct login_end *end)
{
	struct ending e = {.fits = fits, .context = context, .end = end};

	lock_take(&all->lock);
	twalk_r(all->tree.root, end_fitting, &e);
	lock_drop(&all->lock);
}

/* ---- appending ---- */

bool login_may_append(struct login *l)
{
	if (!(atomic_fetch_or(&l->gate, LOGIN_APPENDING) & LOGIN_ENDED))
		return true;
	login_appended(l);
	return false;
}

void login_appended(struct login *l)
{
	if (!(atomic_fetch_and(&l->gate, ~LOGIN_APPENDING) & LOGIN_ENDED))
		return;
	lock_take(&l->all->lock);
	PTHREAD_OK(pthread_cond_broadcast(&l->all->changed));
	lock_drop(&l->all->lock);
}
