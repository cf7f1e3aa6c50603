#include <stdio.h>

int
main(void)
{
	puts("rbx " RBX_VERSION);
	return 0;
}
