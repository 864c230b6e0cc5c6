/* Preloaded into a process: adds to the wall clock as many seconds as stand, as a 64-bit number, in the file that
   CLOCK_SECONDS_AHEAD names. The number may change at any time. Other clocks are left as they are. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *ahead;

__attribute__((constructor)) static void open_clock(void) {
  const char *path = getenv("CLOCK_SECONDS_AHEAD");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) abort();
  void *place = mmap(NULL, sizeof(*ahead), PROT_READ, MAP_SHARED, file, 0);
  if (place == MAP_FAILED) abort();
  ahead = place;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = syscall(SYS_clock_gettime, clock, now);
  if (result == 0 && clock == CLOCK_REALTIME && ahead) now->tv_sec += *ahead;
  return result;
}
