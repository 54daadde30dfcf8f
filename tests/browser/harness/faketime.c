/* What libfaketime looks for and the C library does not have. Not finding them it asks for memory while the server's own
   allocator, which asks it for the time, is still beginning: neither ever goes on. Nobody calls these. */
int __ftime(void *t) { (void)t; return -1; }
int timer_settime(void) { return -1; }
int timer_gettime(void) { return -1; }
