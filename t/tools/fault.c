
/*
 * Copyright (C) the ngx_lead authors
 *
 * What goes wrong beneath a program, when it is told to: preloaded into nginx,
 * it lets calls fail that have to do with a store's file, refuses memory and
 * sockets, and moves clocks.  A test says by a file what is to happen and reads
 * there what has (t/lib/Test/Lead/Fault.pm).
 *
 * LEAD_FAULT is the file: a fault_t, mapped by all processes.  It is all zero
 * while nothing is to fail.
 *
 *   - Disk: writes, truncations and syncs of files named lead.mdb are counted
 *     from 1; those from disk_from to disk_to fail with disk_err, or, if it is
 *     0, write the first half alone and say so.
 *   - Memory: allocations of all threads but a process' first one, or, if
 *     memory_first is not 0, of that one alone, are counted from 1; those from
 *     memory_from to memory_to fail.  Not where the program has an allocator of
 *     its own: compiled with FAULT_NO_MEMORY.
 *   - Pools: what the module itself allocates, from nginx' pools or not, is
 *     counted from 1; from pool_from to pool_to it gets nothing.  A pool has
 *     memory at hand mostly, so that the above does not meet what is taken
 *     from it.  (Headers of an answer are in a list that has room.)
 *   - Network: sockets of the family socket_family cannot be made, and none can
 *     be connected where connect_err is not 0.
 *   - Clock: clock is added to the time of day, in microseconds, and elapsed to
 *     what measures how long something takes.
 *
 * It keeps no memory, and calls the kernel itself: what it stands before may be
 * called before it is set up.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>


#define FAULT_FILE    "/lead.mdb"
#define FAULT_MODULE  "/ngx_lead_module.so"


typedef struct {
    uint32_t   disk_from;           /* 0: none */
    uint32_t   disk_to;
    int32_t    disk_err;
    uint32_t   disk_calls;
    uint32_t   disk_hits;
    uint32_t   memory_from;         /* 0: none */
    uint32_t   memory_to;
    uint32_t   memory_calls;
    uint32_t   memory_hits;
    uint32_t   memory_first;
    int64_t    clock;
    uint32_t   pool_from;           /* 0: none */
    uint32_t   pool_to;
    uint32_t   pool_calls;
    uint32_t   pool_hits;
    int64_t    elapsed;
    int32_t    socket_family;       /* 0: none */
    int32_t    socket_err;
    int32_t    connect_err;         /* 0: none */
    int32_t    unused;
} fault_t;


typedef struct {
    const char  *name;
    void        *own;
    void       **kept;
} fault_call_t;


ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset);
ssize_t pwrite64(int fd, const void *buf, size_t n, off_t offset);
ssize_t writev(int fd, const struct iovec *iov, int n);
int fdatasync(int fd);
int ftruncate(int fd, off_t size);
int ftruncate64(int fd, off_t size);
int socket(int family, int type, int protocol);
int connect(int fd, const struct sockaddr *sa, socklen_t len);
int gettimeofday(struct timeval *restrict tv, void *restrict tz);
int clock_gettime(clockid_t id, struct timespec *ts);
time_t time(time_t *t);
void *dlopen(const char *file, int mode);

static void fault_init(void) __attribute__((constructor));
static int fault_of_store(int fd);
static int fault_disk(int fd);
static int64_t fault_clock(int64_t *of);
static int fault_pool(void);
static void fault_module(struct link_map *map);
static void fault_symbol(const char *name, void **slot);


/* valid, and of no effect, before there is a file */

static fault_t            fault_none;
static fault_t           *fault = &fault_none;


/* nginx empties its environment before there are workers */

static void
fault_init(void)
{
    int          fd;
    void        *p;
    const char  *file;

    file = getenv("LEAD_FAULT");

    if (file == NULL) {
        return;
    }

    fd = open(file, O_RDWR|O_CLOEXEC);

    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(fault_t), PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);

    if (p != MAP_FAILED) {
        fault = p;
    }

    (void) close(fd);
}


