/* node_address.h: the part of the job script that chooses the address of the node's workers.
 * Pure. */
#ifndef DRACO_DAEMON_DASK_NODE_ADDRESS_H
#define DRACO_DAEMON_DASK_NODE_ADDRESS_H

/* Lines of bash that set $host to an IPv4 address of this node, or end the script with a message.
 * The address is the one of interface if the node has that interface, up and with an address.
 * Otherwise, or with interface NULL, it is the one from which the node reaches the scheduler
 * ("tls://10.0.0.1:8786"). python is the shell's command for Python. The caller frees. */
char *node_address_script(const char *python, const char *scheduler, const char *interface);

#endif
