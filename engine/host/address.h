/* IP addresses: which of them may be reached, and how they are written. */
#ifndef HOST_ADDRESS_H
#define HOST_ADDRESS_H

#include <sys/socket.h>

#include "host/host.h"

enum { ADDRESS_TEXT = 64 }; /* enough for any address as text */

/* "1.2.3.4" or "2001:db8::1"; a mapped IPv4 address as IPv4; "" for other families. */
const char *address_text(const struct sockaddr *addr, char out[ADDRESS_TEXT]);
bool address_is_loopback(const struct sockaddr *addr);
socklen_t address_size(const struct sockaddr *addr);

/* "10.0.0.1:53", "[::1]:53"; without a port `port` stands. No names. */
bool address_parse(const char *text, uint16_t port, struct sockaddr_storage *out,
	struct err *err);

/* "host:port" or "[v6]:port" as two texts in mem. */
bool address_split(struct arena *mem, const char *text, char **host, char **port,
	struct err *err);

/* Who may be reached (resilience.md C16). limits NULL: all but link-local and metadata
 * addresses; else public addresses and its ranges, and link-local ones only where it
 * lists them. `link_local` lets those through besides. An IPv4 address in an IPv6 one
 * (mapped, compatible, NAT64, 6to4) is judged as that. False: ERR_DENIED. */
bool address_allowed(const struct sockaddr *addr, const struct addresses *limits,
	bool link_local, struct err *err);

#endif