static int
fault_of_store(int fd)
{
    char     link[64], path[PATH_MAX];
    size_t   len;
    ssize_t  n;

    (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

    len = sizeof(FAULT_FILE) - 1;
    n = readlink(link, path, sizeof(path));

    return n > (ssize_t) len
           && memcmp(path + n - len, FAULT_FILE, len) == 0;
}


/* 1: this call is to fail */

static int
fault_disk(int fd)
{
    uint32_t  n, from;

    from = __atomic_load_n(&fault->disk_from, __ATOMIC_ACQUIRE);

    if (from == 0 || !fault_of_store(fd)) {
        return 0;
    }

    n = __atomic_add_fetch(&fault->disk_calls, 1, __ATOMIC_ACQ_REL);

    if (n < from || n > fault->disk_to) {
        return 0;
    }

    (void) __atomic_add_fetch(&fault->disk_hits, 1, __ATOMIC_ACQ_REL);

    errno = fault->disk_err;

    return 1;
}


ssize_t
pwrite(int fd, const void *buf, size_t n, off_t offset)
{
    if (fault_disk(fd)) {
        return fault->disk_err ? -1
               : syscall(SYS_pwrite64, fd, buf, n / 2, offset);
    }

    return syscall(SYS_pwrite64, fd, buf, n, offset);
}


ssize_t
pwrite64(int fd, const void *buf, size_t n, off_t offset)
{
    return pwrite(fd, buf, n, offset);
}


ssize_t
writev(int fd, const struct iovec *iov, int n)
{
    if (fault_disk(fd)) {
        return fault->disk_err ? -1 : syscall(SYS_writev, fd, iov, n / 2);
    }

    return syscall(SYS_writev, fd, iov, n);
}


/* a sync is done or not, and nothing in between */

int
fdatasync(int fd)
{
    if (fault_disk(fd)) {
        errno = fault->disk_err ? fault->disk_err : EIO;
        return -1;
    }

    return (int) syscall(SYS_fdatasync, fd);
}


int
ftruncate(int fd, off_t size)
{
    if (fault_disk(fd)) {
        errno = fault->disk_err ? fault->disk_err : EIO;
        return -1;
    }

    return (int) syscall(SYS_ftruncate, fd, size);
}


int
ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}


int
socket(int family, int type, int protocol)
{
    if (fault->socket_family != 0 && fault->socket_family == family) {
        errno = fault->socket_err;
        return -1;
    }

    return (int) syscall(SYS_socket, family, type, protocol);
}


int
connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    if (fault->connect_err != 0 && sa->sa_family != AF_UNIX) {
        errno = fault->connect_err;
        return -1;
    }

    return (int) syscall(SYS_connect, fd, sa, len);
}


static int64_t
fault_clock(int64_t *of)
{
    return __atomic_load_n(of, __ATOMIC_ACQUIRE);
}


int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int       rc;
    int64_t   usec, *of;

    rc = (int) syscall(SYS_clock_gettime, id, ts);

    of = (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) ? &fault->clock
         : (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE)
         ? &fault->elapsed : NULL;

    if (rc == 0 && of) {
        usec = (int64_t) ts->tv_sec * 1000000 + ts->tv_nsec / 1000
               + fault_clock(of);

        ts->tv_sec = usec / 1000000;
        ts->tv_nsec = usec % 1000000 * 1000 + ts->tv_nsec % 1000;
    }

    return rc;
}


int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    struct timespec  ts;

    (void) tz;
    (void) clock_gettime(CLOCK_REALTIME, &ts);

    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;

    return 0;
}


time_t
time(time_t *t)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    if (t != NULL) {
        *t = ts.tv_sec;
    }

    return ts.tv_sec;
}


static int
fault_pool(void)
{
    uint32_t  n, from;

    from = __atomic_load_n(&fault->pool_from, __ATOMIC_ACQUIRE);

    if (from == 0) {
        return 0;
    }

    n = __atomic_add_fetch(&fault->pool_calls, 1, __ATOMIC_ACQ_REL);

    if (n < from || n > fault->pool_to) {
        return 0;
    }

    (void) __atomic_add_fetch(&fault->pool_hits, 1, __ATOMIC_ACQ_REL);

    errno = ENOMEM;

    return 1;
}


/* what the module allocates by: up to 3 words in, an address out */

#define fault_calls(_)                                                        \
    _(ngx_palloc) _(ngx_pcalloc) _(ngx_pnalloc) _(ngx_alloc)                  \
    _(ngx_create_pool) _(ngx_create_temp_buf) _(ngx_array_create)             \
    _(ngx_array_push) _(ngx_array_push_n) _(ngx_pool_cleanup_add)             \
    _(ngx_thread_task_alloc) _(malloc) _(calloc) _(realloc) _(strdup)

