/* node_address.h: the part of the job script in which a node chooses the address that its workers
 * listen at. Pure. */
#ifndef DRACO_DAEMON_DASK_NODE_ADDRESS_H
#define DRACO_DAEMON_DASK_NODE_ADDRESS_H

/* Lines of bash that set $host to this node's IPv4 address, or end the script with a message:
 * the one of interface (NULL: any) where the node has that interface, up and with an address,
 * else the one from which the scheduler ("tls://10.0.0.1:8786") is reached. python is how the
 * shell calls Python. The caller frees. */
char *node_address_script(const char *python, const char *scheduler, const char *interface);

#endif
