/* check_tls.c: tests of daemon/io/tls.c: the files, who may read them, and the variables. */
#include "unit.h"

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/tls_fix.h"
#include "daemon/io/tls.h"

static X509 *read_certificate(const char *path)
{
	FILE *file = fopen(path, "re");
	X509 *certificate;

	ck_assert_ptr_nonnull(file);
	certificate = PEM_read_X509(file, NULL, NULL, NULL);
	fclose(file);
	ck_assert_ptr_nonnull(certificate);
	return certificate;
}

static char *key_path(const struct tls *tls)
{
	char *path = xstrdup(tls_certificate(tls));

	strcpy(strrchr(path, '/'), "/key.pem");
	return path;
}

/* Does one certificate accept the other, for a purpose, by the letter of the standard? */
static bool accepts(X509 *trusted, X509 *shown, int purpose)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	bool accepted;

	X509_STORE_add_cert(store, trusted);
	ck_assert_int_eq(X509_STORE_CTX_init(context, store, shown, NULL), 1);
	X509_VERIFY_PARAM_set_flags(
		X509_STORE_CTX_get0_param(context), X509_V_FLAG_X509_STRICT);
	X509_STORE_CTX_set_purpose(context, purpose);
	accepted = X509_verify_cert(context) == 1;
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	return accepted;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	ck_assert_msg(lstat(path, &st) == 0, "%s: %s", path, strerror(errno));
	return st.st_mode & 07777;
}

START_TEST(files)
{
	char *directory = unit_directory();
	char *tls_directory = xasprintf("%s/tls", directory);
	char *own = xasprintf("%s/4711", tls_directory);
	char *translated = xasprintf("%s/__pycache__", own);
	struct tls *tls;
	char *key;

	umask(0);
	ck_assert_int_eq(tls_create(tls_directory, "4711", &tls, NULL), 0);
	key = key_path(tls);
	ck_assert_int_eq(mode_of(tls_directory), 0700);
	ck_assert_int_eq(mode_of(own), 0700);
	ck_assert_int_eq(mode_of(key), 0600);
	ck_assert_int_eq(mode_of(tls_certificate(tls)), 0600);
	ck_assert_int_eq(mode_of(tls_fix(tls)), 0600);
	ck_assert_str_eq(strrchr(tls_fix(tls), '/'), "/" TLS_FIX_FILE);
	ck_assert_int_eq(mkdir(translated, 0700), 0); /* as Python does */
	free(unit_file(translated, "tls_fix.cpython-313.pyc", "", 0));
	tls_destroy(tls);
	ck_assert_int_lt(access(own, F_OK), 0);
	ck_assert_int_lt(access(tls_directory, F_OK), 0);
	ck_assert_int_eq(access(directory, F_OK), 0);
	free(key);
	free(translated);
	free(own);
	free(tls_directory);
	free(directory);
}
END_TEST

START_TEST(certificate)
{
	char *directory = unit_directory();
	struct tls *tls, *other;
	X509 *own, *foreign;
	EVP_PKEY *private;
	FILE *file;
	char *key;

	ck_assert_int_eq(tls_create(directory, "1", &tls, NULL), 0);
	ck_assert_int_eq(tls_create(directory, "2", &other, NULL), 0);
	own = read_certificate(tls_certificate(tls));
	foreign = read_certificate(tls_certificate(other));
	key = key_path(tls);
	file = fopen(key, "re");
	private = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	fclose(file);
	ck_assert_ptr_nonnull(private);
	ck_assert_int_eq(X509_check_private_key(own, private), 1);
	ck_assert_int_eq(X509_check_private_key(foreign, private), 0);
	ck_assert_int_eq(EVP_PKEY_bits(private), 256);
	ck_assert(accepts(own, own, X509_PURPOSE_SSL_SERVER));
	ck_assert(accepts(own, own, X509_PURPOSE_SSL_CLIENT));
	ck_assert(!accepts(own, foreign, X509_PURPOSE_SSL_SERVER));
	ck_assert(!accepts(own, foreign, X509_PURPOSE_SSL_CLIENT));
	/* Also where clocks differ, and for as long as a cluster may run. */
	ck_assert_int_lt(
		X509_cmp_time(X509_get0_notBefore(own), (time_t[]){time(NULL) - 6 * 86400}), 0);
	ck_assert_int_gt(
		X509_cmp_time(X509_get0_notAfter(own), (time_t[]){time(NULL) + 3000L * 86400}),
		0);
	EVP_PKEY_free(private);
	X509_free(own);
	X509_free(foreign);
	free(key);
	tls_destroy(other);
	tls_destroy(tls);
	free(directory);
}
END_TEST