#define fault_call(name)                                                      \
                                                                              \
    static void *(*fault_kept_##name)(void *a, void *b, void *c);             \
                                                                              \
    static void *                                                             \
    fault_##name(void *a, void *b, void *c)                                   \
    {                                                                         \
        return fault_pool() ? NULL : fault_kept_##name(a, b, c);              \
    }

#define fault_entry(name)                                                     \
    { #name, fault_##name, (void **) &fault_kept_##name },

fault_calls(fault_call)

static fault_call_t  fault_calls_of_module[] = {
    fault_calls(fault_entry)
    { NULL, NULL, NULL }
};


static void
fault_symbol(const char *name, void **slot)
{
    long           page;
    void          *start;
    fault_call_t  *call;

    for (call = fault_calls_of_module; call->name; call++) {

        if (strcmp(call->name, name) != 0 || *slot == call->own) {
            continue;
        }

        page = sysconf(_SC_PAGESIZE);
        start = (void *) ((uintptr_t) slot / page * page);

        if (mprotect(start, page, PROT_READ|PROT_WRITE) == -1) {
            abort();
        }

        *call->kept = *slot;
        *slot = call->own;

        return;
    }
}


/* what the linker has found for it, all at once, goes through here */

static void
fault_module(struct link_map *map)
{
    size_t            i, n;
    ElfW(Dyn)        *dyn;
    ElfW(Sym)        *symbols, *symbol;
    ElfW(Rela)       *rela;
    const char       *names;

    rela = NULL;
    symbols = NULL;
    names = NULL;
    n = 0;

    for (dyn = map->l_ld; dyn->d_tag != DT_NULL; dyn++) {

        switch (dyn->d_tag) {

        case DT_SYMTAB:
            symbols = (void *) dyn->d_un.d_ptr;
            break;

        case DT_STRTAB:
            names = (void *) dyn->d_un.d_ptr;
            break;

        case DT_JMPREL:
            rela = (void *) dyn->d_un.d_ptr;
            break;

        case DT_PLTRELSZ:
            n = dyn->d_un.d_val / sizeof(ElfW(Rela));
            break;
        }
    }

    for (i = 0; i < n; i++) {
        symbol = &symbols[ELF64_R_SYM(rela[i].r_info)];
        fault_symbol(names + symbol->st_name,
                     (void **) (map->l_addr + rela[i].r_offset));
    }
}


void *
dlopen(const char *file, int mode)
{
    void   *p;
    size_t  len, last;

    void  *(*next)(const char *file, int mode);

    *(void **) &next = dlsym(RTLD_NEXT, "dlopen");

    p = next(file, mode);

    len = file ? strlen(file) : 0;
    last = sizeof(FAULT_MODULE) - 1;

    if (p && len > last && strcmp(file + len - last, FAULT_MODULE) == 0) {
        fault_module(p);
    }

    return p;
}


#ifndef FAULT_NO_MEMORY

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);

void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t size);
void *memalign(size_t align, size_t size);
void *aligned_alloc(size_t align, size_t size);
int posix_memalign(void **p, size_t align, size_t size);

static int fault_memory(void);


static int
fault_memory(void)
{
    uint32_t  n, from;

    from = __atomic_load_n(&fault->memory_from, __ATOMIC_ACQUIRE);

    if (from == 0
        || (syscall(SYS_gettid) == getpid()) != (fault->memory_first != 0))
    {
        return 0;
    }

    n = __atomic_add_fetch(&fault->memory_calls, 1, __ATOMIC_ACQ_REL);

    if (n < from || n > fault->memory_to) {
        return 0;
    }

    (void) __atomic_add_fetch(&fault->memory_hits, 1, __ATOMIC_ACQ_REL);

    errno = ENOMEM;

    return 1;
}


void *
malloc(size_t size)
{
    return fault_memory() ? NULL : __libc_malloc(size);
}


void *
calloc(size_t n, size_t size)
{
    return fault_memory() ? NULL : __libc_calloc(n, size);
}


void *
realloc(void *p, size_t size)
{
    return fault_memory() ? NULL : __libc_realloc(p, size);
}


void *
memalign(size_t align, size_t size)
{
    return fault_memory() ? NULL : __libc_memalign(align, size);
}


void *
aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}


int
posix_memalign(void **p, size_t align, size_t size)
{
    void  *new;

    new = memalign(align, size);

    if (new == NULL) {
        return ENOMEM;
    }

    *p = new;

    return 0;
}

#endif
