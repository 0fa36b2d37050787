/* tls.c: the certificate of one cluster. Only this file makes certificates. */
#include "daemon/io/tls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/log.h"
#include "common/paths.h"
#include "common/tls_fix.h"
#include "daemon/io/tls_fix_text.h"
#include "daemon/io/writer.h"

#define SERIAL_BITS 127
/* The files live no longer than the cluster, and the clocks of nodes may be very wrong. */
#define VALID_BEFORE_S (7 * 86400)
#define VALID_DAYS     3650
#define SETTLE_MS      200 /* for which a new certificate waits for the end of an old one */

static const char key_file[] = "key.pem";
static const char certificate_file[] = "cert.pem";
static const char fix_file[] = TLS_FIX_FILE;

struct tls {
	char *directory;
	char *key, *certificate, *fix; /* paths */
	int error;		       /* of the removal; 0: none */
};

/* The variables for Dask's configuration, distributed.comm.*, and one of draco's own. */
static const struct variable {
	const char *name;
	enum { FILE_CERTIFICATE, FILE_KEY, FILE_FIX, FLAG } value;
	bool for_clients; /* otherwise only for the scheduler and the workers */
} variables[] = {
	{"DASK_DISTRIBUTED__COMM__TLS__CA_FILE", FILE_CERTIFICATE, true},
	{"DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT", FILE_CERTIFICATE, true},
	{"DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY", FILE_KEY, true},
	{"DASK_DISTRIBUTED__COMM__TLS__SCHEDULER__CERT", FILE_CERTIFICATE, false},
	{"DASK_DISTRIBUTED__COMM__TLS__SCHEDULER__KEY", FILE_KEY, false},
	{"DASK_DISTRIBUTED__COMM__TLS__WORKER__CERT", FILE_CERTIFICATE, false},
	{"DASK_DISTRIBUTED__COMM__TLS__WORKER__KEY", FILE_KEY, false},
	/* A client may have other, local clusters, so it may not require encryption everywhere. The
	 * tls:// in the scheduler's address is enough for this cluster. */
	{"DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION", FLAG, false},
	{"DRACO_TLS_FIX", FILE_FIX, false},
};

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void free_key_context(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
}

static void free_certificate(X509 **certificate)
{
	X509_free(*certificate);
}

static void free_extension(X509_EXTENSION **extension)
{
	X509_EXTENSION_free(*extension);
}

static void free_number(BIGNUM **number)
{
	BN_free(*number);
}

static void free_memory(BIO **bio)
{
	BIO_free_all(*bio); /* overwrites its memory */
}

static EVP_PKEY *make_key(void)
{
	_cleanup_(free_key_context) EVP_PKEY_CTX *context =
		EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	EVP_PKEY *key = NULL;

	if (!context || EVP_PKEY_keygen_init(context) <= 0 ||
		EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) <= 0 ||
		EVP_PKEY_CTX_set_ec_param_enc(context, OPENSSL_EC_NAMED_CURVE) <= 0 ||
		EVP_PKEY_keygen(context, &key) <= 0)
		return NULL;
	return key;
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
	_cleanup_(free_extension) X509_EXTENSION *extension = NULL;
	X509V3_CTX context;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	return extension && X509_add_ext(certificate, extension, -1) > 0;
}

static bool set_serial(X509 *certificate)
{
	_cleanup_(free_number) BIGNUM *serial = BN_new();

	return serial &&
		BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) > 0 &&
		BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate));
}

static bool set_name(X509 *certificate, const char *id)
{
	X509_NAME *name = X509_get_subject_name(certificate);
	_cleanup_free_ char *text = xasprintf("draco cluster %s", id);

	return X509_NAME_add_entry_by_txt(
		       name, "CN", MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) > 0 &&
		X509_set_issuer_name(certificate, name) > 0;
}

/* The certificate is its own authority and serves both ends of a connection. It satisfies RFC 5280
 * to the letter, which Python checks from 3.13 on. */
static X509 *make_certificate(EVP_PKEY *key, const char *id)
{
	_cleanup_(free_certificate) X509 *certificate = X509_new();

	if (!certificate || X509_set_version(certificate, 2) <= 0 || !set_serial(certificate) ||
		!set_name(certificate, id) ||
		!X509_gmtime_adj(X509_getm_notBefore(certificate), -VALID_BEFORE_S) ||
		!X509_time_adj_ex(X509_getm_notAfter(certificate), VALID_DAYS, 0, NULL) ||
		X509_set_pubkey(certificate, key) <= 0 ||
		!add_extension(
			certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
		!add_extension(
			certificate, NID_key_usage, "critical,digitalSignature,keyCertSign") ||
		!add_extension(certificate, NID_ext_key_usage, "serverAuth,clientAuth") ||
		!add_extension(certificate, NID_subject_key_identifier, "hash") ||
		!add_extension(certificate, NID_authority_key_identifier, "keyid:always") ||
		X509_sign(certificate, key, EVP_sha256()) <= 0)
		return NULL;
	return TAKE_PTR(certificate);
}

static int write_file(const char *path, BIO *content, struct err *err)
{
	_cleanup_close_ int fd = -1;
	ssize_t written;
	char *data;
	long size = BIO_get_mem_data(content, &data);
	int r = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
	written = write(fd, data, (size_t)size);
	if (written < 0)
		r = -errno;
	else if (written < size)
		r = -ENOSPC;
	if (close(TAKE_FD(fd)) < 0 && r == 0) /* an exceeded quota may show only here */
		r = -errno;
	if (r < 0)
		return err_set(err, r, "cannot write %s: %s", path, strerror(-r));
	return 0;
}

static int crypto_failed(struct err *err)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return err_set(err, -EIO, "OpenSSL cannot make a certificate: %s",
		reason ? reason : "no reason given");
}

