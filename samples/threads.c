/*
 * threads.c - blocks made in one thread and freed in another.
 *
 * Four producers fill a queue, two consumers free what they take.  Each producer keeps every
 * tenth block for itself and never frees it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { PRODUCERS = 4, CONSUMERS = 2, BLOCKS = 1000, ROOM = 64 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t filled, drained;
	void *item[ROOM];
	int n, producers;
} queue = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, {0}, 0, PRODUCERS};

static void *kept[PRODUCERS][BLOCKS / 10];

static void put(void *p)
{
	pthread_mutex_lock(&queue.lock);
	while (queue.n == ROOM)
		pthread_cond_wait(&queue.drained, &queue.lock);
	queue.item[queue.n++] = p;
	pthread_cond_signal(&queue.filled);
	pthread_mutex_unlock(&queue.lock);
}

static void *take(void)
{
	void *p = NULL;

	pthread_mutex_lock(&queue.lock);
	while (queue.n == 0 && queue.producers)
		pthread_cond_wait(&queue.filled, &queue.lock);
	if (queue.n)
		p = queue.item[--queue.n];
	pthread_cond_signal(&queue.drained);
	pthread_mutex_unlock(&queue.lock);
	return p;
}

static void *produce(void *arg)
{
	void **keep = arg;

	for (int i = 0; i < BLOCKS; i++) {
		if (i % 10 == 0)
			keep[i / 10] = malloc(48);
		else
			put(malloc(200));
	}
	pthread_mutex_lock(&queue.lock);
	queue.producers--;
	pthread_cond_broadcast(&queue.filled);
	pthread_mutex_unlock(&queue.lock);
	return NULL;
}

static void *consume(void *arg)
{
	void *p;

	(void)arg;
	while ((p = take()))
		free(p);
	return NULL;
}

int main(void)
{
	pthread_t t[PRODUCERS + CONSUMERS];

	for (int i = 0; i < PRODUCERS + CONSUMERS; i++)
		if (pthread_create(&t[i], NULL, i < PRODUCERS ? produce : consume,
				   i < PRODUCERS ? kept[i] : NULL))
			return 1;
	for (int i = 0; i < PRODUCERS + CONSUMERS; i++)
		pthread_join(t[i], NULL);
	printf("%d blocks passed on\n", PRODUCERS * BLOCKS * 9 / 10);
	return 0;
}
