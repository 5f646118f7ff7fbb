#include "server/landlock.h"

#include "common/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the headers of a system may be too old for; the numbers are the kernel's for ever. */
#define REFER         (UINT64_C(1) << 13) /* ABI 2 */
#define TRUNCATE      (UINT64_C(1) << 14) /* ABI 3 */
#define IOCTL_DEV     (UINT64_C(1) << 15) /* ABI 5 */
#define BIND_TCP      (UINT64_C(1) << 0)  /* ABI 4 */
#define CONNECT_TCP   (UINT64_C(1) << 1)  /* ABI 4 */
#define SCOPE_UNIX    (UINT64_C(1) << 0)  /* ABI 6: abstract sockets of others */
#define SCOPE_SIGNALS (UINT64_C(1) << 1)  /* ABI 6 */

/* struct landlock_ruleset_attr as of ABI 6; an older kernel is told a smaller size. */
struct ruleset {
	uint64_t files;
	uint64_t net;
	uint64_t scoped;
};

static const struct {
	struct ruleset handled;
	size_t size;
} by_abi[] = {
	{{LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1, 0, 0}, sizeof(uint64_t)},
	{{REFER * 2 - 1, 0, 0}, sizeof(uint64_t)},
	{{TRUNCATE * 2 - 1, 0, 0}, sizeof(uint64_t)},
	{{TRUNCATE * 2 - 1, BIND_TCP | CONNECT_TCP, 0}, 2 * sizeof(uint64_t)},
	{{IOCTL_DEV * 2 - 1, BIND_TCP | CONNECT_TCP, 0}, 2 * sizeof(uint64_t)},
	{{IOCTL_DEV * 2 - 1, BIND_TCP | CONNECT_TCP, SCOPE_UNIX | SCOPE_SIGNALS},
		3 * sizeof(uint64_t)},
};
#define ABIS ((int)(sizeof(by_abi) / sizeof(by_abi[0])))

static const uint64_t uses[] = {
	[LANDLOCK_READ] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	[LANDLOCK_NAMES] = LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE,
	[LANDLOCK_OWN] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
			 LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
			 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | TRUNCATE,
	[LANDLOCK_DEVICE] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE,
};

/* What can be allowed for a single file; the kernel refuses more. */
static const uint64_t of_files = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				 LANDLOCK_ACCESS_FS_READ_FILE | TRUNCATE | IOCTL_DEV;

int landlock_abi(void)
{
	long abi = syscall(
		SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

static int add(int ruleset, const struct landlock_place *place, uint64_t handled)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = uses[place->use] & handled};
	struct stat st;
	int r = 0;

	rule.parent_fd = open(place->path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : ERR_SYSTEM;
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= of_files;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
		r = ERR_SYSTEM;
	int saved = errno;
	(void)close(rule.parent_fd);
	errno = saved;
	return r;
}

int landlock_enter(int abi, const struct landlock_place *places, size_t count)
{
	int r = 0;

	if (abi == 0) {
		errno = EOPNOTSUPP;
		return ERR_SYSTEM;
	}
	const struct ruleset *handled = &by_abi[(abi < ABIS ? abi : ABIS) - 1].handled;
	size_t size = by_abi[(abi < ABIS ? abi : ABIS) - 1].size;
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, handled, size, 0);
	if (ruleset < 0)
		return ERR_SYSTEM;
	for (size_t i = 0; i < count && r == 0; i++)
		r = add(ruleset, &places[i], handled->files);
	if (r == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			      syscall(SYS_landlock_restrict_self, ruleset, 0) != 0))
		r = ERR_SYSTEM;
	int saved = errno;
	(void)close(ruleset);
	errno = saved;
	return r;
}
