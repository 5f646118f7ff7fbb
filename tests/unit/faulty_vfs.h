/*
 * A file system for SQLite that fails when it is told to: full, or broken at fsync.
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

/* From now on SQLite's files are ours. */
void faulty_vfs_install(void);

/* From now on this happens. Any thread. */
void faulty_vfs_set(enum vfs_fault fault);

/* How many files were synced so far. */
unsigned faulty_vfs_syncs(void);

#endif
