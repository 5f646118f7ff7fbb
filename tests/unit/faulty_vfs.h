/*
 * A file system for SQLite that fails when it is told to: full, or broken at fsync. And it tells when
 * something was written for good, by whichever thread, for tests that wait for that.
 *
 * It becomes the default of the process and passes everything on to the real one.
 * For a test's own process.
 */
#ifndef LANCHAT_TESTS_FAULTY_VFS_H
#define LANCHAT_TESTS_FAULTY_VFS_H

enum vfs_fault {
	VFS_WELL,
	VFS_FULL,   /* writing finds no space */
	VFS_BROKEN, /* fsync fails */
};

/* From now on SQLite's files are ours: those that are opened after this. */
void faulty_vfs_install(void);

/* From now on this happens. Any thread. */
void faulty_vfs_set(enum vfs_fault fault);

/* How many files were synced so far. */
unsigned faulty_vfs_syncs(void);

/* How many transactions that write, of databases with a write-ahead log, have ended so far, whatever
 * came of them: a reader that begins now sees the last one. Any thread. */
unsigned faulty_vfs_commits(void);

/* Wait until there are others than the `seen` ones; how many there are then. The test's own timeout ends it. Any thread. */
unsigned faulty_vfs_await(unsigned seen);

#endif
