#include "host/lazy.h"

#include <curl/curl.h>
#include <stdarg.h>

/* Checks of their arguments, by macros of these names: they have taken place. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
#undef curl_share_setopt

#ifdef __APPLE__
static const char library[] = "libcurl.4.dylib";
#else
static const char library[] = "libcurl.so.4";
#endif

static struct {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_easy_pause) *easy_pause;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_free) *free;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_add_handle) *multi_add_handle;
	__typeof__(curl_multi_remove_handle) *multi_remove_handle;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_multi_info_read) *multi_info_read;
	__typeof__(curl_multi_socket_action) *multi_socket_action;
	__typeof__(curl_share_init) *share_init;
	__typeof__(curl_share_cleanup) *share_cleanup;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
	__typeof__(curl_url) *url;
	__typeof__(curl_url_cleanup) *url_cleanup;
	__typeof__(curl_url_get) *url_get;
	__typeof__(curl_url_set) *url_set;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_multi_setopt) *multi_setopt;
	__typeof__(curl_share_setopt) *share_setopt;
} lib;

static const struct lazy_name names[] = {
	{"curl_global_init", &lib.global_init},
	{"curl_easy_init", &lib.easy_init},
	{"curl_easy_cleanup", &lib.easy_cleanup},
	{"curl_easy_pause", &lib.easy_pause},
	{"curl_easy_strerror", &lib.easy_strerror},
	{"curl_free", &lib.free},
	{"curl_multi_init", &lib.multi_init},
	{"curl_multi_add_handle", &lib.multi_add_handle},
	{"curl_multi_remove_handle", &lib.multi_remove_handle},
	{"curl_multi_cleanup", &lib.multi_cleanup},
	{"curl_multi_info_read", &lib.multi_info_read},
	{"curl_multi_socket_action", &lib.multi_socket_action},
	{"curl_share_init", &lib.share_init},
	{"curl_share_cleanup", &lib.share_cleanup},
	{"curl_slist_append", &lib.slist_append},
	{"curl_slist_free_all", &lib.slist_free_all},
	{"curl_url", &lib.url},
	{"curl_url_cleanup", &lib.url_cleanup},
	{"curl_url_get", &lib.url_get},
	{"curl_url_set", &lib.url_set},
	{"curl_easy_setopt", &lib.easy_setopt},
	{"curl_easy_getinfo", &lib.easy_getinfo},
	{"curl_multi_setopt", &lib.multi_setopt},
	{"curl_share_setopt", &lib.share_setopt},
};

bool
lazy_curl(struct err *err)
{
	static bool loaded;
	if (!loaded)
		loaded = lazy_load(library, names, sizeof names / sizeof names[0], err);
	return loaded;
}

CURLcode
curl_global_init(long flags)
{
	return lib.global_init(flags);
}

CURL *
curl_easy_init(void)
{
	return lib.easy_init();
}

void
curl_easy_cleanup(CURL *easy)
{
	lib.easy_cleanup(easy);
}

CURLcode
curl_easy_pause(CURL *easy, int what)
{
	return lib.easy_pause(easy, what);
}

const char *
curl_easy_strerror(CURLcode code)
{
	return lib.easy_strerror(code);
}

void
curl_free(void *p)
{
	lib.free(p);
}

CURLM *
curl_multi_init(void)
{
	return lib.multi_init();
}

CURLMcode
curl_multi_add_handle(CURLM *multi, CURL *easy)
{
	return lib.multi_add_handle(multi, easy);
}

CURLMcode
curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
	return lib.multi_remove_handle(multi, easy);
}

CURLMcode
curl_multi_cleanup(CURLM *multi)
{
	return lib.multi_cleanup(multi);
}

CURLMsg *
curl_multi_info_read(CURLM *multi, int *left)
{
	return lib.multi_info_read(multi, left);
}

CURLMcode
curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int flags, int *running)
{
	return lib.multi_socket_action(multi, fd, flags, running);
}

CURLSH *
curl_share_init(void)
{
	return lib.share_init();
}

CURLSHcode
curl_share_cleanup(CURLSH *share)
{
	return lib.share_cleanup(share);
}

struct curl_slist *
curl_slist_append(struct curl_slist *list, const char *text)
{
	return lib.slist_append(list, text);
}

void
curl_slist_free_all(struct curl_slist *list)
{
	lib.slist_free_all(list);
}

CURLU *
curl_url(void)
{
	return lib.url();
}

void
curl_url_cleanup(CURLU *url)
{
	lib.url_cleanup(url);
}

CURLUcode
curl_url_get(CURLU *url, CURLUPart what, char **part, unsigned int flags)
{
	return lib.url_get(url, what, part, flags);
}

CURLUcode
curl_url_set(CURLU *url, CURLUPart what, const char *part, unsigned int flags)
{
	return lib.url_set(url, what, part, flags);
}

/* curl.h: the number of an option says what its argument is. */
CURLcode
curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	CURLcode code;
	va_list args;
	va_start(args, option);
	if (option < CURLOPTTYPE_OBJECTPOINT)
		code = lib.easy_setopt(easy, option, va_arg(args, long));
	else if (option < CURLOPTTYPE_OFF_T || option >= CURLOPTTYPE_BLOB)
		code = lib.easy_setopt(easy, option, va_arg(args, void *));
	else
		code = lib.easy_setopt(easy, option, va_arg(args, curl_off_t));
	va_end(args);
	return code;
}

CURLcode
curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	va_list args;
	va_start(args, info);
	CURLcode code = lib.easy_getinfo(easy, info, va_arg(args, void *));
	va_end(args);
	return code;
}

CURLMcode
curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
	CURLMcode code;
	va_list args;
	va_start(args, option);
	if ((int)option < CURLOPTTYPE_OBJECTPOINT)
		code = lib.multi_setopt(multi, option, va_arg(args, long));
	else
		code = lib.multi_setopt(multi, option, va_arg(args, void *));
	va_end(args);
	return code;
}

CURLSHcode
curl_share_setopt(CURLSH *share, CURLSHoption option, ...)
{
	CURLSHcode code;
	va_list args;
	va_start(args, option);
	if (option == CURLSHOPT_SHARE || option == CURLSHOPT_UNSHARE)
		code = lib.share_setopt(share, option, va_arg(args, int));
	else
		code = lib.share_setopt(share, option, va_arg(args, void *));
	va_end(args);
	return code;
}