/* What cannot be written is told, and nothing is left; what is there is never written over. */
START_TEST(failures)
{
	char *directory = unit_directory();
	char *path = unit_file(directory, "file", "", 0);
	char *own = xasprintf("%s/1", directory), *key = xasprintf("%s/key.pem", own);
	char *target = xasprintf("%s/target", directory);
	struct err err = ERR_INIT;
	struct tls *tls = NULL;

	ck_assert_int_eq(tls_create(path, "1", &tls, &err), -ENOTDIR);
	ck_assert_ptr_nonnull(strstr(err.text, path));
	ck_assert_ptr_null(tls);
	ck_assert_int_eq(mkdir(own, 0700), 0);
	ck_assert_int_eq(symlink(target, key), 0);
	ck_assert_int_eq(tls_create(directory, "1", &tls, &err), -EEXIST);
	ck_assert_ptr_nonnull(strstr(err.text, key));
	ck_assert_ptr_null(tls);
	ck_assert_int_lt(access(target, F_OK), 0);
	free(target);
	free(key);
	free(own);
	free(path);
	free(directory);
}
END_TEST

START_TEST(clean)
{
	char *directory = unit_directory();
	char *tls_directory = xasprintf("%s/tls", directory);
	char *stranger = xasprintf("%s/2/notes", tls_directory);
	char *own = xasprintf("%s/1", tls_directory);
	struct tls *first, *second;

	tls_clean(tls_directory, NULL); /* that is not there */
	ck_assert_int_eq(tls_create(tls_directory, "1", &first, NULL), 0);
	ck_assert_int_eq(tls_create(tls_directory, "2", &second, NULL), 0);
	fclose(fopen(stranger, "we"));
	tls_clean(tls_directory, NULL);
	ck_assert_int_lt(access(own, F_OK), 0);
	ck_assert_int_lt(access(tls_certificate(second), F_OK), 0);
	ck_assert_int_eq(access(stranger, F_OK), 0);
	tls_destroy(first);
	tls_destroy(second);
	free(own);
	free(stranger);
	free(tls_directory);
	free(directory);
}
END_TEST

struct seen {
	const char *name; /* looked for */
	char value[256];
	int count;
};

static void look(void *arg, const char *name, const char *value)
{
	struct seen *seen = arg;

	ck_assert(strncmp(name, "DASK_", 5) == 0 || strcmp(name, "DRACO_TLS_FIX") == 0);
	seen->count++;
	if (strcmp(name, seen->name) == 0)
		snprintf(seen->value, sizeof(seen->value), "%s", value);
}

static const char *variable(
	struct seen *seen, const struct tls *tls, enum tls_side side, const char *name)
{
	*seen = (struct seen){.name = name, .value = "absent"};
	tls_environment(tls, side, look, seen);
	return seen->value;
}

START_TEST(variables)
{
	static const char ca[] = "DASK_DISTRIBUTED__COMM__TLS__CA_FILE";
	static const char client[] = "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY";
	static const char worker[] = "DASK_DISTRIBUTED__COMM__TLS__WORKER__KEY";
	static const char scheduler[] = "DASK_DISTRIBUTED__COMM__TLS__SCHEDULER__CERT";
	static const char require[] = "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION";
	char *directory = unit_directory();
	struct seen seen;
	struct tls *tls;
	char *key;

	ck_assert_int_eq(tls_create(directory, "1", &tls, NULL), 0);
	key = key_path(tls);
	ck_assert_str_eq(variable(&seen, tls, TLS_SERVERS, ca), tls_certificate(tls));
	ck_assert_str_eq(variable(&seen, tls, TLS_SERVERS, client), key);
	ck_assert_str_eq(variable(&seen, tls, TLS_SERVERS, worker), key);
	ck_assert_str_eq(variable(&seen, tls, TLS_SERVERS, scheduler), tls_certificate(tls));
	ck_assert_str_eq(variable(&seen, tls, TLS_SERVERS, require), "True");
	ck_assert_str_eq(variable(&seen, tls, TLS_SERVERS, "DRACO_TLS_FIX"), tls_fix(tls));
	ck_assert_int_eq(seen.count, 9);
	ck_assert_str_eq(variable(&seen, tls, TLS_CLIENTS, ca), tls_certificate(tls));
	ck_assert_str_eq(variable(&seen, tls, TLS_CLIENTS, client), key);
	ck_assert_str_eq(variable(&seen, tls, TLS_CLIENTS, require), "absent");
	ck_assert_int_eq(seen.count, 3);
	ck_assert_str_eq(variable(&seen, NULL, TLS_CLIENTS, client), "");
	ck_assert_int_eq(seen.count, 3);
	free(key);
	tls_destroy(tls);
	free(directory);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("tls");
	TCase *all = tcase_create("tls");

	tcase_add_test(all, files);
	tcase_add_test(all, certificate);
	tcase_add_test(all, failures);
	tcase_add_test(all, clean);
	tcase_add_test(all, variables);
	suite_add_tcase(suite, all);
	return suite;
}
