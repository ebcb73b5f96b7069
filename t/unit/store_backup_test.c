
/*
 * Copyright (C) the ngx_lead authors
 *
 * lead_store_backup(): what the copy is, what is refused, and that nothing is
 * left of what failed.  Copies beside a live nginx are t/leadctl_backup.t's.
 */


#include <dirent.h>
#include <unistd.h>
#include <sys/stat.h>

#include "store_util.h"


static void
copy_name(store_t *s, char *dir, size_t size)
{
    (void) snprintf(dir, size, "%.200s.copy", s->dir);
}


static int
entries(const char *path)
{
    int  n;
    DIR  *dir;

    dir = opendir(path);

    if (dir == NULL) {
        return -1;
    }

    for (n = 0; readdir(dir) != NULL; n++) {
        /* void */
    }

    (void) closedir(dir);

    return n - 2;
}


static lead_rc_t
backup(store_t *s, const char *dir)
{
    memset(&s->e, 0, sizeof(s->e));

    return lead_store_backup(s->store, dir, &s->e);
}


static void
test_copy(void **state)
{
    int            i;
    char           dir[256], doc[64];
    store_t       *s, copy;
    lead_id_t      id;
    struct stat    st;
    store_lead_t   got;

    s = *state;
    copy_name(s, dir, sizeof(dir));

    for (i = 0; i < 500; i++) {
        (void) snprintf(doc, sizeof(doc), "{\"n\":%d}", i);
        id = store_insert(s, s->acme, doc, 1, doc, NULL);
    }

    assert_int_equal(backup(s, dir), LEAD_OK);
    assert_int_equal(entries(dir), 1);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);

    /* what comes later is not in it */

    (void) store_insert(s, s->acme, "{\"later\":1}", 0, NULL, NULL);

    copy = *s;
    copy.store = NULL;
    copy.opts.create = 0;
    (void) snprintf(copy.dir, sizeof(copy.dir), "%s", dir);
    assert_int_equal(lead_store_open(dir, &copy.opts, &copy.store, &copy.e),
                     LEAD_OK);

    assert_int_equal(store_findings(&copy), 0);
    assert_int_equal(store_leads(&copy), 500);
    assert_int_equal(store_leads(s), 501);
    assert_true(store_get_id(&copy, s->acme, &id, &got));
    assert_doc(got.lead, "{\"n\":499}");

    /* and it goes its own way */

    (void) store_insert(&copy, s->acme, "{\"own\":1}", 0, NULL, NULL);
    (void) store_insert(&copy, s->acme, "{\"own\":2}", 0, NULL, NULL);
    assert_int_equal(store_leads(&copy), 502);
    assert_int_equal(store_leads(s), 501);
    assert_int_equal(store_findings(&copy), 0);
    assert_int_equal(store_findings(s), 0);

    lead_store_close(copy.store);
    store_remove(dir);
}


static void
test_again(void **state)
{
    char      dir[256];
    store_t  *s;

    s = *state;
    copy_name(s, dir, sizeof(dir));

    assert_int_equal(mkdir(dir, 0755), 0);
    assert_int_equal(backup(s, dir), LEAD_OK);
    assert_int_equal(backup(s, dir), LEAD_EXISTS);
    assert_non_null(strstr(s->e.text, "is not empty"));
    assert_int_equal(entries(dir), 1);

    store_remove(dir);
}


static void
test_refused(void **state)
{
    char      path[300];
    FILE     *f;
    store_t  *s;

    s = *state;

    assert_int_equal(backup(s, ""), LEAD_INVALID);
    assert_int_equal(backup(s, NULL), LEAD_INVALID);

    assert_int_equal(backup(s, s->dir), LEAD_INVALID);
    assert_non_null(strstr(s->e.text, "is the store itself"));

    (void) snprintf(path, sizeof(path), "%s/.", s->dir);
    assert_int_equal(backup(s, path), LEAD_INVALID);

    (void) snprintf(path, sizeof(path), "%s.none/copy", s->dir);
    assert_int_equal(backup(s, path), LEAD_NOTFOUND);

    (void) snprintf(path, sizeof(path), "%s.file", s->dir);
    f = fopen(path, "w");
    assert_non_null(f);
    (void) fclose(f);
    assert_int_equal(backup(s, path), LEAD_INVALID);
    assert_int_equal(unlink(path), 0);

    /* a store beside its copies is as it was */

    assert_int_equal(store_findings(s), 0);
}


/* a read-only handle is enough, and one that has been closed and opened */

static void
test_readonly(void **state)
{
    char      dir[256];
    store_t  *s;

    s = *state;
    copy_name(s, dir, sizeof(dir));

    (void) store_insert(s, s->acme, "{\"n\":1}", 0, NULL, NULL);
    store_close(s);

    s->opts.readonly = 1;
    assert_int_equal(lead_store_open(s->dir, &s->opts, &s->store, &s->e),
                     LEAD_OK);
    assert_int_equal(backup(s, dir), LEAD_OK);

    store_remove(dir);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_copy, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_again, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_refused, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_readonly, store_setup,
                                        store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
