#include "host/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#define V4(a, b, c, d) {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}

/* Link-local ranges, and where clouds serve metadata and credentials. */
static const struct address_range local_ranges[] = {
	{V4(169, 254, 0, 0), 112}, {{0xfe, 0x80}, 10},
	{{0xfd, 0x00, 0x0e, 0xc2}, 32}, /* AWS: fd00:ec2::254 and ::23 */
	{{0xfd, 0x20, 0x00, 0xce}, 32}, /* Google: fd20:ce::254 */
	{V4(100, 100, 100, 200), 128}, /* Alibaba */
	{V4(168, 63, 129, 16), 128}, /* Azure's wire server */
	{V4(192, 0, 0, 192), 128}, /* Oracle */
};

/* What is not public: the special-purpose registries of IANA (RFC 6890 and its
 * successors). */
static const struct address_range special_ranges[] = {
	{V4(0, 0, 0, 0), 104},
	{V4(10, 0, 0, 0), 104},
	{V4(100, 64, 0, 0), 106},
	{V4(127, 0, 0, 0), 104},
	{V4(172, 16, 0, 0), 108},
	{V4(192, 0, 0, 0), 120},
	{V4(192, 0, 2, 0), 120},
	{V4(192, 168, 0, 0), 112},
	{V4(198, 18, 0, 0), 111},
	{V4(198, 51, 100, 0), 120},
	{V4(203, 0, 113, 0), 120},
	{V4(224, 0, 0, 0), 99},
	{{0}, 127}, /* :: and ::1 */
	{{0x01, 0x00}, 64},
	{{0x20, 0x01, 0x0d, 0xb8}, 32},
	{{0xfc, 0x00}, 7},
	{{0xfe, 0xc0}, 10},
	{{0xff, 0x00}, 8},
};

static bool
in_range(const uint8_t ip[16], const struct address_range *range)
{
	size_t whole = range->bits / 8, rest = range->bits % 8;
	if (memcmp(ip, range->bytes, whole) != 0)
		return false;
	return rest == 0 || ((ip[whole] ^ range->bytes[whole]) >> (8 - rest)) == 0;
}

static bool
in_any(const uint8_t ip[16], const struct address_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (in_range(ip, &ranges[i]))
			return true;
	return false;
}

static bool
address_bytes(const struct sockaddr *addr, uint8_t out[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (addr->sa_family == AF_INET) {
		memcpy(out, mapped, 12);
		memcpy(out + 12, &((const struct sockaddr_in *)addr)->sin_addr, 4);
		return true;
	}
	if (addr->sa_family == AF_INET6)
		memcpy(out, &((const struct sockaddr_in6 *)addr)->sin6_addr, 16);
	return addr->sa_family == AF_INET6;
}

/* The IPv4 address that a translator would reach in the end. */
static void
unwrap_v4(uint8_t ip[16])
{
	static const struct address_range compatible = {{0}, 96},
					  nat64 = {{0, 0x64, 0xff, 0x9b}, 96};
	static const struct address_range six_to_four = {{0x20, 0x02}, 16};
	uint8_t v4[4];
	if (in_range(ip, &nat64)
		|| (in_range(ip, &compatible) && (ip[12] | ip[13] | ip[14]) != 0))
		memcpy(v4, ip + 12, 4);
	else if (in_range(ip, &six_to_four))
		memcpy(v4, ip + 2, 4);
	else
		return;
	memset(ip, 0, 10);
	ip[10] = ip[11] = 0xff;
	memcpy(ip + 12, v4, 4);
}

const char *
address_text(const struct sockaddr *addr, char out[ADDRESS_TEXT])
{
	uint8_t ip[16];
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	out[0] = '\0';
	if (!address_bytes(addr, ip))
		return out;
	bool v4 = memcmp(ip, mapped, 12) == 0;
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? ip + 12 : ip, out, ADDRESS_TEXT);
	return out;
}

bool
address_is_loopback(const struct sockaddr *addr)
{
	static const struct address_range v4 = {V4(127, 0, 0, 0), 104};
	static const struct address_range v6 = {{[15] = 1}, 128};
	uint8_t ip[16];
	return addr->sa_family == AF_UNIX
		|| (address_bytes(addr, ip) && (in_range(ip, &v4) || in_range(ip, &v6)));
}

socklen_t
address_size(const struct sockaddr *addr)
{
	return addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
					  : sizeof(struct sockaddr_in6);
}

bool
address_split(struct arena *mem, const char *text, char **host, char **port,
	struct err *err)
{
	struct str all = str_of(text);
	size_t colon = all.n;
	while (colon > 0 && text[colon - 1] != ':' && text[colon - 1] != ']')
		colon--;
	bool has_port = colon > 0 && text[colon - 1] == ':' && colon < all.n;
	struct str name = {text, has_port ? colon - 1 : 0};
	uint64_t number = 0;
	if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
		name = (struct str){name.p + 1, name.n - 2};
	else if (str_find(name, STR(":")) < name.n || str_starts(name, STR("[")))
		name.n = 0;
	if (name.n == 0 || !str_uint(str_from(all, colon), &number) || number == 0
		|| number > 65535)
		return err_set(err, ERR_VALUE, "'%s' is not host:port", text);
	*host = str_cstr(mem, name);
	*port = arena_printf(mem, "%u", (unsigned)number);
	return true;
}

static bool
parse_ip(const char *ip, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return true;
	}
	if (inet_pton(AF_INET6, ip, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	return true;
}

bool
address_parse(const char *text, uint16_t port, struct sockaddr_storage *out,
	struct err *err)
{
	if (parse_ip(text, port, out))
		return true;
	struct arena *mem = arena_new();
	char *ip, *number;
	bool ok = address_split(mem, text, &ip, &number, err)
		&& (parse_ip(ip, (uint16_t)strtoul(number, NULL, 10), out)
			|| err_set(err, ERR_VALUE, "'%s' is not an IP address and port",
				text));
	arena_free(mem);
	return ok;
}

static bool
allowed_by(const struct sockaddr *addr, const struct addresses *limits,
	bool link_local, struct err *err)
{
	uint8_t ip[16], real[16];
	char text[ADDRESS_TEXT];
	if (!address_bytes(addr, ip))
		return err_set(err, ERR_DENIED,
			"address is not allowed: it is not an IP address");
	memcpy(real, ip, sizeof ip);
	unwrap_v4(real);
	bool listed = limits != NULL
		&& (in_any(ip, limits->ranges, limits->n)
			|| in_any(real, limits->ranges, limits->n));
	bool local =
		in_any(real, local_ranges, sizeof local_ranges / sizeof *local_ranges);
	if (listed || (local && link_local))
		return true;
	address_text(addr, text);
	if (local) {
		err_set(err, ERR_DENIED,
			"address %s is not allowed: it is link-local or serves metadata",
			text);
		return err_hint(err, "list it under limits.addresses if that is meant");
	}
	if (limits == NULL || limits->no_list
		|| !in_any(real, special_ranges,
			sizeof special_ranges / sizeof *special_ranges))
		return true;
	err_set(err, ERR_DENIED,
		"address %s is not allowed: limits.addresses does not list it", text);
	return err_hint(err, "list it under limits.addresses if that is meant");
}

bool
address_allowed(const struct sockaddr *addr, const struct addresses *limits,
	bool link_local, struct err *err)
{
	bool good = allowed_by(addr, limits, link_local, err);
	while (good && limits != NULL && (limits = limits->also) != NULL)
		good = allowed_by(addr, limits, link_local, err);
	return good;
}
