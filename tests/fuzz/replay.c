/* Runs a fuzz target over the files of folders: the corpus stays a test where there is no
 * clang. usage: NAME_replay FOLDER… ; prints "N inputs" last. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void
replay(struct arena *mem, const char *path)
{
	FILE *file = fopen(path, "rb");
	struct buf text = buf_in(mem);
	char piece[4096];
	if (file == NULL) {
		perror(path);
		exit(1);
	}
	for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
		buf_add(&text, (struct str){piece, n});
	fclose(file);
	/* Just as large as the input, so that a sanitizer sees a read beyond it. */
	uint8_t *exact = malloc(text.n + (text.n == 0));
	if (text.n > 0)
		memcpy(exact, text.p, text.n);
	LLVMFuzzerTestOneInput(exact, text.n);
	free(exact);
}

static size_t
replay_folder(const char *path)
{
	struct arena *mem = arena_new();
	DIR *folder = opendir(path);
	size_t n = 0;
	if (folder == NULL) {
		perror(path);
		exit(1);
	}
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (entry->d_name[0] != '.') {
			replay(mem, arena_printf(mem, "%s/%s", path, entry->d_name));
			n++;
		}
	closedir(folder);
	arena_free(mem);
	return n;
}

int
main(int argc, char **argv)
{
	size_t n = 0;
	for (int i = 1; i < argc; i++)
		n += replay_folder(argv[i]);
	printf("%zu inputs\n", n);
	return n == 0;
}
