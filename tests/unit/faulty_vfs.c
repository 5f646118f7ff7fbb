#include "tests/unit/faulty_vfs.h"

#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

static atomic_int fault;
static atomic_uint syncs;

static pthread_mutex_t commits_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t committed = PTHREAD_COND_INITIALIZER;
static unsigned commits; /* guarded by commits_lock */

/* A real kind of file (SQLite's own has one for each way of locking), and the same with our methods in
 * place of three. The real file stands where SQLite thinks it does, so the others need no wrapping. */
#define KINDS 4
static const sqlite3_io_methods *real_methods[KINDS];
static sqlite3_io_methods our_methods[KINDS];
static pthread_mutex_t kinds_lock = PTHREAD_MUTEX_INITIALIZER;
static sqlite3_vfs *real_vfs;
static sqlite3_vfs our_vfs;

static const sqlite3_io_methods *real_of(const sqlite3_file *f)
{
	return real_methods[f->pMethods - our_methods];
}

static int write_file(sqlite3_file *f, const void *bytes, int count, sqlite3_int64 at)
{
	if (atomic_load(&fault) == VFS_FULL)
		return SQLITE_FULL;
	return real_of(f)->xWrite(f, bytes, count, at);
}

static int sync_file(sqlite3_file *f, int flags)
{
	atomic_fetch_add(&syncs, 1);
	if (atomic_load(&fault) == VFS_BROKEN)
		return SQLITE_IOERR_FSYNC;
	return real_of(f)->xSync(f, flags);
}

/* A writer of the write-ahead log holds this one of the locks from before its first page until its commit
 * can be seen. https://www.sqlite.org/walformat.html, section 2.3 */
#define WRITE_LOCK 0

static int lock_shared(sqlite3_file *f, int at, int count, int flags)
{
	int r = real_of(f)->xShmLock(f, at, count, flags);

	if (at == WRITE_LOCK && flags == (SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE)) {
		pthread_mutex_lock(&commits_lock);
		commits++;
		pthread_cond_broadcast(&committed);
		pthread_mutex_unlock(&commits_lock);
	}
	return r;
}

static const sqlite3_io_methods *wrap(const sqlite3_io_methods *methods)
{
	int i = 0;

	pthread_mutex_lock(&kinds_lock);
	while (real_methods[i] && real_methods[i] != methods)
		i++;
	assert(i < KINDS);
	if (!real_methods[i]) {
		our_methods[i] = *methods;
		our_methods[i].xWrite = write_file;
		our_methods[i].xSync = sync_file;
		if (methods->iVersion >= 2 && methods->xShmLock)
			our_methods[i].xShmLock = lock_shared;
		real_methods[i] = methods;
	}
	pthread_mutex_unlock(&kinds_lock);
	return &our_methods[i];
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	(void)vfs;
	int r = real_vfs->xOpen(real_vfs, name, f, flags, out_flags);

	if (r == SQLITE_OK && f->pMethods)
		f->pMethods = wrap(f->pMethods);
	return r;
}

void faulty_vfs_install(void)
{
	if (real_vfs)
		return; /* by another test of this process */
	real_vfs = sqlite3_vfs_find(NULL);
	our_vfs = *real_vfs;
	our_vfs.pNext = NULL;
	our_vfs.zName = "faulty";
	our_vfs.xOpen = open_file;
	int r = sqlite3_vfs_register(&our_vfs, 1);
	assert(r == SQLITE_OK);
	(void)r;
}

void faulty_vfs_set(enum vfs_fault f)
{
	atomic_store(&fault, (int)f);
}

unsigned faulty_vfs_syncs(void)
{
	return atomic_load(&syncs);
}

unsigned faulty_vfs_commits(void)
{
	pthread_mutex_lock(&commits_lock);
	unsigned count = commits;
	pthread_mutex_unlock(&commits_lock);
	return count;
}

unsigned faulty_vfs_await(unsigned seen)
{
	pthread_mutex_lock(&commits_lock);
	while (commits == seen)
		pthread_cond_wait(&committed, &commits_lock);
	unsigned count = commits;
	pthread_mutex_unlock(&commits_lock);
	return count;
}
