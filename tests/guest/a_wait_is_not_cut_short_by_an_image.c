/*
 * A thread ends the process while the first one waits in the kernel.  The image stops that one, and it goes on waiting: else it would
 * return from main with a status of its own.  A signal that comes meanwhile still interrupts it.
 * guest: flags -pthread
 * guest: traces 41
 * guest: seconds 60
 */
#include "guest.h"
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, WAYS = 8 };

static void *end(void *unused)
{
	usleep(2000);
	exit(9);
	return unused;
}

static void once(int way)
{
	struct timespec hour = {3600, 0}, left = {3600, 0};
	struct epoll_event event;
	sigset_t none, usr;

	switch (way) {
	case 0:
		pause();
		break;
	case 1:
		poll(NULL, 0, -1);
		break;
	case 2:
		nanosleep(&hour, NULL);
		break;
	case 3:
		nanosleep(&hour, &left);
		break;
	case 4:
		select(0, NULL, NULL, NULL, NULL);
		break;
	case 5:
		epoll_wait(epoll_create1(EPOLL_CLOEXEC), &event, 1, -1);
		break;
	case 6:
		sigemptyset(&none);
		sigsuspend(&none);
		break;
	default:
		/* by a number that is in no instruction */
		sigemptyset(&usr);
		sigaddset(&usr, SIGUSR1);
		pthread_sigmask(SIG_BLOCK, &usr, NULL);
		syscall(way == 7 ? SYS_ppoll : SYS_pselect6, NULL, 0, NULL, NULL, 8, NULL);
	}
	_exit(1);
}

int main(void)
{
	for (int way = 0; way < WAYS; way++)
		for (int i = 0; i < ROUNDS; i++) {
			int status = 0;
			pid_t child = fork();

			if (child == 0) {
				pthread_t t;

				free(keep(malloc(10)));
				CHECK(!pthread_create(&t, NULL, end, NULL));
				once(way);
			}
			CHECK(waitpid(child, &status, 0) == child);
			if (!WIFEXITED(status) || WEXITSTATUS(status) != 9)
				printf("way %d: status %x\n", way, status);
		}
	puts("done");
	return 0;
}
