
/*
 * Copyright (C) the ngx_lead authors
 *
 * Root opens a store as the owner of its directory, who may have put there
 * what he likes: a link in the place of a file would have root write to a
 * file that its maker could not touch.
 *
 * The directory is opened before, as its owner may not be let come to it.  All
 * threads of the process are him meanwhile; and root's further groups, of which
 * root has no need, are gone.
 */


#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "lmdb_store.h"


lead_rc_t
lead_lmdb_owner(lead_store_t *store, lead_lmdb_owner_t *owner,
    lead_error_t *e)
{
    int          err;
    struct stat  st;

    owner->path = store->path;
    owner->dirfd = -1;

    if (geteuid() != 0) {
        return LEAD_OK;
    }

    owner->dirfd = open(store->dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (owner->dirfd == -1 || fstat(owner->dirfd, &st) == -1) {
        err = errno;
        lead_lmdb_owner_leave(owner);

        return lead_lmdb_error(store, err, "cannot open the directory", e);
    }

    if (st.st_uid == 0) {
        lead_lmdb_owner_leave(owner);
        return LEAD_OK;
    }

    (void) snprintf(owner->buf, sizeof(owner->buf), "/proc/self/fd/%d%s",
                    owner->dirfd, strrchr(store->path, '/'));

    owner->path = owner->buf;
    owner->gid = getegid();

    if (setgroups(1, &st.st_gid) == -1
        || setegid(st.st_gid) == -1
        || seteuid(st.st_uid) == -1)
    {
        err = errno;
        lead_lmdb_owner_leave(owner);

        return lead_store_fail(e, LEAD_ACCESS, err, "cannot become the owner "
                               "of \"%.180s\"", store->dir);
    }

    return LEAD_OK;
}


/* who cannot be root again goes on as the owner */

void
lead_lmdb_owner_leave(lead_lmdb_owner_t *owner)
{
    if (owner->path == owner->buf
        && (seteuid(0) == -1 || setegid(owner->gid) == -1))
    {
        /* void */
    }

    if (owner->dirfd != -1) {
        (void) close(owner->dirfd);
        owner->dirfd = -1;
    }
}
