/* check_lock_scope.c: tests of common/lock_scope.c. */
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/lock_scope.h"

static const struct {
	const char *type, *options;
	enum lock_scope scope;
} rows[] = {
	{"ext4", "rw,errors=remount-ro", LOCK_SCOPE_ALL},
	{"xfs", "rw", LOCK_SCOPE_ALL},
	{"btrfs", "rw,subvol=/@home", LOCK_SCOPE_ALL},
	{"tmpfs", "rw,size=1g", LOCK_SCOPE_ALL},
	{"overlay", "rw,lowerdir=/l,upperdir=/u,workdir=/w", LOCK_SCOPE_ALL},
	{"nfs", "rw,vers=3,rsize=1048576,hard,proto=tcp,local_lock=none,addr=10.0.0.1",
		LOCK_SCOPE_ALL},
	{"nfs", "rw,vers=3,nolock,local_lock=all", LOCK_SCOPE_HOST},
	{"nfs", "nolock", LOCK_SCOPE_HOST},
	{"nfs", "rw,vers=3,local_lock=posix", LOCK_SCOPE_HOST},
	{"nfs", "rw,vers=3,local_lock=flock", LOCK_SCOPE_ALL}, /* that is another kind */
	{"nfs4", "rw,vers=4.2,local_lock=none", LOCK_SCOPE_ALL},
	{"nfs4", "local_lock=all,rw", LOCK_SCOPE_HOST},
	{"nfs4", "rw,xnolock,nolocks", LOCK_SCOPE_ALL}, /* whole words */
	{"lustre", "rw,flock,user_xattr", LOCK_SCOPE_ALL},
	{"lustre", "rw,localflock", LOCK_SCOPE_HOST},
	{"lustre", "rw,noflock", LOCK_SCOPE_UNKNOWN},
	{"lustre", "rw", LOCK_SCOPE_UNKNOWN},
	{"gpfs", "rw,relatime", LOCK_SCOPE_ALL},
	{"ceph", "rw,name=x", LOCK_SCOPE_ALL},
	{"cifs", "rw,nobrl", LOCK_SCOPE_UNKNOWN},
	{"fuse.sshfs", "rw", LOCK_SCOPE_UNKNOWN},
	{"fuse", "rw,flock", LOCK_SCOPE_UNKNOWN},
	{"beegfs", "rw,flock", LOCK_SCOPE_UNKNOWN},
	{"ext", "rw", LOCK_SCOPE_UNKNOWN},
	{"", "", LOCK_SCOPE_UNKNOWN},
};

START_TEST(judge)
{
	ck_assert_int_eq(lock_scope_judge(rows[_i].type, rows[_i].options), rows[_i].scope);
}
END_TEST

START_TEST(file)
{
	char type[LOCK_SCOPE_TYPE_MAX];
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(lock_scope_of(fd, type), LOCK_SCOPE_UNKNOWN);
	ck_assert_str_eq(type, "proc");
	close(fd);
	fd = open("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(lock_scope_of(fd, type), LOCK_SCOPE_ALL);
	ck_assert_str_eq(type, "tmpfs");
	close(fd);
	ck_assert_int_eq(lock_scope_of(-1, type), LOCK_SCOPE_UNKNOWN);
	ck_assert_str_eq(type, "?");
}
END_TEST

START_TEST(names)
{
	for (int scope = LOCK_SCOPE_UNKNOWN; scope <= LOCK_SCOPE_ALL; scope++)
		ck_assert_int_eq(
			lock_scope_find(lock_scope_name((enum lock_scope)scope)), scope);
	ck_assert_int_eq(lock_scope_find("everywhere"), LOCK_SCOPE_UNKNOWN);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("lock_scope");
	TCase *tcase = tcase_create("lock_scope");

	tcase_add_loop_test(tcase, judge, 0, LENGTH(rows));
	tcase_add_test(tcase, file);
	tcase_add_test(tcase, names);
	suite_add_tcase(suite, tcase);
	return suite;
}
