
/*
 * Copyright (C) the ngx_lead authors
 *
 * Tells ThreadSanitizer of the way a task of nginx's thread pool comes back:
 * nginx itself is not built with it, so that the spin lock around the list of
 * tasks that are done is not seen.  Preloaded before libtsan, it follows which
 * functions of the module are entered and left: what a thread did before it
 * went back to nginx happened before what the main thread does once nginx
 * calls the module again.  The way out, to the thread, is a mutex, which
 * ThreadSanitizer knows.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <stddef.h>
#include <unistd.h>


void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
void __tsan_func_entry(void *pc);
void __tsan_func_exit(void);


static void             (*entry)(void *);
static void             (*leave)(void);
static __thread unsigned  depth;
static char               returned;


static void __attribute__((constructor))
start(void)
{
    entry = (void (*)(void *)) dlsym(RTLD_NEXT, "__tsan_func_entry");
    leave = (void (*)(void)) dlsym(RTLD_NEXT, "__tsan_func_exit");
}


void
__tsan_func_entry(void *pc)
{
    entry(pc);

    if (depth++ == 0 && gettid() == getpid()) {
        __tsan_acquire(&returned);
    }
}


void
__tsan_func_exit(void)
{
    if (--depth == 0 && gettid() != getpid()) {
        __tsan_release(&returned);
    }

    leave();
}
