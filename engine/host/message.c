#include "host/message.h"

#include <ldns/ldns.h>
#include <stdlib.h>

#include "host/lazy.h"

enum { EDNS_SIZE = 1232 };

bool
message_query(struct arena *mem, const char *name, uint16_t type, bool recurse,
	uint16_t id, struct str *out, struct err *err)
{
	if (!lazy_ldns(err))
		return false;
	ldns_rdf *rdf = ldns_dname_new_frm_str(name);
	if (rdf == NULL)
		return err_set(err, ERR_VALUE, "'%s' is not a name of DNS", name);
	ldns_pkt *packet =
		ldns_pkt_query_new(rdf, type, LDNS_RR_CLASS_IN, recurse ? LDNS_RD : 0);
	if (packet == NULL)
		abort();
	uint8_t *wire = NULL;
	size_t n = 0;
	ldns_pkt_set_id(packet, id);
	ldns_pkt_set_edns_udp_size(packet, EDNS_SIZE);
	bool ok = ldns_pkt2wire(&wire, packet, &n) == LDNS_STATUS_OK;
	if (ok)
		*out = str_copy(mem, (struct str){(char *)wire, n});
	ldns_pkt_free(packet);
	free(wire);
	return ok || err_set(err, ERR_VALUE, "'%s' is not a name of DNS", name);
}

char *
message_name(struct arena *mem, const char *name)
{
	char *text = arena_strdup(mem, name);
	size_t n = strlen(text);
	if (n > 1 && text[n - 1] == '.')
		text[n - 1] = '\0';
	for (char *c = text; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return text;
}

static void
add_field(struct buf *out, const ldns_rdf *rdf, bool is_text)
{
	const uint8_t *data = ldns_rdf_data(rdf);
	if (is_text && ldns_rdf_get_type(rdf) == LDNS_RDF_TYPE_STR) {
		buf_add(out, (struct str){(const char *)data + 1, data[0]});
		return;
	}
	char *text = ldns_rdf2str(rdf);
	if (text == NULL)
		return;
	if (out->n > 0)
		buf_putc(out, ' ');
	buf_puts(out,
		ldns_rdf_get_type(rdf) == LDNS_RDF_TYPE_DNAME
			? message_name(out->mem, text)
			: text);
	free(text);
}

static void
take_records(struct arena *mem, ldns_rr_list *list, uint8_t section,
	struct dns_record *records, size_t *n)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		uint16_t type = (uint16_t)ldns_rr_get_type(rr);
		bool is_text = type == LDNS_RR_TYPE_TXT || type == LDNS_RR_TYPE_SPF;
		struct buf value = buf_in(mem);
		char *name = ldns_rdf2str(ldns_rr_owner(rr));
		for (size_t f = 0; f < ldns_rr_rd_count(rr); f++)
			add_field(&value, ldns_rr_rdf(rr, f), is_text);
		records[(*n)++] = (struct dns_record){
			.name = message_name(mem, name == NULL ? "" : name),
			.value = buf_cstr(&value),
			.type = type,
			.ttl = ldns_rr_ttl(rr),
			.section = section,
		};
		free(name);
	}
}

static bool
same_question(const ldns_pkt *a, const ldns_pkt *b)
{
	ldns_rr_list *qa = ldns_pkt_question(a), *qb = ldns_pkt_question(b);
	if (ldns_rr_list_rr_count(qa) != 1 || ldns_rr_list_rr_count(qb) != 1)
		return false;
	const ldns_rr *ra = ldns_rr_list_rr(qa, 0), *rb = ldns_rr_list_rr(qb, 0);
	return ldns_rr_get_type(ra) == ldns_rr_get_type(rb)
		&& ldns_rr_get_class(ra) == ldns_rr_get_class(rb)
		&& ldns_dname_compare(ldns_rr_owner(ra), ldns_rr_owner(rb)) == 0;
}

static void
take_packet(struct arena *mem, const ldns_pkt *packet, struct dns_answer *out)
{
	size_t n = ldns_rr_list_rr_count(ldns_pkt_answer(packet))
		+ ldns_rr_list_rr_count(ldns_pkt_authority(packet))
		+ ldns_rr_list_rr_count(ldns_pkt_additional(packet));
	struct dns_record *records = arena_array(mem, struct dns_record, n);
	*out = (struct dns_answer){.rcode = ldns_pkt_get_rcode(packet),
		.authoritative = ldns_pkt_aa(packet),
		.records = records};
	take_records(mem, ldns_pkt_answer(packet), 1, records, &out->n_records);
	take_records(mem, ldns_pkt_authority(packet), 2, records, &out->n_records);
	take_records(mem, ldns_pkt_additional(packet), 3, records, &out->n_records);
}

bool
message_parse(struct arena *mem, struct str bytes, struct str query,
	struct dns_answer *out, bool *cut)
{
	struct err ignored;
	ldns_pkt *packet = NULL, *asked = NULL;
	if (!lazy_ldns(&ignored))
		return false;
	bool ok = bytes.n >= 12 && memcmp(bytes.p, query.p, 2) == 0
		&& ldns_wire2pkt(&packet, (const uint8_t *)bytes.p, bytes.n)
			== LDNS_STATUS_OK
		&& ldns_wire2pkt(&asked, (const uint8_t *)query.p, query.n)
			== LDNS_STATUS_OK
		&& ldns_pkt_qr(packet) && same_question(packet, asked);
	if (ok) {
		*cut = ldns_pkt_tc(packet);
		take_packet(mem, packet, out);
	}
	ldns_pkt_free(packet);
	ldns_pkt_free(asked);
	return ok;
}
