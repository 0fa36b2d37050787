/* hello_fixture.c: the first message of a TLS client, as OpenSSL writes it. */
#include "hello_fixture.h"

#include <openssl/ssl.h>

#include "unit.h"

unsigned char *hello_make(const char *name, int old, size_t *ret_size)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	SSL *session;
	char *data;

	if (old)
		SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
	session = SSL_new(context);
	SSL_set_bio(session, in, out);
	if (name)
		SSL_set_tlsext_host_name(session, name);
	ck_assert_int_lt(SSL_connect(session), 0); /* there is no answer */
	*ret_size = (size_t)BIO_get_mem_data(out, &data);
	data = unit_tight(data, *ret_size);
	SSL_free(session);
	SSL_CTX_free(context);
	return (unsigned char *)data;
}