static int make_files(const struct tls *tls, const char *id, struct err *err)
{
	_cleanup_(free_key) EVP_PKEY *key = make_key();
	_cleanup_(free_certificate) X509 *certificate = key ? make_certificate(key, id) : NULL;
	_cleanup_(free_memory) BIO *key_text = BIO_new(BIO_s_secmem());
	_cleanup_(free_memory) BIO *certificate_text = BIO_new(BIO_s_mem());
	_cleanup_(free_memory) BIO *fix_text = BIO_new_mem_buf(tls_fix_text, -1);
	int r;

	if (!certificate || !key_text || !certificate_text || !fix_text ||
		PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) <= 0 ||
		PEM_write_bio_X509(certificate_text, certificate) <= 0)
		return crypto_failed(err);
	r = write_file(tls->fix, fix_text, err);
	if (r == 0)
		r = write_file(tls->key, key_text, err);
	return r < 0 ? r : write_file(tls->certificate, certificate_text, err);
}

static struct tls *name_files(const char *directory, const char *id)
{
	struct tls *tls = xcalloc(1, sizeof(*tls));

	tls->directory = xasprintf("%s/%s", directory, id);
	tls->key = xasprintf("%s/%s", tls->directory, key_file);
	tls->certificate = xasprintf("%s/%s", tls->directory, certificate_file);
	tls->fix = xasprintf("%s/%s", tls->directory, fix_file);
	return tls;
}

static void tls_free(struct tls *tls)
{
	free(tls->directory);
	free(tls->key);
	free(tls->certificate);
	free(tls->fix);
	free(tls);
}

int tls_create(const char *directory, const char *id, struct tls **ret, struct err *err)
{
	struct tls *tls = name_files(directory, id);
	int r;

	writer_settle(WRITER_STATE, SETTLE_MS); /* the directory may be about to be removed */
	r = paths_make_directories(tls->directory, 0700, err);
	if (r == 0)
		r = make_files(tls, id, err);
	if (r < 0) {
		tls_destroy(tls);
		return r;
	}
	*ret = tls;
	return 0;
}

struct tls *tls_adopt(const char *directory, const char *id)
{
	struct tls *tls = name_files(directory, id);

	if (access(tls->key, R_OK) == 0 && access(tls->certificate, R_OK) == 0)
		return tls;
	tls_free(tls);
	return NULL;
}

/* Remove the byte code that Python keeps beside a client's preload. */
static void remove_translated(const char *directory)
{
	_cleanup_free_ char *path = xasprintf("%s/__pycache__", directory);
	DIR *stream = opendir(path);
	struct dirent *entry;

	if (!stream)
		return;
	while ((entry = readdir(stream)))
		if (strncmp(entry->d_name, "tls_fix.", strlen("tls_fix.")) == 0)
			unlinkat(dirfd(stream), entry->d_name, 0);
	closedir(stream);
	rmdir(path);
}

/* Remove the files of one cluster. Other files in the directory stay. Returns 0, or the errno of
 * what cannot be removed. */
static int remove_files(const char *directory)
{
	static const char *const names[] = {key_file, certificate_file, fix_file};
	int error = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", directory, names[i]);

		if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
			error = errno;
	}
	remove_translated(directory);
	if (rmdir(directory) < 0 && errno != ENOENT && !error)
		error = errno;
	return error;
}

static void log_unremoved(const char *directory, int error)
{
	if (error)
		log_warning("tls: cannot remove %s: %s", directory, strerror(error));
}

static void do_remove(void *arg)
{
	struct tls *tls = arg;
	_cleanup_free_ char *parent = xstrdup(tls->directory);

	tls->error = remove_files(tls->directory);
	*strrchr(parent, '/') = '\0';
	rmdir(parent); /* fails if it holds other files */
}

static void on_removed(void *arg)
{
	struct tls *tls = arg;

	log_unremoved(tls->directory, tls->error);
	tls_free(tls);
}

struct tls *tls_destroy(struct tls *tls)
{
	if (tls)
		writer_run(WRITER_STATE, do_remove, on_removed, tls);
	return NULL;
}

const char *tls_certificate(const struct tls *tls)
{
	return tls->certificate;
}

const char *tls_key(const struct tls *tls)
{
	return tls->key;
}

const char *tls_fix(const struct tls *tls)
{
	return tls->fix;
}

static const char *value_of(const struct tls *tls, const struct variable *variable)
{
	switch (variable->value) {
	case FILE_CERTIFICATE:
		return tls->certificate;
	case FILE_KEY:
		return tls->key;
	case FILE_FIX:
		return tls->fix;
	case FLAG:
		break;
	}
	return "True";
}

void tls_environment(const struct tls *tls, enum tls_side side,
	void (*add)(void *arg, const char *name, const char *value), void *arg)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const struct variable *variable = &variables[i];

		if (side == TLS_CLIENTS && !variable->for_clients)
			continue;
		add(arg, variable->name, tls ? value_of(tls, variable) : "");
	}
}

void tls_clean(const char *directory, const char *keep)
{
	DIR *stream = opendir(directory);
	struct dirent *entry;

	if (!stream)
		return;
	while ((entry = readdir(stream))) {
		_cleanup_free_ char *path = xasprintf("%s/%s", directory, entry->d_name);

		if (entry->d_name[0] == '.' || (keep && strcmp(entry->d_name, keep) == 0))
			continue;
		log_info("tls: removing the certificate of the earlier cluster %s",
			entry->d_name);
		log_unremoved(path, remove_files(path));
	}
	closedir(stream);
	rmdir(directory);
}
