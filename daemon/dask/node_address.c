/* node_address.c: the part of the job script that chooses the address of the node's workers. */
#include "daemon/dask/node_address.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "daemon/dask/jobscript.h"

#define STRINGIFY_NAME(text) #text
#define STRINGIFY(macro)     STRINGIFY_NAME(macro)

/* The arguments are the scheduler's address and port, and an interface or "". 0x8913 is
 * SIOCGIFFLAGS, whose 0x41 are IFF_UP and IFF_RUNNING. 0x8915 is SIOCGIFADDR. The program makes no
 * connection. */
static const char program[] =
	"import fcntl, socket, struct, sys\n"
	"probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
	"def ask(what, name):\n"
	"    return fcntl.ioctl(probe, what, struct.pack(\"256s\", name.encode()))\n"
	"def of_interface(name):\n"
	"    try:\n"
	"        flags = struct.unpack_from(\"H\", ask(0x8913, name), 16)[0]\n"
	"        if flags & 0x41 == 0x41:\n"
	"            return socket.inet_ntoa(ask(0x8915, name)[20:24])\n"
	"    except OSError:\n"
	"        pass\n"
	"    sys.stderr.write(f\"draco: {socket.gethostname()} has no interface {name} \"\n"
	"        \"that is up and has an IPv4 address: the workers use the one towards the \"\n"
	"        \"scheduler\\n\")\n"
	"    return None\n"
	"def towards(address, port):\n"
	"    probe.connect((address, port))\n"
	"    return probe.getsockname()[0]\n"
	"address, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]\n"
	"try:\n"
	"    print((of_interface(name) if name else None) or towards(address, port))\n"
	"except OSError as error:\n"
	"    sys.stderr.write(f\"draco: {socket.gethostname()} cannot reach the scheduler's \"\n"
	"        f\"address {address}: {error.strerror}; the setting interface chooses another \"\n"
	"        \"one\\n\")\n"
	"    sys.exit(" STRINGIFY(JOBSCRIPT_EXIT_ADDRESS) ")\n";

char *node_address_script(const char *python, const char *scheduler, const char *interface)
{
	_cleanup_free_ char *quoted_program = shell_quote(program);
	_cleanup_free_ char *quoted_interface = shell_quote(interface ? interface : "");
	_cleanup_free_ char *address = NULL;
	const char *start = strstr(scheduler, "://");
	const char *colon;

	start = start ? start + strlen("://") : scheduler;
	colon = strrchr(start, ':');
	address = xstrndup(start, colon ? (size_t)(colon - start) : strlen(start));
	/* A broken Python may write its error to standard output, in place of the address. */
	return xasprintf("host=$(%s -I -S -c %s %s %s %s) || {\n"
			 "\tdraco_status=$?\n"
			 "\t[ -z \"$host\" ] || printf '%%s\\n' \"$host\" >&2\n"
			 "\texit \"$draco_status\"\n"
			 "}\n",
		python, quoted_program, address, colon ? colon + 1 : "0", quoted_interface);
}
